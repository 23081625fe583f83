//! The table for people: per integration and section who is superior and what changes, then what
//! is wrong, which guards struck, and one line with the counts.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::Result;

use super::grid::{Fit, Grid, GridColumn, Tone, bold};
use super::records::more;
use super::words::{count, difference, elapsed, value};
use super::{RunReport, Sink, Style, escape};
use crate::model::{
    ChangeRow, ChangeStatus, Command, Guard, GuardVerdict, Problem, ProblemKind, RunStatus,
    RunSummary, Section, SectionHeading, Severity,
};

/// Prints each run as it ends.
pub(super) struct Table<'o> {
    style: Style,
    out: &'o mut (dyn Write + Send),
    runs: u64,
}

impl<'o> Table<'o> {
    pub(super) fn new(style: Style, out: &'o mut (dyn Write + Send)) -> Self {
        Table { style, out, runs: 0 }
    }
}

impl Sink for Table<'_> {
    fn run(&mut self, report: &RunReport<'_>) -> Result<()> {
        if self.runs > 0 {
            writeln!(self.out)?;
        }
        self.runs += 1;
        for section in [Section::Stock, Section::Prices, Section::Links] {
            self.tables(report, section)?;
        }
        self.problems(report)?;
        self.guards(&report.summary)?;
        if let Some(error) = &report.summary.error {
            let text = format!("error: {}", escape::shown_lines(error));
            writeln!(self.out, "{}", Tone::Error.paint(&text, &self.style))?;
        }
        writeln!(self.out, "{}", last_line(&report.summary))?;
        if report.summary.dry_run {
            writeln!(self.out, "dry run: nothing was written")?;
        }
        Ok(self.out.flush()?)
    }

    fn end(&mut self) -> Result<()> {
        if self.runs == 0 {
            writeln!(self.out, "nothing to do")?;
        }
        Ok(self.out.flush()?)
    }
}

impl Table<'_> {
    /// What a run would do, before anybody has agreed to it.
    pub(super) fn preview(&mut self, plan: &RunReport<'_>) -> Result<()> {
        for section in Section::ALL {
            self.tables(plan, section)?;
        }
        self.problems(plan)?;
        Ok(self.guards(&plan.summary)?)
    }

    /// The tables of a section.
    fn tables(&mut self, report: &RunReport<'_>, section: Section) -> Result<()> {
        let headings = shown_headings(&report.summary, section);
        headings.into_iter().try_for_each(|heading| self.section(report, section, heading))
    }

    /// The heading and the rows of one section, of a pass in one place.
    fn section(
        &mut self,
        report: &RunReport<'_>,
        section: Section,
        heading: Option<&SectionHeading>,
    ) -> Result<()> {
        let run = &report.summary;
        let mut total: u64 = 0;
        let style = self.style;
        let limit = style.limit.map_or(u64::MAX, |limit| limit as u64);
        let grid_of_section = || Grid::new(&style, change_columns(run, section, style.verbose));
        let (mut grid, mut others, mut extra) = (grid_of_section(), grid_of_section(), 0);
        // What went wrong must not hide behind the limit.
        let has_wrong = run.refused + run.held_back > 0 || run.status != RunStatus::Ok;
        let out = &mut *self.out;
        let is_elsewhere = |change: &ChangeRow<'_>| {
            is_pass(run.command)
                && heading.is_some_and(|heading| change.place != Some(heading.place.as_str()))
        };
        report.changes.each_of(section, &mut |change| {
            if is_elsewhere(change) {
                return Ok(true);
            }
            if total == 0 {
                let title = title(run, section, heading, change.place);
                writeln!(out, "{}", bold(&title, &style))?;
            }
            total += 1;
            if total > limit {
                if is_wrong(change.status) && extra < limit {
                    others.push(out, tone(change.status), change_cells(change))?;
                    extra += 1;
                }
                return Ok(has_wrong);
            }
            grid.push(out, tone(change.status), change_cells(change))?;
            Ok(true)
        })?;
        grid.flush(self.out)?;
        if total > limit {
            total = match headings(run, section).count() {
                0 | 1 => report.changes.count_of(section)?,
                _ => count_where(report, section, |change| !is_elsewhere(change))?,
            };
        }
        if let Some(line) = more(&self.style, total) {
            writeln!(self.out, "{line}")?;
        }
        if extra > 0 {
            writeln!(self.out, "among them, not applied:")?;
            others.flush(self.out)?;
        }
        if total == 0 {
            return Ok(self.empty_section(run, section, heading)?);
        }
        Ok(writeln!(self.out)?)
    }

    /// The heading of a section without changes, where the run got as far as to know that.
    fn empty_section(
        &mut self,
        run: &RunSummary,
        section: Section,
        heading: Option<&SectionHeading>,
    ) -> io::Result<()> {
        let words = match run.status {
            RunStatus::Ok | RunStatus::Partial | RunStatus::Blocked => "nothing to change",
            RunStatus::Unchanged => "nothing to change: the source has nothing new",
            _ => return Ok(()),
        };
        let is_links = section == Section::Links && run.command == Command::Link;
        if heading.is_some() || is_links {
            let title = title(run, section, heading, None);
            writeln!(self.out, "{}\n{words}\n", bold(&title, &self.style))?;
        }
        Ok(())
    }

    /// The problems by kind, errors first.
    fn problems(&mut self, report: &RunReport<'_>) -> Result<()> {
        if report.problems.count() == 0 {
            return Ok(());
        }
        let kinds = count_kinds(report)?;
        let words: Vec<_> =
            kinds.iter().map(|((_, kind), n)| format!("{} {}", count(*n), kind.word())).collect();
        let title = format!("problems: {}", words.join(", "));
        writeln!(self.out, "{}", bold(&title, &self.style))?;
        self.problem_rows(report, kinds.keys().map(|(_, kind)| *kind))?;
        let seen = kinds.values().sum();
        if let Some(line) = more(&self.style, seen) {
            writeln!(self.out, "{line}")?;
        }
        let lost = report.problems.count().saturating_sub(seen);
        if lost > 0 {
            writeln!(self.out, "{} more are not on record", count(lost))?;
        }
        Ok(writeln!(self.out)?)
    }

    /// The rows of the problems, one kind after the other; each kind is streamed anew, so that
    /// none is held.
    fn problem_rows(
        &mut self,
        report: &RunReport<'_>,
        kinds: impl Iterator<Item = ProblemKind>,
    ) -> Result<()> {
        let style = self.style;
        let limit = style.limit.unwrap_or(usize::MAX);
        let mut grid = Grid::new(&style, problem_columns());
        let mut shown = 0;
        for kind in kinds {
            let out = &mut *self.out;
            if shown >= limit {
                break;
            }
            report.problems.each(&mut |problem| {
                if problem.kind == kind {
                    let tone = tone_of(problem, kind.severity());
                    grid.push(out, tone, problem_cells(problem))?;
                    shown += 1;
                }
                Ok(shown < limit)
            })?;
        }
        Ok(grid.flush(self.out)?)
    }

    fn guards(&mut self, run: &RunSummary) -> io::Result<()> {
        for verdict in &run.guards {
            let tone = if verdict.allowed { Tone::Plain } else { Tone::Warning };
            writeln!(self.out, "{}", tone.paint(&guard_line(verdict), &self.style))?;
        }
        if run.guards.is_empty() { Ok(()) } else { writeln!(self.out) }
    }
}

/// How many problems there are of each kind, errors first.
fn count_kinds(report: &RunReport<'_>) -> Result<BTreeMap<(Reverse<Severity>, ProblemKind), u64>> {
    let mut kinds = BTreeMap::new();
    report.problems.each(&mut |problem| {
        let key = (Reverse(problem.kind.severity()), problem.kind);
        *kinds.entry(key).or_default() += 1;
        Ok(true)
    })?;
    Ok(kinds)
}

/// Whether a change was to be made and was not.
pub(super) fn is_wrong(status: ChangeStatus) -> bool {
    matches!(
        status,
        ChangeStatus::Refused
            | ChangeStatus::Skipped
            | ChangeStatus::Uncertain
            | ChangeStatus::HeldBack
    )
}

/// What is said above each table of a section. `place`: that of the first change, for runs that were
/// recorded without their headings.
pub(super) fn titles(run: &RunSummary, section: Section, place: Option<&str>) -> Vec<String> {
    let headings = shown_headings(run, section).into_iter();
    headings.map(|heading| title(run, section, heading, place)).collect()
}

/// The headings of a section's tables: in a pass each location has a table of its own.
fn shown_headings(run: &RunSummary, section: Section) -> Vec<Option<&SectionHeading>> {
    let most = if is_pass(run.command) { usize::MAX } else { 1 };
    let shown: Vec<_> = headings(run, section).take(most).map(Some).collect();
    if shown.is_empty() { vec![None] } else { shown }
}

/// `store-a → main (store-a is superior)`, with a location `store-a/Gdańsk → main (…)`. `place`:
/// that of the first change, for runs that were recorded without their headings.
fn title(
    run: &RunSummary,
    section: Section,
    heading: Option<&SectionHeading>,
    place: Option<&str>,
) -> String {
    let owner = run.integration.as_deref().unwrap_or("inventory");
    let place = match heading {
        Some(heading) => heading.place.as_str(),
        None => place.unwrap_or("inventory"),
    };
    let location = heading.and_then(|heading| heading.location.as_deref());
    let located = location.map(|location| format!("{owner}/{}", escape::shown(location)));
    let name = located.as_deref().unwrap_or(owner);
    match (run.command, section) {
        (Command::Pull, _) => format!("{name} → {place} ({owner} is superior)"),
        (Command::Push, _) => format!("{place} → {name} (the inventory is superior)"),
        (Command::Link, Section::Links) => format!("links of {name}"),
        (Command::Undo, _) if run.at_store => {
            format!("undo: {place} → {name} (put back at {owner})")
        }
        (command, _) => format!("{} → inventory ({})", command.word(), section.word()),
    }
}

/// Whether a run moves values between a place and an integration.
fn is_pass(command: Command) -> bool {
    matches!(command, Command::Pull | Command::Push)
}

fn count_where(
    report: &RunReport<'_>,
    section: Section,
    counts: impl Fn(&ChangeRow<'_>) -> bool,
) -> Result<u64> {
    let mut count = 0;
    report.changes.each_of(section, &mut |change| {
        count += u64::from(counts(change));
        Ok(true)
    })?;
    Ok(count)
}

fn headings(run: &RunSummary, section: Section) -> impl Iterator<Item = &SectionHeading> {
    run.sections.iter().filter(move |heading| heading.section == section)
}

/// The columns of a section's table, for the cells of [`change_cells`].
fn change_columns(run: &RunSummary, section: Section, verbose: u8) -> Vec<GridColumn> {
    let is_links = section == Section::Links;
    let has_one_place = is_pass(run.command);
    vec![
        GridColumn::text("item", 3).optional(),
        GridColumn::text("SKU", 2).optional(),
        GridColumn::text("name", 0).optional(),
        GridColumn::text("target", 4).optional(),
        GridColumn::number("before"),
        GridColumn::number("after"),
        GridColumn::number("difference").optional(),
        GridColumn::text("status", 5),
        GridColumn::text("message", 1).optional().fitting(Fit::Wrap),
    ]
    .into_iter()
    .enumerate()
    .map(|(at, column)| match at {
        0 if !is_links && verbose == 0 => column.hidden(),
        1 if is_links => column.hidden(),
        3 if has_one_place => column.hidden(),
        4 | 5 if is_links => GridColumn::text(&column.title, 2),
        6 if is_links => column.hidden(),
        _ => column,
    })
    .collect()
}

fn change_cells(change: &ChangeRow<'_>) -> Vec<String> {
    let shown = |text: Option<&str>| escape::shown(text.unwrap_or_default()).into_owned();
    vec![
        shown(change.item_id),
        shown(change.sku),
        shown(change.name),
        shown(change.place),
        escape::shown(&value(change, &change.before)).into_owned(),
        escape::shown(&value(change, &change.after)).into_owned(),
        difference(change),
        change.status.word().replace('_', " "),
        shown(change.message),
    ]
}

fn tone(status: ChangeStatus) -> Tone {
    match status {
        ChangeStatus::Applied | ChangeStatus::Planned => Tone::Plain,
        ChangeStatus::HeldBack | ChangeStatus::Skipped => Tone::Warning,
        ChangeStatus::Refused | ChangeStatus::Uncertain | ChangeStatus::Sending => Tone::Error,
    }
}

/// The tone of a problem.
pub(super) fn tone_of(problem: &Problem, severity: Severity) -> Tone {
    match severity {
        _ if problem.accepted.is_some() => Tone::Plain,
        Severity::Warning => Tone::Warning,
        Severity::Error => Tone::Error,
    }
}

/// The columns of a table of problems, for the cells of [`problem_cells`].
fn problem_columns() -> Vec<GridColumn> {
    vec![
        GridColumn::text("problem", 9).fitting(Fit::Never),
        GridColumn::text("item", 0).optional(),
        GridColumn::text("SKU", 1).optional(),
        GridColumn::number("line").optional(),
        GridColumn::text("message", 8).fitting(Fit::Wrap),
    ]
}

/// The cells of a problem.
fn problem_cells(problem: &Problem) -> Vec<String> {
    vec![
        problem.kind.word().to_owned(),
        escape::shown_cell(problem.item_id.as_deref()),
        escape::shown_cell(problem.sku.as_deref()),
        problem.line.map(|line| line.to_string()).unwrap_or_default(),
        escape::shown(&problem.words()).into_owned(),
    ]
}

/// `max_changed stopped stock: 92% (limit 50%); accept it for one run with --allow max_changed`.
fn guard_line(verdict: &GuardVerdict) -> String {
    let GuardVerdict { guard, section, limit, actual, allowed } = verdict;
    let what = section.as_deref().unwrap_or("everything");
    if *allowed {
        return format!("guard {guard} on {what}: {actual} (limit {limit}), allowed for this run");
    }
    let did = match Guard::from_word(guard) {
        Some(guard) if !guard.stops_section() => "held back some",
        _ => "stopped",
    };
    format!(
        "guard {guard} {did} {what}: {actual} (limit {limit}); \
         accept it for one run with --allow {guard}"
    )
}

/// `pull store-a: 2,104 items, 2,098 linked, 5 unlinked · 31 stock changed · 0.8 s · run 12`.
fn last_line(run: &RunSummary) -> String {
    let mut parts = Vec::new();
    if !matches!(run.status, RunStatus::Ok | RunStatus::Partial) {
        parts.push(run.status.word().to_owned());
    }
    parts.extend(delivered(run));
    parts.extend(changed(run));
    let counts = [(run.held_back, "held back"), (run.refused, "refused")];
    for (number, words) in counts.into_iter().filter(|(number, _)| *number > 0) {
        parts.push(format!("{} {words}", count(number)));
    }
    if let Some(finished_at) = run.finished_at {
        parts.push(elapsed(run.started_at, finished_at));
    }
    if let Some(id) = run.run_id {
        parts.push(format!("run {id}"));
    }
    let name = run.integration.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
    format!("{}{name}: {}", run.command.word(), parts.join(" · "))
}

/// What was delivered and what became of it.
fn delivered(run: &RunSummary) -> Option<String> {
    let mut parts = Vec::new();
    if run.items > 0 || (is_pass(run.command) && run.status == RunStatus::Ok) {
        parts.push(format!("{} items", count(run.items)));
        parts.push(format!("{} linked", count(run.linked)));
        parts.push(format!("{} unlinked", count(run.unlinked)));
    }
    let rare = [
        (run.created, "created"),
        (run.missing, "missing"),
        (run.duplicates, "duplicates"),
        (run.invalid, "invalid"),
    ];
    let rare = rare.into_iter().filter(|(number, _)| *number > 0);
    parts.extend(rare.map(|(number, words)| format!("{} {words}", count(number))));
    if parts.is_empty() { None } else { Some(parts.join(", ")) }
}

/// How many values changed, of the sections that the run worked on.
fn changed(run: &RunSummary) -> Option<String> {
    if run.status == RunStatus::Locked || (run.error.is_some() && run.changed.total() == 0) {
        return None;
    }
    let worked_on = |section| run.sections.is_empty() || headings(run, section).next().is_some();
    let is_link = run.command == Command::Link;
    let counts = [
        (run.changed.stock, "stock", !is_link && worked_on(Section::Stock)),
        (run.changed.prices, "prices", !is_link && worked_on(Section::Prices)),
        (run.changed.links, "links", is_link),
    ];
    let counts: Vec<_> = counts
        .into_iter()
        .filter(|(number, _, always)| *always || *number > 0)
        .map(|(number, words, _)| format!("{} {words}", count(number)))
        .collect();
    let did = if run.dry_run { "would change" } else { "changed" };
    if counts.is_empty() { None } else { Some(format!("{} {did}", counts.join(", "))) }
}
