//! What `check` found, in the formats that every command has. What is made for the pages of other
//! programs stands in [`annotate`](super::annotate).

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::grid::{Fit, Grid, GridColumn, Tone};
use super::json::{Document, Object};
use super::table::tone_of;
use super::words::count;
use super::{Format, Style, csv, escape, grid, markdown, records};
use crate::model::{Dialect, Finding, Section, Severity};

const COLUMNS: [&str; 10] = [
    "integration",
    "kind",
    "severity",
    "item_id",
    "sku",
    "line",
    "message",
    "file",
    "config_line",
    "accepted",
];
const COUNT_COLUMNS: [&str; 6] =
    ["integration", "items", "linked", "errors", "warnings", "accepted"];
const FINDING_COLUMNS: [&str; 7] =
    ["integration", "severity", "problem", "item", "SKU", "where", "message"];

/// What `check` found in all that it looked at.
#[derive(Clone, Copy, Debug)]
pub struct CheckReport<'a> {
    /// The config, as messages name it.
    pub config: &'a str,
    /// Whether warnings count as errors do.
    pub strict: bool,
    /// One for each integration, and one for the config itself where something is to be said of it.
    pub all: &'a [Findings<'a>],
}

/// What was found in one integration, or in the config.
#[derive(Clone, Copy, Debug, Default)]
pub struct Findings<'a> {
    /// The integration's name; `None` for the config as a whole.
    pub integration: Option<&'a str>,
    /// The line of its table in the config; 0: the whole file.
    pub config_line: u64,
    /// Items delivered.
    pub items: u64,
    /// Items with a link.
    pub linked: u64,
    /// How its sources are written: the section that has one for itself, and what was found.
    pub sources: &'a [(Option<Section>, Dialect)],
    /// Whether a source of it was not read, because nobody was to be contacted.
    pub is_skipped: bool,
    /// What was found.
    pub findings: &'a [Finding],
    /// What kept the integration from being read.
    pub error: Option<&'a str>,
}

impl<'a> Findings<'a> {
    /// What to call it.
    pub(super) fn name(&self) -> &'a str {
        self.integration.unwrap_or("config")
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

    /// Everything found: errors, then warnings, then what is accepted.
    pub(super) fn sorted(&self) -> impl Iterator<Item = &'a Finding> + use<'a> {
        let findings = self.findings;
        [Some(Severity::Error), Some(Severity::Warning), None]
            .into_iter()
            .flat_map(move |wanted| findings.iter().filter(move |found| standing(found) == wanted))
    }

    fn count(&self, wanted: Option<Severity>) -> u64 {
        self.findings.iter().filter(|found| standing(found) == wanted).count() as u64
    }

    /// `2 errors, 3 warnings, 1 accepted`.
    pub(super) fn counts(&self) -> String {
        let counts = [Some(Severity::Error), Some(Severity::Warning), None];
        counts_in_words(counts.map(|wanted| self.count(wanted)))
    }
}

/// How much a finding matters; `None`: it is accepted.
fn standing(found: &Finding) -> Option<Severity> {
    Some(found.severity).filter(|_| found.problem.accepted.is_none())
}

fn counts_in_words([errors, warnings, accepted]: [u64; 3]) -> String {
    let words = format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"));
    if accepted == 0 { words } else { format!("{words}, {} accepted", count(accepted)) }
}

fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

impl CheckReport<'_> {
    /// Where a problem stands: `links/store-a.csv:7`; where nobody knows better, in the config.
    fn place_of(&self, found: &Finding) -> String {
        let problem = &found.problem;
        match (&problem.file, problem.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (None, Some(line)) => format!("line {line}"),
            (Some(file), None) => file.clone(),
            (None, None) if found.config_line == 0 => self.config.to_owned(),
            (None, None) => format!("{}:{}", self.config, found.config_line),
        }
    }
}

/// Prints the findings.
pub fn check(style: &Style, report: &CheckReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    match style.format {
        Format::Table => table(style, report, out)?,
        Format::Json => json(report, out)?,
        Format::Csv => rows(style, report, out)?,
        Format::Markdown => comment(style, report, out)?,
    }
    out.flush()
}

fn json(report: &CheckReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut document = Document::new(out, "integrations");
    for found in report.all {
        let mut object = document.item()?;
        object.field("integration", &found.integration)?;
        object.field("items", &found.items)?;
        object.field("linked", &found.linked)?;
        let mut problems = object.list("problems")?;
        for found in found.findings {
            problem(&mut problems, found)?;
        }
        problems.end()?;
        if found.integration.is_some() {
            object.field("sources", &found.sources.iter().map(source).collect::<Vec<_>>())?;
        }
        object.field("skipped", &found.is_skipped)?;
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

fn problem(list: &mut Object<'_>, found: &Finding) -> io::Result<()> {
    let problem = &found.problem;
    let mut object = list.item()?;
    object.field("kind", problem.kind.word())?;
    object.field("severity", found.severity.word())?;
    object.field("item_id", &problem.item_id)?;
    object.field("sku", &problem.sku)?;
    object.field("line", &problem.line)?;
    object.field("message", &problem.message)?;
    object.field("file", &problem.file)?;
    object.field("config_line", &Some(found.config_line).filter(|line| *line > 0))?;
    object.field("accepted", &problem.accepted)?;
    object.end()
}

fn rows(style: &Style, report: &CheckReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    csv::line(out, false, COLUMNS)?;
    let number = |line: Option<u64>| line.map(|line| line.to_string()).unwrap_or_default();
    for of in report.all {
        for found in of.findings {
            let problem = &found.problem;
            let text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
            let cells = [
                of.integration.unwrap_or_default().to_owned(),
                problem.kind.word().to_owned(),
                found.severity.word().to_owned(),
                text(&problem.item_id),
                text(&problem.sku),
                number(problem.line),
                problem.message.clone(),
                text(&problem.file),
                number(Some(found.config_line).filter(|line| *line > 0)),
                text(&problem.accepted),
            ];
            csv::line(out, style.spreadsheet_safe, cells.iter().map(String::as_str))?;
        }
    }
    Ok(())
}

/// A comment of a pull request: counts, then what was found, as much as the limit allows.
fn comment(style: &Style, report: &CheckReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let totals = [Some(Severity::Error), Some(Severity::Warning), None]
        .map(|wanted| report.all.iter().map(|found| found.count(wanted)).sum());
    writeln!(out, "### invsync check: {}\n", counts_in_words(totals))?;
    if report.all.is_empty() {
        return writeln!(out, "nothing to check");
    }
    markdown::header(out, COUNT_COLUMNS)?;
    for found in report.all {
        let read = |number| if found.integration.is_some() { count(number) } else { String::new() };
        let (errors, warnings, accepted) = (
            count(found.count(Some(Severity::Error))),
            count(found.count(Some(Severity::Warning))),
            count(found.count(None)),
        );
        let (items, linked) = (read(found.items), read(found.linked));
        let cells = [found.name(), &items, &linked, &errors, &warnings, &accepted];
        markdown::line(out, cells)?;
    }
    for found in report.all {
        if let Some(error) = found.error {
            writeln!(out, "\nerror: {}", escape::markdown(error))?;
        } else if found.is_skipped {
            writeln!(out, "\n**{}** was not read in full: nobody was contacted.", found.name())?;
        }
    }
    findings(style, report, out)
}

fn findings(style: &Style, report: &CheckReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let all = || report.all.iter().flat_map(|of| of.sorted().map(move |found| (of, found)));
    let total = all().count() as u64;
    if total == 0 {
        return Ok(());
    }
    writeln!(out)?;
    markdown::header(out, FINDING_COLUMNS)?;
    // What went wrong must not hide behind the limit.
    let mut sorted: Vec<_> = all().collect();
    sorted.sort_by_key(|(_, found)| std::cmp::Reverse(standing(found)));
    for (of, found) in sorted.into_iter().take(style.limit.unwrap_or(usize::MAX)) {
        let problem = &found.problem;
        let severity = standing(found).map_or("accepted", Severity::word);
        markdown::line(
            out,
            [
                of.name(),
                severity,
                problem.kind.word(),
                problem.item_id.as_deref().unwrap_or_default(),
                problem.sku.as_deref().unwrap_or_default(),
                &report.place_of(found),
                &problem.words(),
            ],
        )?;
    }
    match records::more(style, total) {
        Some(line) => writeln!(out, "\n{line}"),
        None => Ok(()),
    }
}

fn table(style: &Style, report: &CheckReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    for (at, found) in report.all.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        integration(style, report, found, out)?;
    }
    if report.all.is_empty() {
        writeln!(out, "nothing to check")?;
    }
    Ok(())
}

fn integration(
    style: &Style,
    report: &CheckReport<'_>,
    of: &Findings<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = of.name();
    writeln!(out, "{}", grid::bold(name, style))?;
    for line in of.dialects() {
        writeln!(out, "found {line}")?;
    }
    let limit = style.limit.unwrap_or(usize::MAX);
    let mut grid = Grid::new(style, grid_columns());
    for found in of.sorted().take(limit) {
        let tone = tone_of(&found.problem, found.severity);
        grid.push(out, tone, grid_cells(report, found))?;
    }
    grid.flush(out)?;
    if let Some(line) = records::more(style, of.findings.len() as u64) {
        writeln!(out, "{line}")?;
    }
    if let Some(error) = of.error {
        let text = format!("error: {}", escape::shown_lines(error));
        writeln!(out, "{}", Tone::Error.paint(&text, style))?;
    }
    let read = match of.integration {
        None => String::new(),
        Some(_) if of.is_skipped && of.items == 0 => String::from("not read (--offline) · "),
        Some(_) => {
            let part = if of.is_skipped { " (in part: --offline)" } else { "" };
            format!("{} items{part}, {} linked · ", count(of.items), count(of.linked))
        }
    };
    writeln!(out, "check {name}: {read}{}", of.counts())
}

fn grid_columns() -> Vec<GridColumn> {
    vec![
        GridColumn::text("problem", 9).fitting(Fit::Never),
        GridColumn::text("item", 0).optional(),
        GridColumn::text("SKU", 1).optional(),
        GridColumn::text("where", 7).fitting(Fit::Never),
        GridColumn::text("message", 8).fitting(Fit::Wrap),
    ]
}

/// Columns that a place may take in a table.
const PLACE_WIDTH: usize = 32;

/// A place, of a long one the end: that has the file's name and the line.
fn end_of(place: &str) -> String {
    let length = place.chars().count();
    if length <= PLACE_WIDTH {
        return place.to_owned();
    }
    let kept: String = place.chars().skip(length + 1 - PLACE_WIDTH).collect();
    format!("…{kept}")
}

fn grid_cells(report: &CheckReport<'_>, found: &Finding) -> Vec<String> {
    let problem = &found.problem;
    vec![
        problem.kind.word().to_owned(),
        escape::shown_cell(problem.item_id.as_deref()),
        escape::shown_cell(problem.sku.as_deref()),
        end_of(&escape::shown(&report.place_of(found))),
        escape::shown(&problem.words()).into_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn a_long_place_keeps_its_file_and_line() {
        assert_eq!(end_of("links/store-a.csv:7"), "links/store-a.csv:7");
        let long = end_of("/srv/shops/north/feeds/wholesaler-b.xml:1204");
        assert_eq!(long, "…rth/feeds/wholesaler-b.xml:1204");
        assert_eq!(long.chars().count(), 32);
    }
}
