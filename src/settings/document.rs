//! A config file as text, with the lines of its errors.

use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

/// One error or warning of a config file. Quotes keys, never values: a value may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigError {
    /// The line, counted from 1; of something absent the line of its table; 0 for the whole file.
    pub line: u64,
    /// What is wrong and what would be right, on one line.
    pub message: String,
    /// The file of the line, where it is one that the config names.
    pub file: Option<PathBuf>,
}

impl ConfigError {
    /// An error of a line; control characters in keys are escaped, so that it stays one line.
    pub fn new(line: u64, message: impl Into<String>) -> ConfigError {
        ConfigError { line, message: on_one_line(message.into()), file: None }
    }

    /// An error of a line of a file that the config names.
    pub fn in_file(file: &Path, line: u64, message: impl Into<String>) -> ConfigError {
        ConfigError { file: Some(file.to_owned()), ..ConfigError::new(line, message) }
    }
}

/// Errors and warnings found so far; shared by all tables of a document.
#[derive(Debug, Default)]
pub struct Problems {
    syntax: RefCell<Vec<ConfigError>>,
    /// The lines of the tables with a syntax error: what stands there was not read as it was meant.
    broken: RefCell<Vec<RangeInclusive<u64>>>,
    errors: RefCell<Vec<ConfigError>>,
    warnings: RefCell<Vec<ConfigError>>,
}

impl Problems {
    /// Adds an error, unless it stands in a table with a syntax error and may be its echo.
    pub fn error(&self, line: u64, message: impl Into<String>) {
        if !self.broken.borrow().iter().any(|lines| lines.contains(&line)) {
            self.errors.borrow_mut().push(ConfigError::new(line, message));
        }
    }

    /// Adds an error about something absent, which a syntax error anywhere may have hidden: where
    /// there is one, nothing is added.
    pub fn absence(&self, line: u64, message: impl Into<String>) {
        if !self.has_syntax_errors() {
            self.error(line, message);
        }
    }

    /// Adds an error of the syntax; only the first of a line counts, the others are its echo.
    pub fn syntax_error(&self, document: &Document, line: u64, message: impl Into<String>) {
        let mut syntax = self.syntax.borrow_mut();
        if syntax.iter().all(|error| error.line != line) {
            syntax.push(ConfigError::new(line, message));
            self.broken.borrow_mut().push(document.lines_of_table(line));
        }
    }

    /// Adds a warning.
    pub fn warning(&self, line: u64, message: impl Into<String>) {
        self.warnings.borrow_mut().push(ConfigError::new(line, message));
    }

    /// Whether the document is no TOML.
    pub fn has_syntax_errors(&self) -> bool {
        !self.syntax.borrow().is_empty()
    }

    /// How many errors there are so far.
    pub fn error_count(&self) -> usize {
        self.syntax.borrow().len() + self.errors.borrow().len()
    }

    /// All errors by line, and all warnings by line.
    pub fn into_sorted(self) -> (Vec<ConfigError>, Vec<ConfigError>) {
        let (mut errors, mut warnings) = (self.errors.into_inner(), self.warnings.into_inner());
        errors.append(&mut self.syntax.into_inner());
        errors.sort();
        errors.dedup();
        warnings.sort();
        warnings.dedup();
        (errors, warnings)
    }
}

/// The text of a config file and where it came from. Its `Debug` leaves the text out.
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

    /// The lines from the table header above (or at) this line to the next header.
    ///
    /// Found in the text alone, for text that is no TOML: a line that begins with `[`.
    fn lines_of_table(&self, line: u64) -> RangeInclusive<u64> {
        let mut first = 1;
        for (line_before, text) in (0_u64..).zip(self.text.split('\n')) {
            if text.trim_start().starts_with('[') {
                if line_before >= line {
                    return first..=line_before;
                }
                first = line_before + 1;
            }
        }
        first..=u64::MAX
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({})", self.path.display())
    }
}

fn on_one_line(message: String) -> String {
    if !message.contains(char::is_control) {
        return message;
    }
    let escaped = |c: char| if c.is_control() { c.escape_default().collect() } else { c.into() };
    message.chars().map(escaped).collect::<Vec<String>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::new(Path::new("shop/invsync.toml"), text.to_owned())
    }

    #[test]
    fn lines_are_counted_from_1() {
        let found = document("a\r\nb\n\nc");
        let lines = [0..1, 3..4, 5..5, 6..7, 7..7].map(|span| found.line(&span));
        assert_eq!(lines, [1, 2, 3, 4, 4]);
        assert_eq!(found.folder(), Path::new("shop"));
        assert_eq!(Document::new(Path::new("x.toml"), String::new()).folder(), Path::new("."));
    }

    #[test]
    fn a_table_of_broken_text_ends_at_the_next_header() {
        let found = document("a\n[b]\nc\n\n [d\ne\n");
        let lines = [1, 2, 3, 4, 5, 6].map(|line| found.lines_of_table(line));
        let (root, b, d) = (1..=1, 2..=4, 5..=u64::MAX);
        assert_eq!(lines, [root, b.clone(), b.clone(), b, d.clone(), d]);
    }

    #[test]
    fn an_error_beside_a_syntax_error_is_its_echo() {
        let (found, problems) = (document("[a]\nx\n[b]\ny\n"), Problems::default());
        problems.absence(1, "missing, and found before the syntax error");
        problems.syntax_error(&found, 2, "no TOML");
        problems.syntax_error(&found, 2, "no TOML again");
        problems.error(1, "echo");
        problems.absence(3, "missing");
        problems.error(4, "wrong\u{1b}[0m\nkey");
        let (errors, _) = problems.into_sorted();
        let lines: Vec<_> = errors.iter().map(|e| (e.line, e.message.as_str())).collect();
        assert_eq!(
            lines,
            [
                (1, "missing, and found before the syntax error"),
                (2, "no TOML"),
                (4, "wrong\\u{1b}[0m\\nkey")
            ]
        );
    }
}
