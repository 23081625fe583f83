//! `invsync presets`.

use std::borrow::Cow;
use std::io::{self, Write as _};

use anyhow::Result;
use clap::Args;

use super::context::{Context, usage};
use super::output::Output;
use crate::connector::feed::presets::{self, Preset};
use crate::model::Exit;
use crate::report::{Cells, Column, Listing, Object, Record};

/// Show the mappings of well-known feeds that a config can use by name
///
/// A preset stands in for the keys that an integration does not have itself: with
/// `preset = "heureka"` only `type`, `source` and the sections are left to write.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync presets                          all of them\n  \
    invsync presets iof                      what one stands for, as TOML")]
pub(super) struct Presets {
    /// The preset to print
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl Presets {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let Some(name) = self.name else { return list(context, out) };
        // A name without a form of its own fails here, and names those there are.
        presets::find(&name, None).map_err(usage)?;
        let forms = presets::PRESETS.iter().filter(|preset| preset.name == name);
        for (at, preset) in forms.enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            write!(out, "{}", preset.text)?;
        }
        Ok(Exit::Done)
    }
}

fn list(context: &Context, out: &mut Output) -> Result<Exit> {
    let columns = vec![Column::text("name"), Column::text("connector"), Column::name("about")];
    let listing = Listing { key: "presets", one: "preset", columns };
    context.list(out, &context.style, listing, |each| {
        for preset in &presets::PRESETS {
            if !each(&Shown(preset))? {
                break;
            }
        }
        Ok(Exit::Done)
    })
}

struct Shown(&'static Preset);

impl Record for Shown {
    fn fields(&self, object: &mut Object<'_>) -> io::Result<()> {
        object.field("name", &self.0.name)?;
        object.field("connector", &self.0.connector())?;
        object.field("about", &self.0.about())
    }

    fn cells(&self) -> Cells<'_> {
        [self.0.name, self.0.connector(), self.0.about()]
            .map(|text| Some(Cow::Borrowed(text)))
            .to_vec()
    }
}
