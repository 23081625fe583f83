//! Texts of others made safe to print: control characters and terminal escapes shown as text,
//! Markdown kept from being markup, formulas kept from running, names cut to a width.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

/// The text with control characters, terminal escapes and bidi controls shown as `\u{1b}`.
pub fn shown(text: &str) -> Cow<'_, str> {
    escaped(text, is_dangerous)
}

/// The same for a cell that may be empty.
pub(super) fn shown_cell(text: Option<&str>) -> String {
    shown(text.unwrap_or_default()).into_owned()
}

/// Like [`shown`], for messages of our own that may have several lines.
pub fn shown_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_dangerous(c))
}

fn escaped(text: &str, dangerous: fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(dangerous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' if dangerous(c) => safe.extend(c.escape_default()),
            _ if dangerous(c) => safe.extend(c.escape_unicode()),
            _ => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Controls, line separators, and what turns the direction of text or has no width. Joiners stay:
/// names in several scripts need them.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The text as plain text of a Markdown table's cell.
pub(super) fn markdown(text: &str) -> Cow<'_, str> {
    const MARKUP: &[char] =
        &['|', '`', '<', '>', '\\', '*', '_', '[', ']', '~', '#', '&', '!', '@', '$'];
    let text = shown(text);
    if !text.contains(MARKUP) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            // An `@name` would call somebody; a backslash does not stop that everywhere.
            '@' => safe.push_str("&#64;"),
            '_' | '!' | '$' => safe.push(c),
            _ if MARKUP.contains(&c) => {
                let _ = write!(safe, "\\{c}");
            }
            _ => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Whether a spreadsheet would run the cell as a formula: plain numbers such as -5 it would not.
pub(super) fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r'])
        && crate::model::Decimal::parse(cell.as_bytes()).is_err()
}

/// The columns of a terminal that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The text cut to so many columns of a terminal, with `…` where something is missing.
pub(super) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used + 1 > columns {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    Cow::Owned(kept)
}

/// The text in lines of so many columns at most, broken between words where that is possible.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        if used > 0 && used + width(word.trim_end()) > columns {
            lines.push(String::new());
            used = 0;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if used + wide > columns && c != ' ' {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
            used += wide;
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_and_bidi_controls_are_shown_and_never_sent() {
        assert_eq!(shown("a\u{1b}[31mb\u{202e}\n\u{9b}"), "a\\u{1b}[31mb\\u{202e}\\n\\u{9b}");
        assert_eq!(shown_lines("a\nb\u{7}"), "a\nb\\u{7}");
        assert_eq!(shown("Größe 杯 👩‍🍳"), "Größe 杯 👩‍🍳");
    }

    #[test]
    fn markdown_stays_text() {
        assert_eq!(markdown("a|b `c` <b> @me"), "a\\|b \\`c\\` &lt;b&gt; &#64;me");
        assert_eq!(markdown("MUG_01"), "MUG_01");
        assert_eq!(markdown("a\nb"), "a\\\\nb");
    }

    #[test]
    fn numbers_are_no_formulas() {
        for cell in ["=1+1", "+1", "-x", "@a", "\ta", "\ra", "-1+2"] {
            assert!(is_formula(cell), "{cell:?}");
        }
        for cell in ["-5", "-5.25", "5", "", "a=b", "'=1"] {
            assert!(!is_formula(cell), "{cell:?}");
        }
    }

    #[test]
    fn texts_are_cut_by_columns_not_by_characters() {
        assert_eq!(cut("陶瓷马克杯", 10), "陶瓷马克杯");
        assert_eq!(cut("陶瓷马克杯", 9), "陶瓷马克…");
        assert_eq!(cut("陶瓷马克杯", 8), "陶瓷马…");
        assert_eq!(cut("abc", 2), "a…");
    }

    #[test]
    fn texts_wrap_between_words_and_inside_long_ones() {
        assert_eq!(wrap("the price is held back", 10), ["the price", "is held", "back"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
