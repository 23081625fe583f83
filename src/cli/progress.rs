//! Progress and messages on stderr: bars on a terminal only, nothing at all with `--quiet` when
//! all went well.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::around::Progress;
use crate::model::Exit;
use crate::report::shown_lines;

/// Progress on stderr: one bar for each run that is under way.
pub(super) struct Bar {
    is_verbose: bool,
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

impl Bar {
    pub(super) fn new(quiet: bool, is_verbose: bool) -> Bar {
        let has_bars = !quiet && io::stderr().is_terminal();
        let bars = || MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let screen = Screen { bars: has_bars.then(bars), held: Mutex::new(quiet.then(Vec::new)) };
        Bar { is_verbose, screen: Arc::new(screen), bar: Mutex::default() }
    }

    /// Says what failed.
    pub(super) fn error(&self, message: &str) {
        self.say(format!("error: {}", shown_lines(message)));
    }

    /// Says what is doubtful.
    pub(super) fn warning(&self, message: &str) {
        self.say(format!("warning: {}", shown_lines(message)));
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
            Some(_) => "{msg} {bar:20} {human_pos}/{human_len} {per_sec} {eta} left",
            None => "{spinner} {msg} {human_pos} {per_sec}",
        };
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
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
        self.say(shown_lines(message).into_owned());
    }

    fn detail(&self, message: &str) {
        if self.is_verbose {
            self.note(message);
        }
    }

    fn beside(&self) -> Option<Arc<dyn Progress>> {
        let (is_verbose, screen) = (self.is_verbose, Arc::clone(&self.screen));
        Some(Arc::new(Bar { is_verbose, screen, bar: Mutex::default() }))
    }
}

/// What cannot be said on stderr cannot be said anywhere.
fn print(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
