//! A new value in the place of an old one: in an element's text, in its CDATA section, or in an
//! attribute. White space around it stays.

use super::tag::decode_attribute;
use crate::connector::file::tree::Match;
use crate::connector::file::tree_write::Restyle;

const CDATA: (&str, &str) = ("<![CDATA[", "]]>");

/// How the new value is written; `raw` is how the old one is.
pub(super) fn rewrite(
    found: &Match<'_>,
    raw: &str,
    restyle: Restyle<'_>,
) -> Result<String, String> {
    if found.text.is_none() {
        return Err("the element has no end tag of its own (`<a/>`), so there is no place for a \
                    value; write it as `<a></a>`"
            .to_owned());
    }
    let core = raw.trim_matches([' ', '\t', '\r', '\n']);
    let (before, after) = match raw.find(core) {
        Some(at) => (&raw[..at], &raw[at + core.len()..]),
        None => ("", ""),
    };
    let new = rewrite_core(core, restyle)?;
    // White space alone stays before the value.
    let before = if core.is_empty() { raw } else { before };
    let after = if core.is_empty() { "" } else { after };
    Ok(format!("{before}{new}{after}"))
}

fn rewrite_core(core: &str, restyle: Restyle<'_>) -> Result<String, String> {
    let (open, close) = CDATA;
    if let Some(inside) = core.strip_prefix(open).and_then(|rest| rest.strip_suffix(close))
        && !inside.contains(close)
    {
        let new = rewrite_trimmed(inside, restyle)?;
        return match new.contains(close) {
            true => Err("the new text cannot stand in a CDATA section".to_owned()),
            false => Ok(format!("{open}{new}{close}")),
        };
    }
    if core.contains('<') {
        return Err("the element holds more than a text (comments or other elements)".to_owned());
    }
    if !core.contains('&') {
        // What is new in it are digits and their signs, which need no escape in any place.
        return restyle(core, None);
    }
    let mut text = String::new();
    decode_attribute(core, &mut text).map_err(|fault| fault.message)?;
    restyle(&text, None).map(|new| escape(&new))
}

/// Changes what stands between white space.
fn rewrite_trimmed(text: &str, restyle: Restyle<'_>) -> Result<String, String> {
    let core = text.trim();
    match text.find(core).filter(|_| !core.is_empty()) {
        Some(at) => Ok([&text[..at], &restyle(core, None)?, &text[at + core.len()..]].concat()),
        None => Ok([text, &restyle("", None)?].concat()),
    }
}

/// What XML must not see as markup, in a text or in an attribute of either quote.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            c => escaped.push(c),
        }
    }
    escaped
}
