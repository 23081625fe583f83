//! One run as one page that needs nothing else: it can be mailed, archived, printed. Every text of
//! others is escaped, and the page itself forbids everything but its own style and script.

mod movement;

use std::fmt::Write as _;
use std::io::{self, Write};

use anyhow::Result;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use self::movement::Movements;
use super::RunReport;
use super::escape::shown;
use super::table::{is_wrong, titles};
use super::words::{count, difference, elapsed, value};
use crate::model::{
    ChangeRow, ChangeStatus, Guard, GuardVerdict, Problem, RunStatus, RunSummary, Section,
};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Rows that a page shows: what browsers scroll and filter without a pause.
const MAX_CHANGES: u64 = 5_000;
const MAX_PROBLEMS: u64 = 1_000;

/// Writes a run as a page.
pub fn html(report: &RunReport<'_>, out: &mut dyn Write) -> Result<()> {
    let overview = Overview::of(report)?;
    let run = &report.summary;
    for (at, part) in PAGE.split("{{").enumerate() {
        let Some((slot, text)) = part.split_once("}}").filter(|_| at > 0) else {
            out.write_all(part.as_bytes())?;
            continue;
        };
        match slot {
            "style" => out.write_all(STYLE.as_bytes())?,
            "style_sum" => out.write_all(sum(STYLE).as_bytes())?,
            "script" => out.write_all(SCRIPT.as_bytes())?,
            "script_sum" => out.write_all(sum(SCRIPT).as_bytes())?,
            "title" => out.write_all(escaped(&title(run)).as_bytes())?,
            "status" => out.write_all(status(run).as_bytes())?,
            "headings" => out.write_all(overview.headings.as_bytes())?,
            "error" => error(run, out)?,
            "totals" => out.write_all(totals(run).as_bytes())?,
            "guards" => guards(run, out)?,
            "movements" => overview.movements.write(out)?,
            "cap" => overview.cap(run, out)?,
            "filter" => overview.filter(out)?,
            "changes" => changes(report, overview.shares(), out)?,
            "problems" => problems(report, out)?,
            "footer" => write!(out, "invsync {}", env!("CARGO_PKG_VERSION"))?,
            _ => {}
        }
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// What a Content-Security-Policy knows a style or script by.
fn sum(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text)))
}

/// A text of others as text of a page; controls are shown.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

/// What has to be known of all changes before the first is shown.
#[derive(Default)]
struct Overview {
    total: u64,
    /// With how many changes each has.
    sections: Vec<(Section, u64)>,
    statuses: Vec<ChangeStatus>,
    movements: Movements,
    headings: String,
}

impl Overview {
    fn of(report: &RunReport<'_>) -> Result<Overview> {
        let mut overview = Overview::default();
        report.changes.each(&mut |change| {
            overview.total += 1;
            match overview.sections.iter_mut().find(|(section, _)| *section == change.section) {
                Some((_, changes)) => *changes += 1,
                None => {
                    overview.sections.push((change.section, 1));
                    overview.head(&report.summary, change.section, change.place);
                }
            }
            if !overview.statuses.contains(&change.status) {
                overview.statuses.push(change.status);
            }
            overview.movements.add(change);
            Ok(true)
        })?;
        let unchanged = report.summary.sections.iter();
        let mut unchanged: Vec<_> = unchanged.map(|heading| heading.section).collect();
        unchanged.dedup();
        unchanged.retain(|section| overview.sections.iter().all(|(known, _)| known != section));
        for section in unchanged {
            overview.head(&report.summary, section, None);
        }
        Ok(overview)
    }

    fn head(&mut self, run: &RunSummary, section: Section, place: Option<&str>) {
        for title in titles(run, section, place) {
            let _ = writeln!(self.headings, "<p>{}</p>", escaped(&title));
        }
    }

    /// How many rows of each section are shown: an equal share of the page, and what the others
    /// leave of theirs.
    fn shares(&self) -> Vec<(Section, u64)> {
        let mut smallest_first = self.sections.clone();
        smallest_first.sort_by_key(|(_, changes)| *changes);
        let (mut rows, mut sections) = (MAX_CHANGES, smallest_first.len() as u64);
        for (_, changes) in &mut smallest_first {
            *changes = (*changes).min(rows / sections.max(1));
            rows -= *changes;
            sections -= 1;
        }
        smallest_first
    }

    /// Says where rows are left out.
    fn cap(&self, run: &RunSummary, out: &mut dyn Write) -> io::Result<()> {
        if self.total <= MAX_CHANGES {
            return Ok(());
        }
        let id = run.run_id.unwrap_or_default();
        writeln!(
            out,
            "<p class=\"warn\">Only {} of {} changes are shown here, a share of each section, those \
             that were not applied first. All of them: <code>invsync runs {id} --format \
             csv</code></p>",
            count(self.shares().iter().map(|(_, rows)| rows).sum()),
            count(self.total)
        )
    }

    fn filter(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.total == 0 {
            return Ok(());
        }
        let choice = |label: &str, every: &str, words: Vec<String>| {
            let words: String =
                words.iter().map(|word| format!("<option>{word}</option>")).collect();
            format!(
                "<select aria-label=\"{label}\"><option value=\"\">{every}</option>{words}</select>\n"
            )
        };
        let sections = self.sections.iter().map(|(section, _)| section.word().to_owned()).collect();
        let statuses = self.statuses.iter().map(|status| status_word(*status)).collect();
        write!(
            out,
            "<form class=\"filter\" hidden>\n\
             <input type=\"search\" placeholder=\"SKU, name, message …\" aria-label=\"Filter\">\n\
             {}{}<output aria-live=\"polite\"></output>\n</form>\n",
            choice("Section", "every section", sections),
            choice("Status", "every status", statuses)
        )
    }
}

fn title(run: &RunSummary) -> String {
    let name = run.integration.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
    let id = run.run_id.map(|id| format!(" · run {id}")).unwrap_or_default();
    format!("{}{name}{id}", run.command.word())
}

fn status(run: &RunSummary) -> String {
    let class = match run.status {
        RunStatus::Ok | RunStatus::Unchanged => "ok",
        RunStatus::Failed | RunStatus::Crashed => "bad",
        _ => "warn",
    };
    let started = run.started_at.rfc3339();
    let took = match run.finished_at {
        Some(finished) => format!(", took {}", elapsed(run.started_at, finished)),
        None => String::new(),
    };
    let word = run.status.word();
    format!(
        "<p><span class=\"status {class}\">{word}</span> <span class=\"soft\">started {started}{took}</span></p>"
    )
}

fn error(run: &RunSummary, out: &mut dyn Write) -> io::Result<()> {
    let Some(error) = &run.error else { return Ok(()) };
    let lines: Vec<_> = error.lines().map(escaped).collect();
    writeln!(out, "<p class=\"error\" role=\"alert\">{}</p>", lines.join("\n"))
}

/// The numbers that are there for every run, then those that are not 0.
fn totals(run: &RunSummary) -> String {
    let always = [
        (run.changed.stock, "stock changed"),
        (run.changed.prices, "prices changed"),
        (run.items, "items"),
        (run.linked, "linked"),
    ];
    let rare = [
        (run.changed.links, "links changed"),
        (run.unlinked, "unlinked"),
        (run.held_back, "held back"),
        (run.refused, "refused"),
        (run.created, "created"),
        (run.missing, "missing"),
        (run.duplicates, "duplicates"),
        (run.invalid, "invalid"),
    ];
    let rare = rare.into_iter().filter(|(number, _)| *number > 0);
    let all = always.into_iter().chain(rare);
    all.map(|(number, words)| format!("<div><dt>{words}</dt><dd>{}</dd></div>\n", count(number)))
        .collect()
}

fn guards(run: &RunSummary, out: &mut dyn Write) -> io::Result<()> {
    if run.guards.is_empty() {
        return Ok(());
    }
    out.write_all(
        b"<section>\n<h2>Guards</h2>\n<table class=\"wide guards\">\n<thead><tr><th>guard</th>\
          <th>section</th><th>found</th><th>limit</th><th>result</th></tr></thead>\n<tbody>\n",
    )?;
    for GuardVerdict { guard, section, limit, actual, allowed } in &run.guards {
        let stops = Guard::from_word(guard).is_none_or(Guard::stops_section);
        let (class, did) = match (allowed, stops) {
            (true, _) => ("ok", "allowed for this run"),
            (false, true) => ("bad", "stopped"),
            (false, false) => ("warn", "held back some"),
        };
        let section = section.as_deref().unwrap_or("all");
        let cells = [guard.as_str(), section, actual, limit].map(escaped);
        let [guard, section, actual, limit] = &cells;
        writeln!(
            out,
            "<tr><td>{guard}</td><td>{section}</td><td>{actual}</td><td>{limit}</td>\
             <td class=\"{class}\">{did}</td></tr>"
        )?;
    }
    out.write_all(b"</tbody>\n</table>\n</section>\n")
}

/// The rows: first what was not applied, which must not hide behind the cap, then the rest.
fn changes(
    report: &RunReport<'_>,
    mut left: Vec<(Section, u64)>,
    out: &mut dyn Write,
) -> Result<()> {
    let is_empty = left.is_empty();
    if !is_empty {
        out.write_all(CHANGES_HEAD)?;
    }
    for wrong_ones in [true, false] {
        report.changes.each(&mut |change| {
            let rows = left.iter_mut().find(|(section, _)| *section == change.section);
            if let Some((_, rows)) = rows.filter(|(_, rows)| *rows > 0)
                && is_wrong(change.status) == wrong_ones
            {
                *rows -= 1;
                change_row(change, out)?;
            }
            Ok(left.iter().any(|(_, rows)| *rows > 0))
        })?;
    }
    let end = if is_empty { "<p>Nothing was to be changed.</p>" } else { "</tbody>\n</table>" };
    Ok(writeln!(out, "{end}")?)
}

const CHANGES_HEAD: &[u8] = b"<table class=\"wide changes\">\n<thead><tr><th>section</th>\
    <th>SKU</th><th>name</th><th>place</th><th class=\"n\">before</th><th class=\"n\">after</th>\
    <th class=\"n\">difference</th><th>status</th><th>message</th></tr></thead>\n<tbody>\n";

fn change_row(change: &ChangeRow<'_>, out: &mut dyn Write) -> io::Result<()> {
    let class = match change.status {
        ChangeStatus::Applied | ChangeStatus::Planned => "ok",
        ChangeStatus::HeldBack | ChangeStatus::Skipped => "warn",
        _ => "bad",
    };
    let text = |text: Option<&str>| escaped(text.unwrap_or_default());
    let place = match change.currency {
        Some(currency) => format!("{} ({currency})", text(change.place)),
        None => text(change.place),
    };
    writeln!(
        out,
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{place}</td><td class=\"n\">{}</td>\
         <td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"{class}\">{}</td><td>{}</td></tr>",
        change.section.word(),
        text(change.sku.or(change.item_id)),
        text(change.name),
        escaped(&value(change, &change.before)),
        escaped(&value(change, &change.after)),
        difference(change),
        status_word(change.status),
        text(change.message)
    )
}

fn status_word(status: ChangeStatus) -> String {
    status.word().replace('_', " ")
}

fn problems(report: &RunReport<'_>, out: &mut dyn Write) -> Result<()> {
    let total = report.problems.count();
    if total == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "<section>\n<h2>Problems</h2>\n<table class=\"wide problems\">\n<thead><tr>\
         <th>problem</th><th>item</th><th>SKU</th><th class=\"n\">line</th><th>message</th></tr>\
         </thead>\n<tbody>"
    )?;
    let mut shown = 0;
    report.problems.each(&mut |problem| {
        if shown >= MAX_PROBLEMS {
            return Ok(false);
        }
        shown += 1;
        problem_row(problem, out)?;
        Ok(true)
    })?;
    writeln!(out, "</tbody>\n</table>")?;
    if total > shown {
        writeln!(out, "<p class=\"warn\">{} more are not shown.</p>", count(total - shown))?;
    }
    Ok(writeln!(out, "</section>")?)
}

fn problem_row(problem: &Problem, out: &mut dyn Write) -> io::Result<()> {
    let text = |text: &Option<String>| escaped(text.as_deref().unwrap_or_default());
    let line = problem.line.map(|line| line.to_string()).unwrap_or_default();
    writeln!(
        out,
        "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{line}</td><td>{}</td></tr>",
        problem.kind.word(),
        text(&problem.item_id),
        text(&problem.sku),
        escaped(&problem.message)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_stay_texts() {
        assert_eq!(escaped("<script>'\"&\u{202e}"), "&lt;script&gt;&#39;&quot;&amp;\\u{202e}");
    }

    #[test]
    fn every_slot_of_the_page_is_filled() {
        let filled = include_str!("mod.rs");
        for slot in PAGE.split("{{").skip(1).filter_map(|part| part.split_once("}}")) {
            assert!(filled.contains(&format!("\"{}\" =>", slot.0)), "{}", slot.0);
        }
    }
}
