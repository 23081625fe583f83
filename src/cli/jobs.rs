//! How many integrations are worked on at the same time.

use clap::Args;

use super::context::Context;
use crate::engine::Options;

/// `--jobs`.
#[derive(Clone, Debug, Args)]
pub(super) struct Jobs {
    /// So many integrations at the same time; their reports come as they end
    #[arg(
        short,
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u8).range(1..=64)
    )]
    jobs: u8,
}

impl Jobs {
    /// What the engine is told.
    pub(super) fn options(&self, context: &Context) -> Options {
        Options { jobs: self.jobs.into(), ..context.common.options() }
    }
}
