//! What `check` found, for the pages of other programs: annotations of GitHub, test reports of
//! GitLab and others, code scanning.

mod github;
mod junit;
mod place;
mod sarif;

use std::io::{self, Write};

pub use place::Tree;

use super::check::CheckReport;

/// A format that only `check` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Annotation {
    /// Workflow commands of GitHub Actions.
    Github,
    /// JUnit's XML.
    Junit,
    /// SARIF 2.1.0.
    Sarif,
}

/// Prints the findings, with paths as seen from the root of the tree.
pub fn annotate(
    annotation: Annotation,
    report: &CheckReport<'_>,
    tree: &Tree,
    out: &mut dyn Write,
) -> io::Result<()> {
    match annotation {
        Annotation::Github => github::print(report, tree, out)?,
        Annotation::Junit => junit::print(report, tree, out)?,
        Annotation::Sarif => sarif::print(report, tree, out)?,
    }
    out.flush()
}
