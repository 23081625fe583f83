//! Texts of a config that may come from elsewhere: the environment, a file, a command.
//!
//! They are resolved only when a command needs them, and a [`Secret`] cannot be printed.

use std::fmt;
use std::path::{Path, PathBuf};

/// A resolved value that may be a secret: nothing prints it, [`Secret::expose`] gives it away.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: String) -> Secret {
        Secret(value)
    }

    /// The value itself: for the one place that sends or opens it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a text could not be resolved. Names where it should come from, never what it held.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// A variable is not set and has no default.
    #[error("the environment variable {0} is not set")]
    Unset(String),
    /// A file cannot be read.
    #[error("the file {path} cannot be read: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// A command failed.
    #[error("the command {program} failed: {why}")]
    Command {
        /// The program's name, without its arguments.
        program: String,
        /// How it failed.
        why: String,
    },
}

/// A text of the config before it is resolved.
#[derive(Clone)]
pub struct Text {
    source: Source,
    /// The line in the config.
    line: u64,
}

#[derive(Clone)]
enum Source {
    Template(Vec<Part>),
    File(PathBuf),
    Command(Vec<String>),
}

#[derive(Clone)]
enum Part {
    Literal(String),
    Variable { name: String, default: Option<String> },
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text(line {})", self.line)
    }
}

impl Text {
    /// A text with `${NAME}` and `${NAME:-default}` in it; `$${` is a literal `${`.
    ///
    /// The error says what is wrong with a `${`.
    pub fn template(text: &str, line: u64) -> Result<Text, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            literal.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("$${") {
                literal.push_str("${");
                rest = after;
            } else if let Some(after) = rest.strip_prefix("${") {
                let end = after.find('}').ok_or("a `${` has no `}`")?;
                let (name, default) = match after[..end].split_once(":-") {
                    Some((name, default)) => (name, Some(default.to_owned())),
                    None => (&after[..end], None),
                };
                if !is_variable_name(name) {
                    return Err("`${…}` needs the name of an environment variable: letters, \
                                digits and `_` (write `$${` for a literal `${`)"
                        .to_owned());
                }
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(Part::Variable { name: name.to_owned(), default });
                rest = &after[end + 1..];
            } else {
                literal.push('$');
                rest = &rest[1..];
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Text { source: Source::Template(parts), line })
    }

    /// `{ env = "NAME" }`.
    pub fn from_env(name: &str, line: u64) -> Result<Text, String> {
        if !is_variable_name(name) {
            return Err("`env` needs the name of an environment variable".to_owned());
        }
        let part = Part::Variable { name: name.to_owned(), default: None };
        Ok(Text { source: Source::Template(vec![part]), line })
    }

    /// `{ file = "path" }`; a relative path is relative to the config file.
    pub fn from_file(path: PathBuf, line: u64) -> Text {
        Text { source: Source::File(path), line }
    }

    /// `{ command = ["pass", "show", "x"] }`.
    pub fn from_command(command: Vec<String>, line: u64) -> Text {
        Text { source: Source::Command(command), line }
    }

    /// The line in the config.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The text where it needs nothing from elsewhere.
    pub fn literal(&self) -> Option<&str> {
        match &self.source {
            Source::Template(parts) => match parts.as_slice() {
                [] => Some(""),
                [Part::Literal(text)] => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// Fetches the value. `folder` is the config's, for relative file names.
    pub fn resolve(&self, folder: &Path) -> Result<Secret, TextError> {
        match &self.source {
            Source::Template(parts) => resolve_template(parts),
            Source::File(path) => {
                let path = folder.join(path);
                let text = std::fs::read_to_string(&path)
                    .map_err(|why| TextError::File { path, why: why.to_string() })?;
                Ok(Secret(without_final_newline(text)))
            }
            Source::Command(command) => run(command, folder),
        }
    }
}

fn resolve_template(parts: &[Part]) -> Result<Secret, TextError> {
    let mut value = String::new();
    for part in parts {
        match part {
            Part::Literal(text) => value.push_str(text),
            Part::Variable { name, default } => match (std::env::var(name), default) {
                // As in the shell, `:-` covers an empty variable too.
                (Ok(set), Some(default)) if set.is_empty() => value.push_str(default),
                (Ok(set), _) => value.push_str(&set),
                (Err(_), Some(default)) => value.push_str(default),
                (Err(_), None) => return Err(TextError::Unset(name.clone())),
            },
        }
    }
    Ok(Secret(value))
}

fn run(command: &[String], folder: &Path) -> Result<Secret, TextError> {
    let (program, arguments) = match command {
        [program, arguments @ ..] => (program, arguments),
        [] => (&String::new(), &[][..]),
    };
    let failed = |why: String| TextError::Command { program: program.clone(), why };
    let output = std::process::Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|why| failed(why.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| failed("its output is not UTF-8".to_owned()))?;
    Ok(Secret(without_final_newline(text)))
}

fn without_final_newline(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

fn is_variable_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
