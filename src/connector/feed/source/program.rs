//! `source = { exec = ["program", "argument"] }`: what a program prints.
//!
//! It prints straight into a file without a name. Its exit code says whether that is a delivery.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::fetched::{Fetched, new_file};
use crate::around::Around;
use crate::child::{self, Waited};
use crate::connector::feed::shown;
use crate::connector::http::Scrubber;
use crate::connector::{ConnectorError, Origin};
use crate::settings::{Entry, Secret, Text};

/// How much of what it says an error shows.
const SHOWN_CHARS: usize = 200;

/// `{ exec = […], env = { … } }` as the config gives it.
#[derive(Clone, Debug)]
pub(super) struct ProgramSettings {
    words: Vec<Text>,
    env: Vec<(String, Text)>,
}

impl ProgramSettings {
    /// Takes the keys of `source`, which is a table with `exec`. `None` where errors were added.
    pub(super) fn read(entry: &Entry<'_>, name: &str) -> Option<ProgramSettings> {
        let mut table = entry.table(name.to_owned())?;
        let exec = table.take("exec")?;
        let key = table.name_of("exec");
        let words: Vec<_> = exec.array(&key)?.iter().map(|word| word.text(&key)).collect();
        let mut env = Vec::new();
        if let Some(mut below) = table.table("env") {
            let path = below.path().to_owned();
            for (variable, _, entry) in below.entries() {
                env.push((variable.to_owned(), entry.secret(&format!("{path}.{variable}"))));
            }
        }
        table.finish();
        if words.is_empty() {
            exec.error(format!("`{key}` must begin with a program"));
            return None;
        }
        let words: Option<Vec<_>> = words.into_iter().collect();
        let env: Option<Vec<_>> =
            env.into_iter().map(|(variable, text)| Some((variable, text?))).collect();
        Some(ProgramSettings { words: words?, env: env? })
    }

    /// Resolves the words; starts nothing.
    pub(super) fn connect(
        &self,
        folder: &Path,
        timeout: Duration,
        around: &Around,
    ) -> Result<Program, ConnectorError> {
        let resolved = |text: &Text| {
            text.resolve(folder).map_err(|why| ConnectorError::usage(format!("`source`: {why}")))
        };
        let words: Vec<Secret> = self.words.iter().map(resolved).collect::<Result<_, _>>()?;
        let env = self.env.iter().map(|(name, text)| Ok((name.clone(), resolved(text)?)));
        let env: Vec<(String, Secret)> = env.collect::<Result<_, ConnectorError>>()?;
        let mut secrets: Vec<Secret> = env.iter().map(|(_, value)| value.clone()).collect();
        secrets.extend(self.words.iter().flat_map(|text| text.secrets(folder)));
        let folder = folder.to_owned();
        let around = around.clone();
        Ok(Program { words, env, folder, timeout, around, scrubber: Scrubber::new(&secrets) })
    }
}

/// A program that prints a feed.
pub(super) struct Program {
    words: Vec<Secret>,
    env: Vec<(String, Secret)>,
    folder: PathBuf,
    /// How long it may take.
    timeout: Duration,
    around: Around,
    scrubber: Scrubber,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Program")
    }
}

impl Program {
    /// Runs it to its end.
    pub(super) fn fetch(&self) -> Result<Fetched, ConnectorError> {
        let (output, said) = (new_file()?, new_file()?);
        let copy = |file: &File| file.try_clone().map_err(|why| self.failed(&why.to_string()));
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(copy(&output)?).stderr(copy(&said)?);
        let mut child = command.spawn().map_err(|why| match why.kind() {
            io::ErrorKind::NotFound => self.failed("there is no such program"),
            _ => self.failed(&why.to_string()),
        })?;
        let is_interrupted = || self.around.is_interrupted();
        let waited = child::wait(&mut child, self.timeout, &is_interrupted);
        let status = match waited.map_err(|why| self.failed(&why.to_string()))? {
            Waited::Ended(status) => status,
            Waited::Interrupted => return Err(ConnectorError::interrupted()),
            Waited::TooLong => {
                let limit = self.timeout.as_secs_f32();
                return Err(ConnectorError::temporary(format!(
                    "{} did not end within {limit} s (`http.download_timeout`) and was ended{}",
                    self.name(),
                    self.last_words(said)
                )));
            }
        };
        if !status.success() {
            return Err(self.failed(&format!("it ended with {status}{}", self.last_words(said))));
        }
        Fetched::temporary(self.name(), output, Origin::default())
    }

    fn command(&self) -> Command {
        let mut command = child::command(self.words.iter().map(Secret::expose), &self.folder);
        command.envs(self.env.iter().map(|(name, value)| (name, value.expose())));
        command
    }

    /// Where the bytes come from, for messages: no argument is shown.
    fn name(&self) -> String {
        let program = self.words.first().map_or("", Secret::expose);
        let program = program.rsplit('/').next().unwrap_or(program);
        format!("what {} prints", shown(&self.scrubber.scrub(program)))
    }

    fn failed(&self, why: &str) -> ConnectorError {
        ConnectorError::source(format!("{} is no delivery: {why}", self.name()))
    }

    /// The last lines that it said on stderr.
    fn last_words(&self, said: File) -> String {
        let Some(last) = child::last_lines(said) else { return String::new() };
        let last = self.scrubber.scrub(&last);
        format!("; it said: {}", crate::connector::http::one_line(&last, SHOWN_CHARS))
    }
}
