//! Texts of a config that may come from elsewhere: the environment, a file, a command.
//!
//! They are resolved only when a command needs them, and a [`Secret`] cannot be printed.

use std::fmt;
use std::io::Read;
use std::path::Path;

use super::template::Template;

/// What a file or command may hand over; more is no text of a config.
const MAX_BYTES: u64 = 1 << 20;

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

/// Why a text could not be resolved.
///
/// Names a variable of the environment, but no path, no program and nothing that they held: these
/// are values of the config, and the key that it is shown with leads there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A variable is not set and has no default.
    #[error("the environment variable {0} is not set")]
    Unset(String),
    /// A variable holds bytes that are no text.
    #[error("the environment variable {0} is not UTF-8")]
    NotUtf8(String),
    /// A file cannot be read.
    #[error("its file cannot be read: {0}")]
    File(String),
    /// A command failed.
    #[error("its command failed: {0}")]
    Command(String),
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
    Template(Template),
    File(Template),
    Command(Vec<Template>),
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
        Ok(Text { source: Source::Template(Template::parse(text)?), line })
    }

    /// A text that stands for itself.
    pub fn plain(text: &str, line: u64) -> Text {
        Text { source: Source::Template(Template::plain(text)), line }
    }

    /// `{ env = "NAME" }`.
    pub fn from_env(name: &str, line: u64) -> Result<Text, String> {
        Ok(Text { source: Source::Template(Template::variable(name)?), line })
    }

    /// `{ file = "path" }`: the path is a template too; a relative one is relative to the config.
    pub fn from_file(path: &str, line: u64) -> Result<Text, String> {
        Ok(Text { source: Source::File(Template::parse(path)?), line })
    }

    /// `{ command = ["pass", "show", "x"] }`: its words are templates too.
    pub fn from_command(words: &[&str], line: u64) -> Result<Text, String> {
        let words: Result<Vec<_>, _> = words.iter().map(|word| Template::parse(word)).collect();
        Ok(Text { source: Source::Command(words?), line })
    }

    /// The line in the config.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The text where it needs nothing from elsewhere.
    pub fn literal(&self) -> Option<&str> {
        match &self.source {
            Source::Template(template) => template.literal(),
            _ => None,
        }
    }

    /// What the text begins with, as far as that can be told without a file or a command: what stands
    /// before its first variable, or else all of it where its variables are set.
    pub fn beginning(&self) -> Option<String> {
        match &self.source {
            Source::Template(template) if template.beginning().is_empty() => {
                template.resolve().ok()
            }
            Source::Template(template) => Some(template.beginning().to_owned()),
            _ => None,
        }
    }

    /// What of the text comes from elsewhere and may be a secret: the values of its variables, or
    /// all of it. Nothing where it cannot be resolved.
    pub fn secrets(&self, folder: &Path) -> Vec<Secret> {
        match &self.source {
            Source::Template(template) => template.values().into_iter().map(Secret).collect(),
            _ => self.resolve(folder).into_iter().collect(),
        }
    }

    /// Whether the text stands in a file that everyone on this machine may read. `false` where
    /// there is no such file now: resolving it says why.
    pub fn is_open_to_all(&self, folder: &Path) -> bool {
        match &self.source {
            Source::File(path) => {
                path.resolve().is_ok_and(|path| is_open_to_all(&folder.join(path)))
            }
            _ => false,
        }
    }

    /// Fetches the value. `folder` is the config's, for relative file names.
    pub fn resolve(&self, folder: &Path) -> Result<Secret, TextError> {
        match &self.source {
            Source::Template(template) => template.resolve().map(Secret),
            Source::File(path) => read_file(&folder.join(path.resolve()?)),
            Source::Command(words) => run(words, folder),
        }
    }
}

/// Whether everyone on this machine may read a file.
pub(super) fn is_open_to_all(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path)
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o004 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

fn read_file(path: &Path) -> Result<Secret, TextError> {
    let failed = |why: String| TextError::File(why);
    let file = std::fs::File::open(path).map_err(|why| failed(why.to_string()))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|why| failed(why.to_string()))?;
    one_text(bytes).map_err(failed)
}

fn run(words: &[Template], folder: &Path) -> Result<Secret, TextError> {
    let failed = |why: String| TextError::Command(why);
    let words: Vec<String> = words.iter().map(Template::resolve).collect::<Result<_, _>>()?;
    let Some((program, arguments)) = words.split_first() else {
        return Err(failed("it has no words".to_owned()));
    };
    let output = std::process::Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .output()
        .map_err(|why| failed(why.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    one_text(output.stdout).map_err(failed)
}

/// The bytes as text, without one newline at the end.
fn one_text(bytes: Vec<u8>) -> Result<Secret, String> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err("it gives more than 1 MiB".to_owned());
    }
    let mut text = String::from_utf8(bytes).map_err(|_| "what it gives is not UTF-8".to_owned())?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(Secret(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: Result<Text, String>, folder: &Path) -> Result<String, String> {
        let value = text?.resolve(folder).map_err(|why| why.to_string())?;
        Ok(value.expose().to_owned())
    }

    #[test]
    fn a_file_gives_its_text_without_one_newline() {
        let folder = tempfile::tempdir().unwrap();
        for (held, given) in [
            ("k\n", "k"),
            ("k\r\n", "k"),
            ("k\n\n", "k\n"),
            ("k", "k"),
            (" k \r", " k \r"),
            ("", ""),
        ] {
            std::fs::write(folder.path().join("key"), held).unwrap();
            let found = resolved(Text::from_file("${INVSYNC_UNSET:-key}", 1), folder.path());
            assert_eq!(found.as_deref(), Ok(given), "{held:?}");
        }
    }

    #[test]
    fn a_file_that_is_missing_or_no_text_is_an_error_without_its_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("latin"), [0xe9]).unwrap();
        for name in ["MARKER", "latin", ".", "/dev/zero"] {
            let why = resolved(Text::from_file(name, 1), folder.path()).unwrap_err();
            assert!(why.starts_with("its file cannot be read: "), "{why}");
            assert!(!why.contains("MARKER"), "{why}");
        }
    }

    #[test]
    fn a_command_gives_its_output_and_runs_beside_the_config() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "k 1\n").unwrap();
        let found =
            resolved(Text::from_command(&["cat", "${INVSYNC_UNSET:-key}"], 1), folder.path());
        assert_eq!(found.as_deref(), Ok("k 1"));
    }

    #[test]
    fn a_command_that_fails_is_an_error_without_its_words() {
        let here = Path::new(".");
        let why = |words: &[&str]| resolved(Text::from_command(words, 1), here).unwrap_err();
        assert_eq!(why(&["sh", "-c", "exit 3 # MARKER"]), "its command failed: exit status: 3");
        assert!(why(&["MARKER/no/such"]).starts_with("its command failed: No such file"));
        assert_eq!(why(&["printf", "\\351"]), "its command failed: what it gives is not UTF-8");
        assert_eq!(
            why(&["echo", "${INVSYNC_UNSET}"]),
            "the environment variable INVSYNC_UNSET is not set"
        );
    }

    #[test]
    fn nothing_prints_a_secret() {
        let text = Text::template("MARKER", 7).unwrap();
        let secret = text.resolve(Path::new(".")).unwrap();
        assert_eq!(format!("{text:?} {secret:?}"), "Text(line 7) Secret(…)");
        assert_eq!(text.literal(), Some("MARKER"));
        assert!(Text::template("${A}", 1).unwrap().literal().is_none());
    }
}
