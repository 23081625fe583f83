//! `invsync check`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{ArgAction, Args};

use super::context::Context;
use super::output::Output;
use super::select::Names;
use crate::around::Progress as _;
use crate::config::{self, Config, ConfigErrors};
use crate::engine::{self, Checked, Options};
use crate::model::{Exit, Finding, Problem, ProblemKind, Severity};
use crate::report::{self, CheckReport, Findings, Format, Tree};

/// Look for errors in the config, mappings and links
///
/// Writes nothing anywhere. Exits 5 where something is wrong.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync check --all                      before the first pull\n  \
    invsync check --all --offline            without network and secrets\n  \
    invsync check store-a --strict           warnings count as errors\n  \
    invsync check --all --ignore unlinked    say nothing of such items\n  \
    invsync check --all --format github      annotations of a pull request\n\n\
    Formats beside those of every command: github (GitHub Actions), junit (GitLab\n\
    and others), sarif (code scanning).")]
pub(super) struct Check {
    #[command(flatten)]
    names: Names,

    /// Contact nobody: look only at the config, links files and local feeds
    #[arg(long)]
    offline: bool,

    /// Exit 5 for warnings as well
    #[arg(long)]
    strict: bool,

    /// Say nothing of this kind of problem (repeatable)
    #[arg(long, action = ArgAction::Append, value_name = "KIND", value_parser = kind)]
    ignore: Vec<ProblemKind>,
}

fn kind(word: &str) -> Result<ProblemKind, String> {
    ProblemKind::from_word(word).ok_or_else(|| {
        let kinds = ProblemKind::ALL.map(ProblemKind::word).join(", ");
        format!("there is no problem of that kind; the kinds are {kinds}")
    })
}

impl Check {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let path = config::locate(context.common.config.as_deref());
        let config = match context.config_to_check() {
            Ok(config) => config,
            Err(error) => return self.unreadable(context, &path, error, out),
        };
        let which = self.names.select(&config, &[], None)?;
        let options = Options { offline: self.offline, ..context.common.options() };
        let mut checked = match engine::check(&context.session_with(&config, options), &which) {
            Ok(checked) => checked,
            // Of the config, some errors show only beside the inventory.
            Err(error) => return self.unreadable(context, &path, error, out),
        };
        for checked in &mut checked {
            checked.findings.retain(|found| self.is_told(found));
        }
        let doubtful = self.doubtful(&config);
        let of_config = Findings { findings: &doubtful, ..Findings::default() };
        let of_config = Some(of_config).filter(|_| !doubtful.is_empty());
        let all: Vec<_> = of_config.into_iter().chain(checked.iter().map(findings)).collect();
        context.progress.end();
        self.print(context, &path, &all, out)?;
        if context.common.annotation().is_some()
            || matches!(context.style.format, Format::Csv | Format::Markdown)
        {
            // These have no place for what is no problem.
            for found in &all {
                let name = found.integration.unwrap_or_default();
                for line in found.dialects() {
                    context.progress.note(&format!("{name}: found {line}"));
                }
            }
        }
        for (error, _) in checked.iter().filter_map(|checked| checked.error.as_ref()) {
            context.progress.error(error);
        }
        Ok(self.exit(&all, &checked))
    }

    fn is_told(&self, found: &Finding) -> bool {
        !self.ignore.contains(&found.problem.kind)
    }

    /// What is doubtful in a config that can be used.
    fn doubtful(&self, config: &Config) -> Vec<Finding> {
        let rivals = config.rivals();
        let warnings = config.warnings.iter().chain(&rivals);
        let found = warnings.map(|warning| warning.finding(&config.path, Severity::Warning));
        found.filter(|found| self.is_told(found)).collect()
    }

    fn exit(&self, all: &[Findings<'_>], checked: &[Checked]) -> Exit {
        let least = if self.strict { Severity::Warning } else { Severity::Error };
        let counts = |found: &Finding| found.problem.accepted.is_none() && found.severity >= least;
        let is_wrong = all.iter().flat_map(|of| of.findings).any(counts);
        let found = if is_wrong { Exit::CheckFailed } else { Exit::Done };
        let errors = checked.iter().filter_map(|checked| checked.error.as_ref());
        errors.map(|(_, exit)| *exit).fold(found, Exit::max)
    }

    fn print(
        &self,
        context: &Context,
        config: &Path,
        all: &[Findings<'_>],
        out: &mut Output,
    ) -> Result<()> {
        let config = config.display().to_string();
        let report = CheckReport { config: &config, strict: self.strict, all };
        match context.common.annotation() {
            None => report::check(&context.style, &report, out)?,
            Some(annotation) => report::annotate(annotation, &report, &tree(&config)?, out)?,
        }
        Ok(())
    }

    /// A config that cannot be used: for programs its errors have the form of any other problem.
    fn unreadable(
        &self,
        context: &Context,
        config: &Path,
        error: anyhow::Error,
        out: &mut Output,
    ) -> Result<Exit> {
        let is_for_people =
            context.style.format == Format::Table && context.common.annotation().is_none();
        if is_for_people || super::exit_of(&error) != Exit::Usage {
            return Err(error);
        }
        let findings = match error.downcast_ref::<ConfigErrors>() {
            Some(errors) => errors.findings(),
            None => vec![of_config(error.to_string())],
        };
        let found = Findings { findings: &findings, ..Findings::default() };
        self.print(context, config, &[found], out)?;
        context.progress.error(&error.to_string());
        Ok(Exit::Usage)
    }
}

/// What is wrong with the config as a whole.
fn of_config(message: String) -> Finding {
    let problem = Problem {
        kind: ProblemKind::Config,
        item_id: None,
        sku: None,
        file: None,
        line: None,
        message,
        accepted: None,
    };
    Finding { problem, severity: Severity::Error, config_line: 0 }
}

fn findings(checked: &Checked) -> Findings<'_> {
    Findings {
        integration: Some(&checked.integration),
        config_line: checked.config_line,
        items: checked.items,
        linked: checked.linked,
        sources: &checked.sources,
        is_skipped: checked.is_skipped,
        findings: &checked.findings,
        error: checked.error.as_ref().map(|(error, _)| error.as_str()),
    }
}

/// The repository around the current folder; without one the folder itself.
fn tree(config: &str) -> Result<Tree> {
    let folder = std::env::current_dir()?;
    let repository = folder.ancestors().find(|folder| folder.join(".git").exists());
    let root = repository.map_or_else(|| folder.clone(), PathBuf::from);
    Ok(Tree { root, folder, config: config.to_owned() })
}
