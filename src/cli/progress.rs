//! Progress and messages on stderr: bars on a terminal only, nothing at all with `--quiet` when
//! all went well.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::around::Progress;
use crate::model::Exit;
use crate::report::shown_lines;

/// Progress on stderr.
pub(super) struct Bar {
    has_bars: bool,
    is_verbose: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    /// With `--quiet`: what is said only if something went wrong.
    held: Option<Vec<String>>,
}

impl Bar {
    pub(super) fn new(quiet: bool, is_verbose: bool) -> Bar {
        let held = quiet.then(Vec::new);
        let has_bars = !quiet && io::stderr().is_terminal();
        Bar { has_bars, is_verbose, state: Mutex::new(State { bar: None, held }) }
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
        self.say(shown_lines(message).into_owned());
    }

    fn detail(&self, message: &str) {
        if self.is_verbose {
            self.note(message);
        }
    }
}

/// What cannot be said on stderr cannot be said anywhere.
fn print(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
