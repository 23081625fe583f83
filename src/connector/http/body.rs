//! What an answer's body is: unpacks it, reads its JSON, and says in words what it is instead.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::StoreError;
use super::limits::Limits;
use super::scrub::{Scrubber, one_line};

/// How much of a body is looked at to say what it is.
const HEAD_BYTES: usize = 4 << 10;
/// How much of it is shown.
const SHOWN_CHARS: usize = 80;
/// How much of a store's message is shown.
const MESSAGE_CHARS: usize = 300;
/// What a notice before the JSON may take, in bytes.
const MAX_PREAMBLE: usize = 64 << 10;
/// Brackets that a notice before the JSON may hold: each is a place where the JSON may begin.
const MAX_BRACKETS: usize = 64;

/// Why a body is of no use.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Useless {
    /// What it is: `an HTML page`.
    pub what: String,
    /// Asking again would give the same, at some cost.
    pub is_final: bool,
}

impl Useless {
    pub(super) fn broken(what: impl Into<String>) -> Useless {
        Useless { what: what.into(), is_final: false }
    }

    pub(super) fn too_large(what: impl Into<String>) -> Useless {
        Useless { what: what.into(), is_final: true }
    }
}

/// JSON that was found in a body.
pub(super) struct Found<T> {
    pub value: T,
    /// Where the JSON begins, if anything but blanks and a byte order mark stands before it.
    pub preamble_bytes: usize,
}

/// The body as it was before it was packed for the way.
pub(super) fn unpack<'a>(
    headers: &HeaderMap,
    body: &'a [u8],
    limits: &Limits,
) -> Result<Cow<'a, [u8]>, Useless> {
    if is_foreign(headers) {
        return Err(Useless::broken("an answer packed in a way that was not asked for"));
    }
    match encoding(headers).as_str() {
        "gzip" | "x-gzip" if !body.is_empty() => gunzip(body, limits).map(Cow::Owned),
        _ => Ok(Cow::Borrowed(body)),
    }
}

/// Whether a body is packed for the way in another way than was asked for. The word for it is not
/// shown: it may be anything, also a part of a secret.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    !matches!(encoding(headers).as_str(), "" | "identity" | "gzip" | "x-gzip")
}

fn encoding(headers: &HeaderMap) -> String {
    let encoding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    encoding.unwrap_or_default().trim().to_ascii_lowercase()
}

fn gunzip(body: &[u8], limits: &Limits) -> Result<Vec<u8>, Useless> {
    let packed = u64::try_from(body.len()).unwrap_or(u64::MAX);
    let ratio = packed.saturating_mul(limits.ratio).max(limits.ratio_beyond);
    let most = limits.body.min(ratio);
    let mut unpacked = Vec::new();
    let read = MultiGzDecoder::new(body).take(most.saturating_add(1)).read_to_end(&mut unpacked);
    if unpacked.len() as u64 > most {
        return Err(Useless::too_large(format!(
            "{packed} bytes of gzip that unpack to more than {most} bytes"
        )));
    }
    match read {
        Ok(_) => Ok(unpacked),
        Err(why) if why.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(Useless::broken("gzip data that ends in the middle"))
        }
        Err(_) => Err(Useless::broken("broken gzip data")),
    }
}

/// Reads JSON, which may stand after a byte order mark, blank lines or a notice that some plugin
/// prints.
pub(super) fn json<T: DeserializeOwned>(
    body: &[u8],
    scrubber: &Scrubber,
) -> Result<Found<T>, Useless> {
    let text = without_mark(body);
    let first = match serde_json::from_slice(text) {
        Ok(value) => return Ok(Found { value, preamble_bytes: 0 }),
        Err(why) => why,
    };
    if is_json(text) {
        return Err(Useless::broken(format!(
            "JSON, but not what was asked for ({}), that begins with {}",
            one_line(&scrubber.scrub(&first.to_string()), 200),
            shown(text, scrubber)
        )));
    }
    if let Some(start) = start_after_notice(text)
        && let Ok(value) = serde_json::from_slice(&text[start..])
    {
        return Ok(Found { value, preamble_bytes: body.len() - text.len() + start });
    }
    Err(Useless::broken(what_it_is(body, scrubber)))
}

/// The first bracket from which the rest is one JSON value.
fn start_after_notice(text: &[u8]) -> Option<usize> {
    let head = &text[..text.len().min(MAX_PREAMBLE)];
    memchr::memchr2_iter(b'[', b'{', head)
        .filter(|&start| start > 0)
        .take(MAX_BRACKETS)
        .find(|&start| is_json(&text[start..]))
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

fn without_mark(body: &[u8]) -> &[u8] {
    let body = body.trim_ascii_start();
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// What a server says in the body of an error.
pub(super) fn store_error(body: &[u8], scrubber: &Scrubber) -> Option<StoreError> {
    #[derive(serde::Deserialize)]
    struct Body {
        code: Option<serde_json::Value>,
        r#type: Option<serde_json::Value>,
        #[serde(default)]
        message: String,
    }
    let Found { value: Body { code, r#type, message }, .. } = json::<Body>(body, scrubber).ok()?;
    let word = |value| match value {
        serde_json::Value::String(word) => Some(word),
        serde_json::Value::Number(code) => Some(code.to_string()),
        _ => None,
    };
    // Some stores have a code, some a type, some both.
    let code = code.and_then(word).or_else(|| r#type.and_then(word))?;
    Some(StoreError {
        code: one_line(&scrubber.scrub(&code), SHOWN_CHARS),
        message: one_line(&scrubber.scrub(&message), MESSAGE_CHARS),
    })
}

/// The beginning of a body, scrubbed, in one line.
pub(super) fn excerpt(body: &[u8], scrubber: &Scrubber) -> String {
    one_line(&scrubber.scrub(&head(body)), SHOWN_CHARS)
}

/// What a body is that is no JSON: `an HTML page that begins with …`.
pub(super) fn what_it_is(body: &[u8], scrubber: &Scrubber) -> String {
    let text = without_mark(body);
    if text.is_empty() {
        return "an empty answer".to_owned();
    }
    let begins = format!("that begins with {}", shown(text, scrubber));
    let head = head(text).to_ascii_lowercase();
    if text.starts_with(b"<?xml") {
        return format!("XML {begins}");
    }
    if text.starts_with(b"<") || head.contains("<html") || head.contains("<body") {
        return match title(text, scrubber) {
            Some(title) => format!("an HTML page titled `{title}` {begins}"),
            None => format!("an HTML page {begins}"),
        };
    }
    match serde_json::from_slice::<IgnoredAny>(text) {
        Ok(_) => format!("JSON {begins}"),
        Err(why) if why.is_eof() => {
            format!("JSON that ends in the middle, after {} bytes, {begins}", body.len())
        }
        _ if is_binary(text) => format!("{} bytes that are no text", body.len()),
        _ if text.starts_with(b"{") || text.starts_with(b"[") => format!("broken JSON {begins}"),
        _ => format!("text that is no JSON, {begins}"),
    }
}

fn title(text: &[u8], scrubber: &Scrubber) -> Option<String> {
    let text = scrubber.scrub(&head(text));
    let lower = text.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let start = open + lower[open..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let title = one_line(&text[start..end], SHOWN_CHARS);
    (!title.is_empty()).then_some(title)
}

fn is_binary(text: &[u8]) -> bool {
    let head = &text[..text.len().min(HEAD_BYTES)];
    let odd = head.iter().filter(|&&byte| byte < 0x20 && !byte.is_ascii_whitespace()).count();
    odd * 20 > head.len()
}

fn shown(body: &[u8], scrubber: &Scrubber) -> String {
    format!("`{}`", excerpt(body, scrubber))
}

fn head(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&body[..body.len().min(HEAD_BYTES)])
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::{Value, json as value};

    use super::*;
    use crate::settings::Secret;

    fn scrubber() -> Scrubber {
        Scrubber::new(&[Secret::new("MARKER".to_owned())])
    }

    fn read(body: &str) -> Result<(Value, usize), String> {
        let found = json::<Value>(body.as_bytes(), &scrubber()).map_err(|useless| useless.what)?;
        Ok((found.value, found.preamble_bytes))
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(encoding: &str, body: &[u8], limits: &Limits) -> Result<Vec<u8>, String> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        let body = unpack(&headers, body, limits).map_err(|useless| useless.what)?;
        Ok(body.into_owned())
    }

    #[test]
    fn json_is_found_after_marks_blank_lines_and_notices() {
        assert_eq!(read("[1]"), Ok((value!([1]), 0)));
        assert_eq!(read("\u{feff}[1]"), Ok((value!([1]), 0)));
        assert_eq!(read("\r\n\n {\"a\":1}\n"), Ok((value!({"a": 1}), 0)));
        assert_eq!(read("\n\u{feff}[]"), Ok((value!([]), 0)));
        let notice = "<br />\n<b>Notice</b>: undefined {x} in [y] on line <b>3</b><br />\n";
        assert_eq!(read(&format!("{notice}[1]")), Ok((value!([1]), notice.len())));
    }

    #[test]
    fn what_is_no_json_is_named() {
        for (body, named) in [
            ("", "an empty answer"),
            (" \r\n", "an empty answer"),
            (
                "<!doctype html><html><head><TITLE>\nLog\nin</TITLE>",
                "an HTML page titled `Log in` that begins with `<!doctype html>",
            ),
            ("<br>Fatal MARKER", "an HTML page that begins with `<br>Fatal ***`"),
            ("<?xml version=\"1.0\"?>", "XML that begins with"),
            (
                "[{\"id\":1},{\"i",
                "JSON that ends in the middle, after 13 bytes, that begins with `[{\"id\":1}",
            ),
            ("[1,]", "broken JSON that begins with `[1,]`"),
            ("Too many requests", "text that is no JSON, that begins with `Too many requests`"),
            ("\u{1}\u{2}\u{3}\u{4}", "4 bytes that are no text"),
        ] {
            let why = read(body).unwrap_err();
            assert!(why.starts_with(named), "{body:?}: {why}");
        }
    }

    #[test]
    fn json_of_another_shape_is_told_from_no_json() {
        let Err(why) = json::<Vec<u32>>(b"{\"a\":\"MARKER\"}", &scrubber()) else { panic!() };
        assert!(why.what.starts_with("JSON, but not what was asked for (invalid type: map"));
        assert!(why.what.ends_with("begins with `{\"a\":\"***\"}`"), "{}", why.what);
    }

    #[test]
    fn many_brackets_before_no_json_end_soon() {
        let body = "[0,".repeat(200_000);
        assert!(read(&body).is_err());
        assert!(read(&format!("x{}", "[\"".repeat(200_000))).is_err());
    }

    #[test]
    fn a_store_error_needs_a_code() {
        let found = |body: &str| store_error(body.as_bytes(), &scrubber());
        let error = StoreError { code: "no".to_owned(), message: "key *** is bad".to_owned() };
        assert_eq!(
            found(r#"{"code":"no","message":"key MARKER\nis bad","data":{"status":401}}"#),
            Some(error)
        );
        assert_eq!(found(r#"{"code":7}"#).map(|error| error.code), Some("7".to_owned()));
        assert_eq!(found(r#"{"message":"x"}"#), None);
        assert_eq!(found("<html>"), None);
    }

    #[test]
    fn gzip_is_unpacked_and_named_when_broken() {
        let limits = Limits::default();
        let whole = packed(b"[1,2,3]");
        assert_eq!(unpacked("gzip", &whole, &limits), Ok(b"[1,2,3]".to_vec()));
        assert_eq!(unpacked("identity", b"[]", &limits), Ok(b"[]".to_vec()));
        assert_eq!(
            unpacked("gzip", &whole[..whole.len() - 9], &limits),
            Err("gzip data that ends in the middle".to_owned())
        );
        assert_eq!(
            unpacked("gzip", b"[1,2,3,4,5,6,7]", &limits),
            Err("broken gzip data".to_owned())
        );
        assert!(unpacked("br", b"x", &limits).unwrap_err().contains("not asked for"));
    }

    #[test]
    fn a_gzip_bomb_is_stopped_by_its_length_and_by_its_ratio() {
        let bomb = packed(&vec![b' '; 4 << 20]);
        let limits = Limits { body: 1 << 20, ..Limits::default() };
        assert!(unpacked("gzip", &bomb, &limits).unwrap_err().contains("more than 1048576 bytes"));
        let limits = Limits { ratio_beyond: 1 << 10, ..Limits::default() };
        let most = bomb.len() * 200;
        let why = unpacked("gzip", &bomb, &limits).unwrap_err();
        assert!(why.contains(&format!("more than {most} bytes")), "{why}");
    }
}
