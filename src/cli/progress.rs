//! Progress and messages on stderr: bars on a terminal only, nothing at all with `--quiet` when
//! all went well.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::flags::{Common, LogFormat};
use crate::around::Progress;
use crate::model::{Exit, RunStatus, RunSummary, Timestamp};
use crate::report::{Object, run_fields, run_line, shown_lines};

/// Progress on stderr.
pub(super) struct Bar {
    has_bars: bool,
    is_verbose: bool,
    format: LogFormat,
    state: Mutex<State>,
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
    Info,
    Debug,
}

impl Level {
    /// The word in lines of JSON.
    fn word(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
            Level::Debug => "debug",
        }
    }

    /// What stands before a message for people.
    fn mark(self) -> &'static str {
        match self {
            Level::Error => "error: ",
            Level::Warning => "warning: ",
            Level::Info | Level::Debug => "",
        }
    }

    fn of(status: RunStatus) -> Level {
        match status {
            RunStatus::Failed | RunStatus::Interrupted | RunStatus::Locked | RunStatus::Crashed => {
                Level::Error
            }
            RunStatus::Partial | RunStatus::Blocked => Level::Warning,
            RunStatus::Ok | RunStatus::Unchanged | RunStatus::Running => Level::Info,
        }
    }
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    /// With `--quiet`: what is said only if something went wrong.
    held: Option<Vec<String>>,
}

impl Bar {
    pub(super) fn new(flags: &Common) -> Bar {
        let held = flags.quiet.then(Vec::new);
        let format = flags.log_format;
        let is_for_eyes = !flags.quiet && format == LogFormat::Text;
        let has_bars = is_for_eyes && io::stderr().is_terminal();
        let is_verbose = flags.verbose > 0;
        Bar { has_bars, is_verbose, format, state: Mutex::new(State { bar: None, held }) }
    }

    /// Says what failed.
    pub(super) fn error(&self, message: &str) {
        self.message(Level::Error, message);
    }

    /// Says what is doubtful.
    pub(super) fn warning(&self, message: &str) {
        self.message(Level::Warning, message);
    }

    /// One line of a run that ended, where a log is wanted.
    pub(super) fn log(&self, run: &RunSummary) {
        let line = run_line(run);
        match self.format {
            LogFormat::Text if self.is_verbose => {
                let at = run.finished_at.unwrap_or_else(Timestamp::now).rfc3339();
                self.say(format!("{at} {line}"));
            }
            LogFormat::Text => {}
            LogFormat::Json => {
                let level = Level::of(run.status);
                self.say(json_line(level, &line, |object| run_fields(object, run)));
            }
        }
    }

    fn message(&self, level: Level, message: &str) {
        self.say(match self.format {
            LogFormat::Text => format!("{}{}", level.mark(), shown_lines(message)),
            LogFormat::Json => json_line(level, message, |_| Ok(())),
        });
    }

    /// Says what was held, unless all went well.
    pub(super) fn finish(&self, exit: Exit) {
        self.end();
        let held = self.state().held.take().unwrap_or_default();
        if exit != Exit::Done {
            held.iter().for_each(|line| print(line));
        }
    }

    fn say(&self, line: String) {
        let mut state = self.state();
        if let Some(held) = &mut state.held {
            held.push(line);
        } else if let Some(bar) = &state.bar {
            bar.suspend(|| print(&line));
        } else {
            print(&line);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, total: Option<u64>) {
        if !self.has_bars {
            return;
        }
        let template = match total {
            Some(_) => "{msg} {bar:30} {human_pos}/{human_len}",
            None => "{spinner} {msg} {human_pos}",
        };
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        bar.set_style(style);
        bar.set_message(shown_lines(what).into_owned());
        self.end();
        bar.enable_steady_tick(Duration::from_millis(120));
        self.state().bar = Some(bar);
    }

    fn advance(&self, done: u64) {
        if let Some(bar) = &self.state().bar {
            bar.set_position(done);
        }
    }

    fn end(&self) {
        if let Some(bar) = self.state().bar.take() {
            bar.finish_and_clear();
        }
    }

    fn note(&self, message: &str) {
        self.message(Level::Info, message);
    }

    fn detail(&self, message: &str) {
        if self.is_verbose {
            self.message(Level::Debug, message);
        }
    }
}

/// A message as an object of JSON, with further keys.
fn json_line(
    level: Level,
    message: &str,
    more: impl FnOnce(&mut Object<'_>) -> io::Result<()>,
) -> String {
    let mut line = Vec::new();
    let written = Object::begin(&mut line).and_then(|mut object| {
        object.field("at", &Timestamp::now().rfc3339())?;
        object.field("level", level.word())?;
        object.field("message", message)?;
        more(&mut object)?;
        object.end()
    });
    // Memory takes all that is written to it.
    debug_assert!(written.is_ok());
    String::from_utf8_lossy(&line).into_owned()
}

/// What cannot be said on stderr cannot be said anywhere.
fn print(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
