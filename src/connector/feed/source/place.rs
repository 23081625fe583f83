//! What kind of place the text of a `source` names.

use std::path::PathBuf;

/// What kind of place a text names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Empty,
    /// A path that stands for itself.
    File(PathBuf),
    /// A path with `*` or `?` in it.
    Glob(String),
    /// `http://…` or `https://…`.
    Web(String),
    /// `sftp://…`, `ftp://…` or `ftps://…`.
    Server(String),
    Stdin,
    /// A `file://` URL that names no file of this computer.
    Unreadable,
    /// Another scheme.
    Unknown(String),
}

impl Place {
    pub(super) fn of(text: &str) -> Place {
        let text = text.trim();
        if text.is_empty() {
            return Place::Empty;
        }
        if text == "-" {
            return Place::Stdin;
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return match text.contains(['*', '?']) {
                true => Place::Glob(text.to_owned()),
                false => Place::File(text.into()),
            };
        };
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => Place::Web(text.to_owned()),
            "ftp" | "ftps" | "sftp" => Place::Server(text.to_owned()),
            "file" => of_file_url(rest),
            other => Place::Unknown(other.to_owned()),
        }
    }
}

fn of_file_url(rest: &str) -> Place {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    match without_percents(path) {
        Some(path) if path.starts_with('/') => Place::File(path.into()),
        _ => Place::Unreadable,
    }
}

fn without_percents(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let code = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(code, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_one_kind_of_place() {
        for (text, place) in [
            ("feeds/c.csv", Place::File("feeds/c.csv".into())),
            ("file:///a%20b/c.csv", Place::File("/a b/c.csv".into())),
            ("file://localhost/c.csv", Place::File("/c.csv".into())),
            ("file:///a/*.csv", Place::File("/a/*.csv".into())),
            ("file://host/c.csv", Place::Unreadable),
            ("feeds/stock-*.csv", Place::Glob("feeds/stock-*.csv".to_owned())),
            ("HTTPS://x.example/c?d", Place::Web("HTTPS://x.example/c?d".to_owned())),
            ("sftp://x/y", Place::Server("sftp://x/y".to_owned())),
            ("gopher://x", Place::Unknown("gopher".to_owned())),
            (" - ", Place::Stdin),
            (" ", Place::Empty),
        ] {
            assert_eq!(Place::of(text), place, "{text}");
        }
    }
}
