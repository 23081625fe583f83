//! `invsync schedule`.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Args;

use super::context::{Context, usage};
use super::output::Output;
use crate::around::Progress as _;
use crate::engine;
use crate::model::Exit;
use crate::report::{self, Invocation};

/// Print what makes this machine run what is due: a crontab line, or systemd units
///
/// It runs `sync --all --due --quiet` often enough for every `every` in the config. Where nothing
/// is due that takes a few milliseconds.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    (crontab -l; invsync schedule) | crontab -    add it to your crontab\n  \
    invsync schedule --systemd                    look at the units\n  \
    invsync schedule --systemd | sudo sh          write them and start the timer")]
pub(super) struct Schedule {
    /// Units for systemd, with the commands that install them
    #[arg(long)]
    systemd: bool,
}

impl Schedule {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let schedule = engine::schedule(&config)?;
        let program = std::env::current_exe().context("the path of this program is not known")?;
        let folder = std::path::absolute(Path::new(".").join(&config.folder))?;
        let invocation = Invocation {
            program: one_line(&program)?,
            config: one_line(&std::path::absolute(&config.path)?)?,
            folder: one_line(&folder)?,
            user: user(),
        };
        if self.systemd {
            report::systemd_units(&schedule, &invocation, out)?;
            return Ok(Exit::Done);
        }
        if !schedule.below_a_minute.is_empty() {
            context.progress.note(&format!(
                "cron looks once a minute: the `every` of {} is shorter. `invsync schedule \
                 --systemd` can follow it",
                schedule.below_a_minute.join(", ")
            ));
        }
        report::crontab(&schedule, &invocation, out)?;
        Ok(Exit::Done)
    }
}

/// A path as it can stand in one line of a file.
fn one_line(path: &Path) -> Result<String> {
    match path.to_str() {
        Some(text) if !text.contains(['\n', '\r']) => Ok(text.to_owned()),
        _ => Err(usage(format!(
            "{} cannot stand in a crontab or a unit: its name is no UTF-8, or has line breaks in \
             it. Rename it",
            path.display()
        ))),
    }
}

/// The name of who runs this, else their number: systemd takes both.
#[cfg(target_os = "linux")]
fn user() -> Option<String> {
    let id = rustix::process::getuid().as_raw().to_string();
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = known.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(&id)).then(|| name.to_owned())
    });
    Some(name.unwrap_or(id))
}

#[cfg(not(target_os = "linux"))]
fn user() -> Option<String> {
    None
}
