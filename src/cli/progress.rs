//! Progress and messages on stderr: bars on a terminal only, nothing at all with `--quiet` when
//! all went well.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{
    HumanFloatCount, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle,
};

use super::flags::{Common, LogFormat};
use crate::around::Progress;
use crate::model::{Exit, RunStatus, RunSummary, Timestamp};
use crate::report::{Object, run_fields, run_line, shown_lines};

/// Progress on stderr: one bar for each run that is under way.
pub(super) struct Bar {
    is_verbose: bool,
    format: LogFormat,
    screen: Arc<Screen>,
    bar: Mutex<Option<ProgressBar>>,
}

/// What all bars share.
struct Screen {
    /// `None`: this is no terminal.
    bars: Option<MultiProgress>,
    /// With `--quiet`: what is said only if something went wrong.
    held: Mutex<Option<Vec<String>>>,
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

impl Bar {
    pub(super) fn new(flags: &Common) -> Bar {
        let is_for_eyes = !flags.quiet && flags.log_format == LogFormat::Text;
        let has_bars = is_for_eyes && io::stderr().is_terminal();
        let bars = || MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let held = Mutex::new(flags.quiet.then(Vec::new));
        let screen = Screen { bars: has_bars.then(bars), held };
        Bar {
            is_verbose: flags.verbose > 0,
            format: flags.log_format,
            screen: Arc::new(screen),
            bar: Mutex::default(),
        }
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
        if let Some(bars) = &self.screen.bars {
            // What cannot be cleared from a terminal that is gone does no harm.
            let _ = bars.clear();
        }
        let held = locked(&self.screen.held).take().unwrap_or_default();
        if exit != Exit::Done {
            held.iter().for_each(|line| print(line));
        }
    }

    /// Takes the bars from the screen while something else is printed on it.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.screen.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }

    fn say(&self, line: String) {
        if let Some(held) = &mut *locked(&self.screen.held) {
            held.push(line);
        } else {
            self.aside(|| print(&line));
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Progress for Bar {
    fn begin(&self, what: &str, total: Option<u64>) {
        let Some(bars) = &self.screen.bars else { return };
        let template = match total {
            Some(_) => "{msg} {bar:20} {human_pos}/{human_len} {rate} {eta} left",
            None => "{spinner} {msg} {elapsed} {human_pos} {rate}",
        };
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_spinner())
            .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
                // What a bar cannot show, nobody misses.
                let _ = out.write_str(&rate(state.per_sec()));
            });
        // One that is not on a terminal draws nothing until it is among those that are.
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        bar.set_style(style);
        bar.set_message(shown_lines(what).into_owned());
        self.end();
        let bar = bars.add(bar);
        bar.enable_steady_tick(Duration::from_millis(120));
        *locked(&self.bar) = Some(bar);
    }

    fn advance(&self, done: u64) {
        if let Some(bar) = &*locked(&self.bar) {
            bar.set_position(done);
        }
    }

    fn end(&self) {
        if let Some(bar) = locked(&self.bar).take() {
            bar.finish_and_clear();
            if let Some(bars) = &self.screen.bars {
                bars.remove(&bar);
            }
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

    fn beside(&self) -> Option<Arc<dyn Progress>> {
        let (is_verbose, format) = (self.is_verbose, self.format);
        let screen = Arc::clone(&self.screen);
        Some(Arc::new(Bar { is_verbose, format, screen, bar: Mutex::default() }))
    }
}

/// `1,234/s`, and a decimal where it is slow.
fn rate(per_second: f64) -> String {
    let decimals = if per_second < 10.0 { 1 } else { 0 };
    format!("{:.decimals$}/s", HumanFloatCount(per_second))
}

/// Says as JSON what is wrong with arguments that no flags can be taken from.
pub(super) fn usage_error(message: &str) {
    let message = message.strip_prefix(Level::Error.mark()).unwrap_or(message).trim_end();
    print(&json_line(Level::Error, message, |_| Ok(())));
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

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn rates_are_whole_numbers_unless_they_are_slow() {
        let rates = [0.0, 3.25, 1_234.567_8, 1_162_698.338_1].map(rate);
        assert_eq!(rates, ["0/s", "3.2/s", "1,235/s", "1,162,698/s"]);
    }
}
