//! Takes secrets out of texts, in every form in which a server may repeat them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::settings::Secret;

/// What stands for a secret.
const STARS: &str = "***";

/// The texts that must not be shown.
#[derive(Clone, Default)]
pub struct Scrubber {
    /// The longest first, so that no part of one is left by a shorter one.
    forms: Vec<String>,
}

impl Scrubber {
    /// Knows these secrets, in every form.
    pub fn new(secrets: &[Secret]) -> Scrubber {
        let mut forms: Vec<String> =
            secrets.iter().flat_map(|secret| forms_of(secret.expose())).collect();
        forms.retain(|form| !form.is_empty());
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Scrubber { forms }
    }

    /// The text with every secret replaced.
    pub fn scrub(&self, text: &str) -> String {
        self.forms.iter().fold(text.to_owned(), |text, form| without(form, text))
    }
}

/// A secret as it is, in a header, in JSON and in HTML. In a URL it is found without help.
fn forms_of(secret: &str) -> Vec<String> {
    let in_json = serde_json::Value::from(secret).to_string();
    let in_html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let in_html = in_html.replace('"', "&quot;");
    vec![
        secret.to_owned(),
        in_json.trim_matches('"').to_owned(),
        in_html.replace('\'', "&#039;"),
        in_html.replace('\'', "&#39;"),
        in_html,
        // Without `=` at the end, so that what follows it in one text does not matter.
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ]
}

fn without(secret: &str, text: String) -> String {
    let mut clean = String::new();
    let mut rest = text.as_str();
    while let Some((start, end)) = find(secret.as_bytes(), rest) {
        clean.push_str(&rest[..start]);
        clean.push_str(STARS);
        rest = &rest[end..];
    }
    if clean.is_empty() && rest.len() == text.len() {
        return text;
    }
    clean + rest
}

/// Where the secret first stands in the text.
fn find(secret: &[u8], text: &str) -> Option<(usize, usize)> {
    text.char_indices()
        .find_map(|(start, _)| Some((start, start + length_of(secret, &text.as_bytes()[start..])?)))
        .filter(|&(_, end)| text.is_char_boundary(end))
}

/// How long the secret is at the beginning of a text that may have encoded any of its bytes.
fn length_of(secret: &[u8], text: &[u8]) -> Option<usize> {
    if text.starts_with(secret) {
        return Some(secret.len());
    }
    let mut at = 0;
    for &byte in secret {
        at += length_of_byte(byte, text.get(at..)?)?;
    }
    Some(at)
}

/// `/`, `%2F`, `%2f`, `%252F` or `\/`; a blank may be a `+`.
fn length_of_byte(byte: u8, text: &[u8]) -> Option<usize> {
    match *text {
        [b'%', b'2', b'5', high, low, ..] if hex(high, low) == Some(byte) => Some(5),
        [b'%', high, low, ..] if hex(high, low) == Some(byte) => Some(3),
        [b'+', ..] if byte == b' ' => Some(1),
        [b'\\', second, ..] if second == byte => Some(2),
        [first, ..] if first == byte => Some(1),
        _ => None,
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// The beginning of a text in one line, without anything that moves a cursor.
pub fn one_line(text: &str, max_chars: usize) -> String {
    let mut line = String::new();
    let mut chars = text.trim().chars();
    for char in chars.by_ref().take(max_chars) {
        match char {
            '\n' | '\r' | '\t' => line.push(' '),
            char if char.is_control() || is_invisible(char) => {
                line.extend(char.escape_unicode());
            }
            char => line.push(char),
        }
    }
    if chars.next().is_some() {
        line.push('…');
    }
    line
}

/// What turns text around or hides in it.
fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubber(secret: &str) -> Scrubber {
        Scrubber::new(&[Secret::new(secret.to_owned()), Secret::new(String::new())])
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let scrubber = scrubber("cs_a/b c+ż\"'&é");
        for text in [
            "cs_a/b c+ż\"'&é",
            "cs_a%2Fb%20c%2B%C5%BC%22%27%26%C3%A9",
            "cs_a%2fb%20c%2b%c5%bc%22%27%26%c3%a9",
            "cs_a%2Fb+c%2B%C5%BC%22%27%26%C3%A9",
            "cs_a/b%20c%2Bż%22'%26%C3%A9",
            "cs_a%252Fb%2520c%252B%25C5%25BC%2522%2527%2526%25C3%25A9",
            r#"cs_a\/b c+ż\"'&é"#,
            r#"cs_a/b c+ż\"'&é"#,
            "cs_a/b c+ż&quot;&#039;&amp;é",
            "Y3NfYS9iIGMrxbwiJybDqQ==",
        ] {
            let found = scrubber.scrub(&format!("x {text} y"));
            assert!(found.starts_with("x ***") && found.ends_with(" y"), "{text}: {found}");
            assert!(!found.contains("cs_a") && !found.contains("Y3"), "{text}: {found}");
        }
    }

    #[test]
    fn a_secret_within_another_leaves_nothing_of_it() {
        let secrets = ["key", "key:word"].map(|text| Secret::new(text.to_owned()));
        assert_eq!(Scrubber::new(&secrets).scrub("a key:word, a key"), "a ***, a ***");
    }

    #[test]
    fn every_occurrence_is_found_and_nothing_else() {
        let scrubber = scrubber("ab%");
        assert_eq!(scrubber.scrub("ab%%61b%25ab%2 aab% ż%"), "*********2 a*** ż%");
        assert_eq!(scrubber.scrub("a b% 100 % \\"), "a b% 100 % \\");
    }

    #[test]
    fn no_secret_changes_nothing() {
        assert_eq!(scrubber("").scrub("text"), "text");
    }

    #[test]
    fn one_line_has_no_control_characters_and_ends() {
        assert_eq!(one_line(" a\nb\u{1b}[31m\u{202e}c ", 80), "a b\\u{1b}[31m\\u{202e}c");
        assert_eq!(one_line("ażźb", 3), "ażź…");
        assert_eq!(one_line("", 3), "");
    }
}
