//! The command line: one file a command, each with its flags, its help and a short `run`. What a
//! command does is decided in the engine, how it looks in the report.

mod apply;
mod check;
mod completions;
mod context;
mod explain;
mod flags;
mod history;
mod init;
mod inventory;
mod jobs;
mod link;
mod list;
mod man;
mod map;
mod output;
mod plan;
mod presets;
mod progress;
mod pull;
mod push;
mod question;
mod report;
mod runs;
mod schedule;
mod schema;
mod select;
mod signals;
mod status;
mod sync;
mod undo;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::config::{ConfigErrors, FindError};
use crate::engine::{self, UsageError};
use crate::model::Exit;

use context::Context;
use flags::{Common, Format};
use output::Output;

/// Keeps stock and prices right between a shop's stores and wholesalers and its own inventory.
#[derive(Debug, Parser)]
#[command(
    name = "invsync",
    version,
    about,
    after_help = "Examples:\n  \
        invsync init                       a config and an empty inventory\n  \
        invsync pull store-a --dry-run     show what a pull would change\n  \
        invsync sync --all --due --quiet   for cron: speaks only when it must\n\n\
        Exit codes: 0 done, 1 failed, 2 wrong usage or config, 3 partial,\n\
        4 a guard struck, 5 check found errors, 6 locked, 7 try later, 8 credentials\n\
        rejected, 9 overdue (status), 10 differences (--dry-run --exit-code),\n\
        130 interrupted."
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Pull(pull::Pull),
    Push(push::Push),
    Sync(sync::Sync),
    Plan(plan::Plan),
    Apply(apply::Apply),
    Check(check::Check),
    List(list::List),
    Map(map::Map),
    Link(link::Link),
    Inventory(inventory::Inventory),
    Status(status::Status),
    Runs(runs::Runs),
    Report(report::Report),
    Undo(undo::Undo),
    History(history::History),
    Explain(explain::Explain),
    Schedule(schedule::Schedule),
    Presets(presets::Presets),
    Completions(completions::Completions),
    Man(man::Man),
    Schema(schema::Schema),
}

impl Command {
    /// Which formats only some commands have. The error is one of usage.
    fn check_format(&self, format: Format) -> Result<()> {
        let (whose, is_its) = match format {
            Format::Github | Format::Junit | Format::Sarif => {
                ("check", matches!(self, Command::Check(_)))
            }
            Format::Prometheus => ("status", matches!(self, Command::Status(_))),
            Format::Table | Format::Json | Format::Csv | Format::Markdown => return Ok(()),
        };
        if is_its {
            return Ok(());
        }
        let word = format.word();
        Err(context::usage(format!(
            "--format {word} goes with `{whose}` only; here it is table, json, csv or markdown"
        )))
    }

    /// Whether it writes nothing anywhere, with `--dry-run` or without.
    fn only_looks(&self) -> bool {
        matches!(self, Command::Link(link) if link.only_looks())
    }

    fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        match self {
            Command::Init(command) => command.run(context, out),
            Command::Pull(command) => command.run(context, out),
            Command::Push(command) => command.run(context, out),
            Command::Sync(command) => command.run(context, out),
            Command::Plan(command) => command.run(context, out),
            Command::Apply(command) => command.run(context, out),
            Command::Check(command) => command.run(context, out),
            Command::List(command) => command.run(context, out),
            Command::Map(command) => command.run(context, out),
            Command::Link(command) => command.run(context, out),
            Command::Inventory(command) => command.run(context, out),
            Command::Status(command) => command.run(context, out),
            Command::Runs(command) => command.run(context, out),
            Command::Report(command) => command.run(context, out),
            Command::Undo(command) => command.run(context, out),
            Command::History(command) => command.run(context, out),
            Command::Explain(command) => command.run(context, out),
            Command::Schedule(command) => command.run(context, out),
            Command::Presets(command) => command.run(context, out),
            Command::Completions(command) => command.run(out),
            Command::Man(command) => command.run(out),
            Command::Schema(command) => command.run(out),
        }
    }
}

/// Runs the command that the process's arguments ask for.
pub fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => ExitCode::from(run(cli).code()),
        Err(error) => ExitCode::from(explain(&error)),
    }
}

/// Prints the help that was asked for, or what is wrong with the arguments.
fn explain(error: &clap::Error) -> u8 {
    let code = u8::try_from(error.exit_code()).unwrap_or(Exit::Usage.code());
    if code != 0 && wants_json_log(std::env::args_os()) {
        progress::usage_error(&error.to_string());
        return code;
    }
    match error.print() {
        Err(failed) if code == 0 && failed.kind() != ErrorKind::BrokenPipe => Exit::Failed.code(),
        _ => code,
    }
}

/// Whether arguments that cannot be read ask for messages as JSON.
fn wants_json_log(arguments: impl Iterator<Item = OsString>) -> bool {
    let mut before = OsString::new();
    for argument in arguments {
        if argument == "--log-format=json" || (before == "--log-format" && argument == "json") {
            return true;
        }
        before = argument;
    }
    false
}

fn run(cli: Cli) -> Exit {
    let context = Context::new(cli.common);
    let mut out = Output::stdout(context.common.quiet);
    let result = context
        .start(cli.command.only_looks())
        .and_then(|()| cli.command.check_format(context.common.format))
        .and_then(|()| cli.command.run(&context, &mut out));
    let result = result.map(|exit| context.with_seed(exit));
    let mut exit = result.unwrap_or_else(|error| {
        context.progress.error(&format!("{error:#}"));
        exit_of(&error)
    });
    if let Err(error) = out.finish(exit) {
        context.progress.error(&format!("the results could not be printed: {error}"));
        exit = if exit == Exit::Done { Exit::Failed } else { exit };
    }
    context.progress.finish(exit);
    exit
}

fn exit_of(error: &anyhow::Error) -> Exit {
    let is_usage = error.is::<UsageError>();
    let is_config = error.is::<ConfigErrors>() || error.is::<FindError>();
    if is_usage || is_config { Exit::Usage } else { engine::exit_of(error) }
}

#[cfg(test)]
mod tests;
