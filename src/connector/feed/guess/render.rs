//! A proposal as text to paste, with its evidence in comments.

use std::fmt::Write as _;

use super::{FieldLine, Line, Proposal};

/// Evidence stands behind values that are no longer than this.
const VALUE_WIDTH: usize = 40;

/// A text as a TOML string.
pub fn quoted(text: &str) -> String {
    let mut written = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            // Writing to a String cannot fail.
            c if c.is_control() => drop(write!(written, "\\u{:04x}", u32::from(c))),
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

/// The keys of the integration's own table, with their evidence.
pub fn lines(proposal: &Proposal) -> String {
    proposal.options.iter().map(|line| written(line, "")).collect()
}

/// `[integrations.NAME.fields]`, with evidence, alternatives, and what was not found.
pub fn table(proposal: &Proposal, name: &str) -> String {
    let mut text = format!("[integrations.{name}.fields]\n");
    for field in &proposal.fields {
        text.push_str(&field_lines(field));
    }
    for (field, others) in &proposal.missing {
        let _ = match (*field, others.is_empty()) {
            ("currency", _) => writeln!(
                text,
                "# currency: not found, so prices are in the price group's; or: currency = {{ value = \
                 \"EUR\" }}"
            ),
            (_, true) => writeln!(text, "# {field}: not found"),
            (_, false) => writeln!(text, "# {field}: not found by its name; it may be"),
        };
        text.extend(others.iter().map(|other| written(other, "#")));
    }
    text
}

fn field_lines(field: &FieldLine) -> String {
    let mut text = written(&field.line, "");
    if let Some(doubt) = &field.doubt {
        let _ = writeln!(text, "#   please check: {}", safe(doubt));
    }
    text.extend(field.alternatives.iter().map(|other| written(other, "#")));
    text
}

fn written(line: &Line, before: &str) -> String {
    let evidence = safe(&line.evidence);
    let set = format!("{before}{} = {}", line.key, line.value);
    if evidence.is_empty() {
        format!("{set}\n")
    } else if set.chars().count() <= VALUE_WIDTH {
        format!("{set:VALUE_WIDTH$}  # {evidence}\n")
    } else {
        format!("# {evidence}\n{set}\n")
    }
}

/// A comment stays one.
fn safe(text: &str) -> String {
    crate::connector::feed::without_controls(text)
}
