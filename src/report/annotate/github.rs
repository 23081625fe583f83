//! Workflow commands of GitHub Actions, which show a message beside its line.
//!
//! Source of the escaping: `toolkit/packages/core/src/command.ts` (`escapeData`,
//! `escapeProperty`).

use std::io::{self, Write};

use super::place::{Place, Tree};
use crate::model::{Finding, Severity};
use crate::report::check::CheckReport;
use crate::report::escape;

pub(super) fn print(report: &CheckReport<'_>, tree: &Tree, out: &mut dyn Write) -> io::Result<()> {
    for of in report.all {
        for found in of.sorted() {
            finding(of.name(), tree, found, out)?;
        }
        if let Some(error) = of.error {
            command("error", &tree.in_config(of.config_line), of.name(), error, out)?;
        }
        let skipped = if of.is_skipped { ", not read in full (--offline)" } else { "" };
        writeln!(out, "check {}{skipped}: {}", of.name(), of.counts())?;
    }
    Ok(())
}

fn finding(of: &str, tree: &Tree, found: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let problem = &found.problem;
    let level = match found.severity {
        _ if problem.accepted.is_some() => "notice",
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let title = format!("{of}: {}", problem.kind.word());
    let about = problem.subject().map(|subject| format!("{subject}: ")).unwrap_or_default();
    let message = format!("{about}{}", problem.words());
    command(level, &tree.place_of(found), &title, &message, out)
}

fn command(
    level: &str,
    place: &Place,
    title: &str,
    message: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(
        out,
        "::{level} file={},line={},title={}::{}",
        property(&place.path),
        place.line,
        property(title),
        data(message)
    )
}

/// The message of a command. Control characters, carriage returns too, are shown, not sent.
fn data(text: &str) -> String {
    escape::shown_lines(text).replace('%', "%25").replace('\n', "%0A")
}

/// A property of a command, which `:` and `,` would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_message_ends_it_or_begins_another_command() {
        assert_eq!(data("100%\n::error::x"), "100%25%0A::error::x");
        assert_eq!(property("a: b, c%0A\r"), "a%3A b%2C c%250A\\r");
    }
}
