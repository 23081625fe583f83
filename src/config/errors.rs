//! What is wrong with a config, made for reading in a cron mail.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::model::{Problem, ProblemKind};
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

    /// The errors in the form in which `check` reports problems.
    pub fn problems(&self) -> Vec<Problem> {
        self.errors.iter().map(ConfigError::problem).collect()
    }
}

impl ConfigError {
    /// The error in the form in which `check` reports problems.
    pub fn problem(&self) -> Problem {
        Problem {
            kind: ProblemKind::Config,
            item_id: None,
            sku: None,
            line: (self.line > 0).then_some(self.line),
            message: self.message.clone(),
        }
    }
}

/// One line each, errors first: `invsync.toml:12: …`. No newline at the end.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.errors.iter().map(|error| ("", error));
        let warnings = self.warnings.iter().map(|warning| ("warning: ", warning));
        for (at, (word, error)) in errors.chain(warnings).enumerate() {
            let newline = if at == 0 { "" } else { "\n" };
            let path = self.path.display();
            match error.line {
                0 => write!(f, "{newline}{path}: {word}{}", error.message)?,
                line => write!(f, "{newline}{path}:{line}: {word}{}", error.message)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
