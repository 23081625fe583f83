//! A config file as text, with the lines of its errors.

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One error or warning of a config file. Quotes keys, never values: a value may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigError {
    /// The line, counted from 1; of something absent the line of its table.
    pub line: u64,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Errors and warnings found so far; shared by all tables of a document.
#[derive(Debug, Default)]
pub struct Problems {
    errors: RefCell<Vec<ConfigError>>,
    warnings: RefCell<Vec<ConfigError>>,
}

impl Problems {
    /// Adds an error.
    pub fn error(&self, line: u64, message: impl Into<String>) {
        self.errors.borrow_mut().push(ConfigError { line, message: message.into() });
    }

    /// Adds a warning.
    pub fn warning(&self, line: u64, message: impl Into<String>) {
        self.warnings.borrow_mut().push(ConfigError { line, message: message.into() });
    }

    /// All errors by line, and all warnings by line.
    pub fn into_sorted(self) -> (Vec<ConfigError>, Vec<ConfigError>) {
        let (mut errors, mut warnings) = (self.errors.into_inner(), self.warnings.into_inner());
        errors.sort();
        errors.dedup();
        warnings.sort();
        warnings.dedup();
        (errors, warnings)
    }
}

/// The text of a config file and where it came from.
#[derive(Debug)]
pub struct Document {
    path: PathBuf,
    text: String,
    line_starts: Vec<usize>,
}

impl Document {
    /// Wraps the text of a file.
    pub fn new(path: &Path, text: String) -> Document {
        let line_starts = std::iter::once(0)
            .chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1))
            .collect();
        Document { path: path.to_owned(), text, line_starts }
    }

    /// The file's path, as the user named it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that relative paths of the config are relative to.
    pub fn folder(&self) -> PathBuf {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        }
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line, from 1, that a byte range starts on.
    pub fn line(&self, span: &Range<usize>) -> u64 {
        self.line_starts.partition_point(|start| *start <= span.start) as u64
    }
}
