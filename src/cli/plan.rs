//! `invsync plan`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;

use super::context::{Context, usage};
use super::output::Output;
use super::select;
use crate::around::Progress as _;
use crate::config::Integration;
use crate::engine::{self, NewPlan, Options};
use crate::model::{Command, Direction, Exit, Section};
use crate::whole;

/// Save what a pull or push would do, to look at and to apply later
///
/// Plans as a dry run does, shows the same table, and writes the plan to a file. `invsync apply`
/// does exactly that, or nothing where something it saw has changed since. --only, --sku and
/// --allow are kept in the plan.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync plan store-a -o plan.json            look at it, then\n  \
    invsync apply plan.json                      do exactly that\n  \
    invsync plan store-a --push -o plan.json     of a store with both directions\n  \
    invsync plan store-a -o - | jq .guards       only the file, on standard output")]
pub(super) struct Plan {
    /// The integration
    #[arg(value_name = "NAME")]
    name: String,

    /// Plan the pull: needed only where there is a push as well
    #[arg(long, conflicts_with = "push")]
    pull: bool,

    /// Plan the push: needed only where there is a pull as well
    #[arg(long)]
    push: bool,

    /// Where the plan goes; `-`: standard output, without the table
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Plan {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let integration = select::one(&config, &self.name)?;
        let command = self.command(integration, context.common.only())?;
        let options = Options { dry_run: true, ..context.common.options() };
        let session = context.session_with(&config, options);
        if self.output == Path::new("-") {
            let (exit, plan) = engine::plan(&session, integration, command, &mut |run| {
                run.summary.error.iter().for_each(|error| context.progress.error(error));
                Ok(())
            })?;
            if let Some(plan) = plan {
                plan.write(out)?;
            }
            return Ok(exit);
        }
        let mut plan = None;
        let exit = context.report(out, &session, |sink| {
            let (exit, made) = engine::plan(&session, integration, command, sink)?;
            plan = made;
            Ok(exit)
        })?;
        match plan {
            Some(_) if context.common.dry_run => {
                context.progress.note("dry run: the plan was not saved");
            }
            Some(plan) => self.save(context, plan)?,
            None => {}
        }
        Ok(exit)
    }

    fn save(&self, context: &Context, plan: NewPlan) -> Result<()> {
        let file = self.output.display();
        whole::write(&self.output, |out| plan.write(out))
            .with_context(|| format!("the plan cannot be written to {file}"))?;
        context.progress.note(&format!("saved the plan; `invsync apply {file}` does exactly this"));
        Ok(())
    }

    /// The direction that was asked for, or the only one that there is.
    fn command(&self, integration: &Integration, only: Option<Section>) -> Result<Command> {
        let has = |direction: Direction| {
            let mut sections = integration.sections(direction);
            sections.any(|(section, _)| only.is_none_or(|only| only == section))
        };
        let (pull, push) = (has(Direction::Download), has(Direction::Send));
        match (self.pull, self.push, pull, push) {
            (true, _, true, _) | (false, false, true, false) => Ok(Command::Pull),
            (_, true, _, true) | (false, false, false, true) => Ok(Command::Push),
            (false, false, true, true) => Err(usage(format!(
                "`{}` has a pull and a push: say --pull or --push, one plan for each",
                self.name
            ))),
            _ => {
                let wanted = if self.push { Direction::Send } else { Direction::Download };
                let wanted = if self.pull || self.push {
                    vec![wanted]
                } else {
                    vec![Direction::Download, Direction::Send]
                };
                Err(usage(select::lacks_section(&self.name, &wanted, only)))
            }
        }
    }
}
