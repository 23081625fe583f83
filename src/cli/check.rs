//! `invsync check`.

use anyhow::Result;
use clap::Args;

use super::context::Context;
use super::output::Output;
use super::select::Names;
use crate::around::Progress as _;
use crate::config::ConfigErrors;
use crate::engine::{self, Checked, Options};
use crate::model::{Exit, Severity};
use crate::report::{self, Findings, Format};
use crate::settings::ConfigError;

/// Look for errors in the config, mappings and links
///
/// Writes nothing anywhere. Exits 5 where something is wrong.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync check --all                      before the first pull, and in CI\n  \
    invsync check --all --offline            only what can be seen without contacting anybody\n  \
    invsync check store-a --strict           warnings count as errors")]
pub(super) struct Check {
    #[command(flatten)]
    names: Names,

    /// Contact nobody: check only the config and the links that the inventory has
    #[arg(long)]
    offline: bool,

    /// Exit 5 for warnings as well
    #[arg(long)]
    strict: bool,
}

impl Check {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = match context.config_to_check() {
            Ok(config) => config,
            Err(error) => return unreadable(context, error, out),
        };
        let which = self.names.select(&config, &[], None)?;
        let options = Options { offline: self.offline, ..context.common.options() };
        let checked = match engine::check(&context.session_with(&config, options), &which) {
            Ok(checked) => checked,
            // Of the config, some errors show only beside the inventory.
            Err(error) => return unreadable(context, error, out),
        };
        let warnings: Vec<_> = config.warnings.iter().map(ConfigError::problem).collect();
        let doubtful = Findings { warnings: &warnings, ..Findings::default() };
        let doubtful = Some(doubtful).filter(|_| !warnings.is_empty());
        let findings: Vec<_> = doubtful.into_iter().chain(checked.iter().map(findings)).collect();
        context.progress.end();
        report::check(&context.style, &findings, out)?;
        if matches!(context.style.format, Format::Csv | Format::Markdown) {
            // These have a row for each problem, and no place for anything else.
            for found in &findings {
                let name = found.integration.unwrap_or_default();
                for line in found.dialects() {
                    context.progress.note(&format!("{name}: found {line}"));
                }
            }
        }
        for (error, _) in checked.iter().filter_map(|checked| checked.error.as_ref()) {
            context.progress.error(error);
        }
        Ok(self.exit(&findings, &checked))
    }

    fn exit(&self, findings: &[Findings<'_>], checked: &[Checked]) -> Exit {
        let least = if self.strict { Severity::Warning } else { Severity::Error };
        let mut all = findings.iter().flat_map(Findings::all);
        let found =
            if all.any(|(_, severity)| severity >= least) { Exit::CheckFailed } else { Exit::Done };
        let errors = checked.iter().filter_map(|checked| checked.error.as_ref());
        errors.map(|(_, exit)| *exit).fold(found, Exit::max)
    }
}

/// A config that cannot be read: for scripts its errors have the form of any other problem.
fn unreadable(context: &Context, error: anyhow::Error, out: &mut Output) -> Result<Exit> {
    match error.downcast_ref::<ConfigErrors>() {
        Some(errors) if context.style.format != Format::Table => {
            let problems = errors.problems();
            let warnings: Vec<_> = errors.warnings.iter().map(ConfigError::problem).collect();
            let findings =
                [Findings { problems: &problems, warnings: &warnings, ..Findings::default() }];
            report::check(&context.style, &findings, out)?;
            context.progress.error(&error.to_string());
            Ok(Exit::Usage)
        }
        _ => Err(error),
    }
}

fn findings(checked: &Checked) -> Findings<'_> {
    Findings {
        integration: Some(&checked.integration),
        items: checked.items,
        linked: checked.linked,
        sources: &checked.sources,
        problems: &checked.problems,
        warnings: &[],
        error: checked.error.as_ref().map(|(error, _)| error.as_str()),
    }
}
