//! What people and scripts see: one sink a format, into which changes stream. Computes nothing.

use std::io;

use crate::model::{ChangeRow, Problem, RunSummary};

/// Changes of a run, streamed by section and then by SKU.
pub trait Changes {
    /// Calls `each` with every change until it returns `false`.
    fn each(&self, each: &mut dyn FnMut(&ChangeRow<'_>) -> io::Result<bool>) -> anyhow::Result<()>;
}

/// Problems of a run, streamed in the order in which they were met.
pub trait Problems {
    /// How many there are.
    fn count(&self) -> u64;

    /// Calls `each` with every problem until it returns `false`.
    fn each(&self, each: &mut dyn FnMut(&Problem) -> io::Result<bool>) -> anyhow::Result<()>;
}

/// A run with everything that there is to say about it.
pub struct RunReport<'a> {
    /// The counts and verdicts.
    pub summary: RunSummary,
    /// Its changes.
    pub changes: Box<dyn Changes + 'a>,
    /// Its problems.
    pub problems: Box<dyn Problems + 'a>,
}
