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

/// All keys as one TOML table, without evidence.
pub fn all_keys(proposal: &Proposal) -> String {
    let options = proposal.options.iter().map(|line| format!("{} = {}\n", line.key, line.value));
    format!("{}{}\n", options.collect::<String>(), fields_line(proposal))
}

/// `fields` in one line, with the evidence above it: for a table that no header can name.
pub fn inline(proposal: &Proposal) -> String {
    let about = |line: &Line| format!("# {}: {}\n", line.key, safe(&line.evidence));
    let mut text = String::new();
    for field in &proposal.fields {
        text.push_str(&about(&field.line));
        if let Some(doubt) = &field.doubt {
            let _ = writeln!(text, "#   please check: {}", safe(doubt));
        }
        let others = field.alternatives.iter();
        text.extend(
            others.map(|other| format!("#   or {}: {}\n", other.value, safe(&other.evidence))),
        );
    }
    text + &fields_line(proposal) + "\n"
}

fn fields_line(proposal: &Proposal) -> String {
    let fields = proposal.fields.iter().map(|field| &field.line);
    let fields: Vec<_> = fields.map(|line| format!("{} = {}", line.key, line.value)).collect();
    match fields.is_empty() {
        true => "fields = {}".to_owned(),
        false => format!("fields = {{ {} }}", fields.join(", ")),
    }
}

/// `[PATH.fields]`, with evidence, alternatives, and what was not found. `path`: of the source's table.
pub fn table(proposal: &Proposal, path: &str) -> String {
    let mut text = format!("[{path}.fields]\n");
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
