//! What every command works with: its flags, its config, where it reports to.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};

use crate::around::{Around, Progress as _};
use crate::config::{self, Config};
use crate::engine::{self, LinksFiles, Onlooker, Options, Session, UsageError};
use crate::model::Exit;
use crate::report::{self, Format, Listing, Record, Records, RunReport, Style};

use super::flags::{Common, LogFormat};
use super::output::Output;
use super::progress::Bar;
use super::question::Question;
use super::signals;

/// The command line and the terminal of one command.
pub(super) struct Context {
    pub(super) common: Common,
    pub(super) style: Style,
    pub(super) progress: Arc<Bar>,
    pub(super) question: Arc<Question>,
    interrupted: Arc<AtomicBool>,
    seed_is_partial: AtomicBool,
}

impl Context {
    pub(super) fn new(common: Common) -> Context {
        let style = common.style();
        let progress = Arc::new(Bar::new(&common));
        let interrupted = Arc::new(AtomicBool::new(false));
        let asking = (Arc::clone(&progress), Arc::clone(&interrupted));
        Context {
            style,
            question: Arc::new(Question::new(style, asking.0, asking.1)),
            progress,
            interrupted,
            seed_is_partial: AtomicBool::new(false),
            common,
        }
    }

    /// Checks the flags with each other and listens for signals. `only_looks`: whether the command
    /// writes nothing anyhow.
    pub(super) fn start(&self, only_looks: bool) -> Result<()> {
        if self.common.exit_code && !self.common.dry_run && !only_looks {
            return Err(usage("--exit-code goes with --dry-run only"));
        }
        signals::listen(&self.interrupted).context("signals cannot be handled")
    }

    /// The config that the flags name. Says what is doubtful in it.
    pub(super) fn config(&self) -> Result<Config> {
        let config = self.config_to_check()?;
        self.warn_of(&config);
        Ok(config)
    }

    /// Says what is doubtful in a config.
    pub(super) fn warn_of(&self, config: &Config) {
        for warning in &config.warnings {
            let (path, line) = (config.path.display(), warning.line);
            self.progress.warning(&format!("{path}:{line}: {}", warning.message));
        }
    }

    /// The config that the flags name, for who reports what is doubtful in it otherwise.
    pub(super) fn config_to_check(&self) -> Result<Config> {
        Ok(Config::load(&config::find(self.common.config.as_deref())?)?)
    }

    /// Who is told how far it is, and what stops it.
    pub(super) fn around(&self) -> Around {
        let progress = Arc::<Bar>::clone(&self.progress);
        Around { progress, interrupted: Arc::clone(&self.interrupted) }
    }

    /// What the engine works with.
    pub(super) fn session<'a>(&'a self, config: &'a Config) -> Session<'a> {
        self.session_with(config, self.common.options())
    }

    /// Like [`Context::session`], with options of the command's own.
    pub(super) fn session_with<'a>(&'a self, config: &'a Config, options: Options) -> Session<'a> {
        Session {
            config,
            options,
            progress: Arc::<Bar>::clone(&self.progress),
            interrupted: Arc::clone(&self.interrupted),
            confirm: None,
            seed_is_partial: &self.seed_is_partial,
            links_files: LinksFiles::default(),
            onlooker: Onlooker::default(),
        }
    }

    /// The exit code of a command, which may have made an inventory with a faulty seed.
    pub(super) fn with_seed(&self, exit: Exit) -> Exit {
        let is_partial = self.seed_is_partial.load(Ordering::Relaxed);
        if is_partial { exit.max(Exit::Partial) } else { exit }
    }

    /// Prints the runs of a pass as they end, and tells whoever else is to know of them.
    pub(super) fn report(
        &self,
        out: &mut Output,
        session: &Session<'_>,
        pass: impl FnOnce(engine::Sink<'_>) -> Result<Exit>,
    ) -> Result<Exit> {
        self.show(out, |sink| {
            pass(&mut |run| {
                self.repeat_error(run);
                sink(run)?;
                self.progress.log(&run.summary);
                if let Err(why) = engine::notify(session, run) {
                    self.progress.warning(&format!("{why:#}. The run itself is as reported"));
                }
                Ok(())
            })
        })
    }

    /// Prints runs that are over: their errors are results now.
    pub(super) fn show<R>(
        &self,
        out: &mut Output,
        runs: impl FnOnce(engine::Sink<'_>) -> Result<R>,
    ) -> Result<R> {
        let mut sink = report::sink(self.style, out);
        let mut is_begun = false;
        let result = runs(&mut |run: &RunReport<'_>| {
            is_begun = true;
            self.progress.end();
            self.progress.aside(|| sink.run(run))
        });
        // Who was interrupted before the first run, or said no, did not hear that there is nothing to
        // do.
        let is_cut = self.style.format == Format::Table
            && (self.interrupted.load(Ordering::Relaxed) || self.question.is_declined());
        if is_begun || (result.is_ok() && !is_cut) {
            sink.end()?;
        }
        result
    }

    /// Errors belong on stderr; the table of the run has them as well. Where both end on the same
    /// screen, once is enough.
    fn repeat_error(&self, run: &RunReport<'_>) {
        let is_on_screen = self.style.format == Format::Table
            && self.common.log_format == LogFormat::Text
            && !self.common.quiet
            && std::io::stdout().is_terminal()
            && std::io::stderr().is_terminal();
        if let Some(error) = run.summary.error.as_deref().filter(|_| !is_on_screen) {
            self.progress.error(error);
        }
    }

    /// Prints a listing. `rows` hands each record over, until it hears `false`: nobody reads on.
    pub(super) fn list<R>(
        &self,
        out: &mut Output,
        style: &Style,
        listing: Listing,
        rows: impl FnOnce(&mut dyn FnMut(&dyn Record) -> Result<bool>) -> Result<R>,
    ) -> Result<R> {
        let reader = out.reader();
        let mut records = Records::new(style, listing, out)?;
        let result = rows(&mut |record| {
            records.row(record)?;
            Ok(!reader.is_gone())
        })?;
        self.progress.end();
        records.end()?;
        Ok(result)
    }
}

/// An error of wrong usage: exit 2.
pub(super) fn usage(message: impl Into<String>) -> anyhow::Error {
    UsageError(message.into()).into()
}
