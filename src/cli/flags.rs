//! The flags that every command shares.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};

use crate::engine::Options;
use crate::model::{Guard, Section};
use crate::report::{self, Annotation, Style};
use crate::settings::{nearest, parse_duration};

/// Common flags, before or after the command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Common flags")]
pub(super) struct Common {
    /// The config; else $INVSYNC_CONFIG, else ./invsync.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,

    /// Show what would change and write nothing anywhere
    #[arg(long, global = true)]
    pub(super) dry_run: bool,

    /// With --dry-run: exit 10 where there are differences
    #[arg(long, global = true)]
    pub(super) exit_code: bool,

    /// Only this section
    #[arg(long, global = true, value_enum, value_name = "SECTION")]
    pub(super) only: Option<Only>,

    /// Only this product (repeatable); what is absent then means nothing
    #[arg(long = "sku", global = true, action = ArgAction::Append, value_name = "SKU")]
    pub(super) skus: Vec<String>,

    /// Accept a guard for this run (repeatable), or `all`
    #[arg(
        long,
        global = true,
        action = ArgAction::Append,
        value_name = "GUARD",
        value_parser = allowed
    )]
    pub(super) allow: Vec<Allowed>,

    /// How long to wait for another run to end: 30s, 5m
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        default_value = "0",
        hide_default_value = true,
        value_parser = duration
    )]
    pub(super) wait: Duration,

    /// Rows shown in a table; 0: all
    #[arg(long, global = true, value_name = "N", default_value_t = 50)]
    pub(super) limit: usize,

    /// Print nothing at all when the exit code is 0
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,

    /// Show more, such as item ids, and a line for each run
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,

    /// How messages on stderr are printed; json: one object a line, with one for each run
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub(super) log_format: LogFormat,

    /// When tables are coloured; NO_COLOR turns `auto` off
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(super) color: Color,

    /// CSV for eyes: cells that a spreadsheet would run as a formula get a leading '
    #[arg(long, global = true)]
    pub(super) spreadsheet_safe: bool,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
    Csv,
    Markdown,
    /// Of `check`: annotations of GitHub Actions
    Github,
    /// Of `check`: JUnit's XML
    Junit,
    /// Of `check`: SARIF 2.1.0
    Sarif,
    /// Only of `status`
    Prometheus,
}

impl Format {
    /// The word of the command line.
    pub(super) fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// How messages on stderr are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

/// One of an integration's sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Only {
    Stock,
    Prices,
}

/// When tables are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

/// The value of `--allow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    All,
    One(Guard),
}

fn allowed(text: &str) -> Result<Allowed, String> {
    if text == "all" {
        return Ok(Allowed::All);
    }
    Guard::from_word(text).map(Allowed::One).ok_or_else(|| {
        let known = Guard::ALL.map(Guard::word).join(", ");
        match nearest(text, Guard::ALL.map(Guard::word).into_iter()) {
            Some(near) => format!("did you mean `{near}`? The guards are {known}, or `all`"),
            None => format!("there is no guard of that name; the guards are {known}, or `all`"),
        }
    })
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    if text == "0" { Ok(Duration::ZERO) } else { parse_duration(text) }
}

impl Common {
    /// What the engine is told.
    pub(super) fn options(&self) -> Options {
        let allow = self.allow.iter().flat_map(|allowed| match allowed {
            Allowed::All => Guard::ALL.to_vec(),
            Allowed::One(guard) => vec![*guard],
        });
        Options {
            dry_run: self.dry_run,
            exit_code: self.exit_code,
            only: self.only(),
            skus: self.skus.clone(),
            allow: allow.collect(),
            wait: self.wait,
            ..Options::default()
        }
    }

    /// The section of `--only`.
    pub(super) fn only(&self) -> Option<Section> {
        self.only.map(|only| match only {
            Only::Stock => Section::Stock,
            Only::Prices => Section::Prices,
        })
    }

    /// The format that only `check` has, if it is one.
    pub(super) fn annotation(&self) -> Option<Annotation> {
        match self.format {
            Format::Github => Some(Annotation::Github),
            Format::Junit => Some(Annotation::Junit),
            Format::Sarif => Some(Annotation::Sarif),
            Format::Table | Format::Json | Format::Csv | Format::Markdown | Format::Prometheus => {
                None
            }
        }
    }

    /// How results look on this standard output.
    pub(super) fn style(&self) -> Style {
        let is_terminal = std::io::stdout().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Style {
            format: match self.format {
                Format::Json => report::Format::Json,
                Format::Csv => report::Format::Csv,
                Format::Markdown => report::Format::Markdown,
                // What only some commands have is theirs to print.
                Format::Table
                | Format::Github
                | Format::Junit
                | Format::Sarif
                | Format::Prometheus => report::Format::Table,
            },
            limit: Some(self.limit).filter(|limit| *limit > 0),
            color: match self.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => is_terminal && !no_color,
            },
            width: if is_terminal { terminal_width() } else { None },
            spreadsheet_safe: self.spreadsheet_safe,
            verbose: self.verbose,
        }
    }
}

/// The terminal's own word, or what the shell says of it.
fn terminal_width() -> Option<usize> {
    let own = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let told = || std::env::var("COLUMNS").ok()?.parse().ok();
    own.or_else(told).filter(|width| *width > 0)
}
