//! `[notify]`: a program of the user's is told of a run that did not go well.

use std::fs::File;
use std::io::{BufWriter, Seek as _, Write as _};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};

use super::Session;
use crate::child::{self, Waited};
use crate::config::NotifySettings;
use crate::connector::http::{Scrubber, one_line};
use crate::report::{self, Format, RunReport, Style};
use crate::settings::Secret;

/// How much of what the program says an error shows.
const SHOWN_CHARS: usize = 200;

/// Hands a run to the program, where it is one to be told of. What fails here fails nothing else.
pub(super) fn notify(session: &Session<'_>, run: &RunReport<'_>) -> Result<()> {
    let Some(settings) = &session.config.notify else { return Ok(()) };
    if run.summary.dry_run || !settings.on.contains(&run.summary.status) {
        return Ok(());
    }
    tell(session, settings, run).context("`notify.command` was not told of this run")
}

fn tell(session: &Session<'_>, settings: &NotifySettings, run: &RunReport<'_>) -> Result<()> {
    let folder = &session.config.folder;
    let words: Vec<Secret> =
        settings.command.iter().map(|word| word.resolve(folder)).collect::<Result<_, _>>()?;
    let mut command = child::command(words.iter().map(Secret::expose), folder);
    let said = tempfile::tempfile()?;
    // Its input is a file: a program that does not read it to its end holds nobody up.
    command.stdin(input(run)?).stdout(said.try_clone()?).stderr(said.try_clone()?);
    let mut child = command.spawn().context("it cannot be started")?;
    // Not ended by a signal: the run may be over because of the same signal.
    let waited = child::wait(&mut child, settings.timeout, &|| false)?;
    let said = || {
        let secrets: Vec<_> = settings.command.iter().flat_map(|w| w.secrets(folder)).collect();
        let last = child::last_lines(said).unwrap_or_default();
        let last = one_line(&Scrubber::new(&secrets).scrub(&last), SHOWN_CHARS);
        if last.is_empty() { last } else { format!("; it said: {last}") }
    };
    match waited {
        Waited::Ended(status) if status.success() => Ok(()),
        Waited::Ended(status) => bail!("it ended with {status}{}", said()),
        Waited::TooLong | Waited::Interrupted => bail!(
            "it did not end within {} s (`notify.timeout`) and was ended{}",
            settings.timeout.as_secs(),
            said()
        ),
    }
}

/// The run as `--format json` prints it.
fn input(run: &RunReport<'_>) -> Result<Stdio> {
    let mut file = BufWriter::new(tempfile::tempfile()?);
    let mut sink = report::sink(Style { format: Format::Json, ..Style::default() }, &mut file);
    sink.run(run)?;
    sink.end()?;
    drop(sink);
    file.flush()?;
    let mut file: File = file.into_inner()?;
    file.rewind()?;
    Ok(file.into())
}
