//! The question before a push: what is planned, and whether to send it.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::context::{Context, usage};
use super::progress::Bar;
use crate::around::Progress as _;
use crate::engine::{Confirm, Interrupted};
use crate::report::{self, Format, RunReport, Style};

/// How long a wait for an answer goes on before it looks again whether a signal came.
const GLANCE: Duration = Duration::from_millis(50);

/// Whether to ask before something is sent.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Asking {
    /// Show what would be sent and ask before it is
    #[arg(short, long, conflicts_with = "jobs")]
    interactive: bool,

    /// Answer the question of --interactive with yes
    #[arg(long)]
    yes: bool,
}

impl Asking {
    /// Who is asked; nobody where it is not wanted.
    pub(super) fn who(self, context: &Context) -> Result<Option<Arc<dyn Confirm>>> {
        if !self.interactive || self.yes {
            return Ok(None);
        }
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Err(usage(
                "--interactive asks on a terminal, and there is none. Leave it out, or add --yes",
            ));
        }
        Ok(Some(Arc::<Question>::clone(&context.question)))
    }
}

/// Asks on the terminal.
pub(super) struct Question {
    style: Style,
    progress: Arc<Bar>,
    interrupted: Arc<AtomicBool>,
    is_declined: AtomicBool,
}

impl Question {
    pub(super) fn new(style: Style, progress: Arc<Bar>, interrupted: Arc<AtomicBool>) -> Question {
        Question { style, progress, interrupted, is_declined: AtomicBool::new(false) }
    }

    /// Whether the answer was no, at least once.
    pub(super) fn is_declined(&self) -> bool {
        self.is_declined.load(Ordering::Relaxed)
    }

    /// What is typed, up to the end of the line. A signal ends the wait.
    fn answer(&self) -> Result<String, Interrupted> {
        let (typed, answers) = channel();
        // It may wait for ever; the process does not wait for it.
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = io::stdin().read_line(&mut line);
            let _ = typed.send(line);
        });
        loop {
            let answer = answers.recv_timeout(GLANCE);
            // After a signal no answer counts: the terminal may have made it of the same key.
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(Interrupted);
            }
            match answer {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(String::new()),
            }
        }
    }
}

impl Confirm for Question {
    fn confirm(&self, plan: &RunReport<'_>, changes: u64) -> Result<bool, Interrupted> {
        self.progress.end();
        // Results belong to standard output; a question and what it is about do not.
        let mut screen = io::stderr();
        let style = Style { format: Format::Table, ..self.style };
        let name = plan.summary.integration.as_deref().unwrap_or_default();
        let what = if changes == 1 {
            "this change".to_owned()
        } else {
            format!("these {changes} changes")
        };
        let asked = report::preview(style, plan, &mut screen).is_ok()
            && write!(screen, "Send {what} to {name}? [y/N] ")
                .and_then(|()| screen.flush())
                .is_ok();
        // What nobody could see nobody has agreed to.
        let answer = if asked { self.answer()? } else { String::new() };
        let is_yes = ["y", "yes"].contains(&answer.trim().to_lowercase().as_str());
        self.is_declined.fetch_or(!is_yes, Ordering::Relaxed);
        Ok(is_yes)
    }
}
