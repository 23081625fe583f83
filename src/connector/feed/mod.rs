//! What all feeds share, whatever their format: where the bytes come from, how they become text,
//! how a row becomes an item.

pub(crate) mod combine;
pub mod decode;
pub mod fingerprint;
pub(crate) mod generated;
pub mod guess;
pub(crate) mod lacking;
pub mod mapping;
pub mod number;
pub mod presets;
pub mod settings;
pub mod source;

use std::fmt::Write;

/// A text of a feed as a message may show it: quoted, short, nothing in it that moves a cursor.
pub fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown = String::from("\"");
    let short: String = text.chars().take(LONGEST).collect();
    shown.push_str(&without_controls(&short));
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown.push('"');
    shown
}

/// A text in one line, in which nothing moves a cursor.
pub(crate) fn without_controls(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        // Bidirectional controls reorder what stands around them.
        if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            // Writing to a String cannot fail.
            let _ = write!(safe, "{}", c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}
