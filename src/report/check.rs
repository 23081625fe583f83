//! What `check` found, in every format.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::grid::{Grid, Tone};
use super::json::{Document, problem_item};
use super::table::{problem_cells, problem_columns, tone_of};
use super::words::count;
use super::{Format, Style, csv, escape, grid, markdown, records};
use crate::model::{Dialect, Problem, Section, Severity};

const COLUMNS: [&str; 7] = ["integration", "kind", "severity", "item_id", "sku", "line", "message"];

/// What was found in one integration, or in the config.
#[derive(Clone, Copy, Debug, Default)]
pub struct Findings<'a> {
    /// The integration's name; `None` for the config as a whole.
    pub integration: Option<&'a str>,
    /// Items delivered.
    pub items: u64,
    /// Items with a link.
    pub linked: u64,
    /// How its sources are written: the section that has one for itself, and what was found.
    pub sources: &'a [(Option<Section>, Dialect)],
    /// What is wrong.
    pub problems: &'a [Problem],
    /// What is doubtful in the config: problems that count as warnings whatever their kind.
    pub warnings: &'a [Problem],
    /// What kept the integration from being read.
    pub error: Option<&'a str>,
}

impl<'a> Findings<'a> {
    /// Everything found, with how much it matters.
    pub fn all(&self) -> impl Iterator<Item = (&'a Problem, Severity)> + use<'a> {
        let problems = self.problems.iter().map(|problem| (problem, problem.kind.severity()));
        problems.chain(self.warnings.iter().map(|problem| (problem, Severity::Warning)))
    }

    /// How its sources are written, a line each.
    pub fn dialects(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (section, dialect) in self.sources {
            let of = section.map_or(String::new(), |section| format!("{}: ", section.word()));
            lines.extend(described(&of, dialect));
            for (joined, n) in dialect.joined.iter().zip(1..) {
                lines.extend(described(&format!("{of}join {n}: "), joined));
            }
        }
        lines
    }

    /// How many of this severity.
    fn count(&self, wanted: Severity) -> u64 {
        self.all().filter(|(_, severity)| *severity == wanted).count() as u64
    }
}

/// Prints the findings.
pub fn check(style: &Style, findings: &[Findings<'_>], out: &mut dyn Write) -> io::Result<()> {
    match style.format {
        Format::Table => table(style, findings, out)?,
        Format::Json => json(findings, out)?,
        Format::Csv => {
            csv::line(out, false, COLUMNS)?;
            rows(findings, |cells| {
                csv::line(out, style.spreadsheet_safe, cells.iter().map(String::as_str))
            })?;
        }
        Format::Markdown => {
            markdown::header(out, COLUMNS)?;
            rows(findings, |cells| markdown::line(out, cells.iter().map(String::as_str)))?;
        }
    }
    out.flush()
}

fn json(findings: &[Findings<'_>], out: &mut dyn Write) -> io::Result<()> {
    let mut document = Document::new(out, "integrations");
    for found in findings {
        let mut object = document.item()?;
        object.field("integration", &found.integration)?;
        object.field("items", &found.items)?;
        object.field("linked", &found.linked)?;
        let mut problems = object.list("problems")?;
        for (problem, severity) in found.all() {
            problem_item(&mut problems, problem, severity)?;
        }
        problems.end()?;
        if found.integration.is_some() {
            object.field("sources", &found.sources.iter().map(source).collect::<Vec<_>>())?;
        }
        if let Some(error) = found.error {
            object.field("error", error)?;
        }
        object.end()?;
    }
    document.end()
}

/// A source, with keys as the config has them.
fn source((section, dialect): &(Option<Section>, Dialect)) -> Value {
    let detected = |dialect: &Dialect| {
        let options = dialect.options.iter().map(|(key, value)| ((*key).to_owned(), json!(value)));
        options.collect::<Map<_, _>>()
    };
    let joined =
        |joined: &Dialect| json!({ "connector": joined.connector, "detected": detected(joined) });
    json!({
        "section": section.map(Section::word),
        "connector": dialect.connector,
        "detected": detected(dialect),
        "joined": dialect.joined.iter().map(joined).collect::<Vec<_>>(),
    })
}

/// `csv: delimiter ";", encoding utf-8, header_row 1`
fn described(of: &str, dialect: &Dialect) -> Option<String> {
    if dialect.connector.is_empty() {
        return None;
    }
    let option = |(key, value): &(&str, String)| match *key {
        "delimiter" | "quote" | "escape" | "comment" | "sheet" => format!("{key} \"{value}\""),
        _ => format!("{key} {value}"),
    };
    let options: Vec<_> = dialect.options.iter().map(option).collect();
    let connector = dialect.connector;
    Some(escape::shown(&format!("{of}{connector}: {}", options.join(", "))).into_owned())
}

fn rows(
    findings: &[Findings<'_>],
    mut each: impl FnMut(&[String]) -> io::Result<()>,
) -> io::Result<()> {
    for found in findings {
        for (problem, severity) in found.all() {
            each(&[
                found.integration.unwrap_or_default().to_owned(),
                problem.kind.word().to_owned(),
                severity.word().to_owned(),
                problem.item_id.clone().unwrap_or_default(),
                problem.sku.clone().unwrap_or_default(),
                problem.line.map(|line| line.to_string()).unwrap_or_default(),
                problem.message.clone(),
            ])?;
        }
    }
    Ok(())
}

fn table(style: &Style, findings: &[Findings<'_>], out: &mut dyn Write) -> io::Result<()> {
    for (at, found) in findings.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        integration(style, found, out)?;
    }
    if findings.is_empty() {
        writeln!(out, "nothing to check")?;
    }
    Ok(())
}

fn integration(style: &Style, found: &Findings<'_>, out: &mut dyn Write) -> io::Result<()> {
    let name = found.integration.unwrap_or("config");
    writeln!(out, "{}", grid::bold(name, style))?;
    for line in found.dialects() {
        writeln!(out, "found {line}")?;
    }
    let limit = style.limit.unwrap_or(usize::MAX);
    let mut grid = Grid::new(style, problem_columns());
    let errors_first = [Severity::Error, Severity::Warning];
    let sorted = errors_first.into_iter().flat_map(|s| found.all().filter(move |(_, t)| *t == s));
    for (problem, severity) in sorted.take(limit) {
        grid.push(out, tone_of(severity), problem_cells(problem))?;
    }
    grid.flush(out)?;
    let (errors, warnings) = (found.count(Severity::Error), found.count(Severity::Warning));
    if let Some(line) = records::more(style, errors + warnings) {
        writeln!(out, "{line}")?;
    }
    if let Some(error) = found.error {
        let text = format!("error: {}", escape::shown_lines(error));
        writeln!(out, "{}", Tone::Error.paint(&text, style))?;
    }
    let read = match found.integration {
        Some(_) => format!("{} items, {} linked · ", count(found.items), count(found.linked)),
        None => String::new(),
    };
    writeln!(out, "check {name}: {read}{} errors, {} warnings", count(errors), count(warnings))
}
