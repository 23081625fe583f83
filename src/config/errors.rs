//! What is wrong with a config, made for reading in a cron mail.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::model::{Finding, Problem, ProblemKind, Severity};
use crate::settings::ConfigError;

/// Everything that is wrong with one config file; exit 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    /// The file, as the user named it.
    pub path: PathBuf,
    /// The errors by line; never empty.
    pub errors: Vec<ConfigError>,
    /// The warnings by line.
    pub warnings: Vec<ConfigError>,
}

impl ConfigErrors {
    /// The file as a whole cannot be read, for this reason.
    pub(super) fn of_file(path: &Path, why: impl Into<String>) -> ConfigErrors {
        let errors = vec![ConfigError::new(0, why)];
        ConfigErrors { path: path.to_owned(), errors, warnings: Vec::new() }
    }

    /// Errors and warnings in the form in which `check` tells what it found.
    pub fn findings(&self) -> Vec<Finding> {
        let path = &self.path;
        let errors = self.errors.iter().map(|error| error.finding(path, Severity::Error));
        let warnings = self.warnings.iter().map(|error| error.finding(path, Severity::Warning));
        errors.chain(warnings).collect()
    }
}

impl ConfigError {
    /// It in the form in which `check` tells what it found. `path`: the config.
    pub fn finding(&self, path: &Path, severity: Severity) -> Finding {
        let problem = Problem {
            kind: ProblemKind::Config,
            item_id: None,
            sku: None,
            file: Some(self.file.as_deref().unwrap_or(path).display().to_string()),
            line: (self.line > 0).then_some(self.line),
            message: self.message.clone(),
            accepted: None,
        };
        let config_line = if self.file.is_none() { self.line } else { 0 };
        Finding { problem, severity, config_line }
    }
}

/// One line each, errors first: `invsync.toml:12: …`. No newline at the end.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.errors.iter().map(|error| ("", error));
        let warnings = self.warnings.iter().map(|warning| ("warning: ", warning));
        for (at, (word, error)) in errors.chain(warnings).enumerate() {
            let newline = if at == 0 { "" } else { "\n" };
            let path = error.file.as_ref().unwrap_or(&self.path).display();
            match error.line {
                0 => write!(f, "{newline}{path}: {word}{}", error.message)?,
                line => write!(f, "{newline}{path}:{line}: {word}{}", error.message)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
