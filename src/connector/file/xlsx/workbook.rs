//! What an xlsx workbook has besides the cells of a sheet: the list of sheets, the texts that
//! cells share, and which styles show dates.

use std::collections::HashMap;

use super::archive::Archive;
use super::number::{is_built_in_date_format, is_date_format};
use super::sheet::{is_named, no_sheet};
use super::xml::{Piece, Tag, Xml};
use crate::connector::ConnectorError;
use crate::connector::file::window::FIELD_BYTES;

/// The most that all shared texts may take, and how many there may be.
const SHARED_BYTES: usize = 1 << 30;
const SHARED_TEXTS: usize = 1 << 24;

/// How many sheets, relations and formats a workbook may have.
const PARTS: usize = 10_000;

/// How many styles a workbook may have; spreadsheets allow fewer.
const STYLES: usize = 1 << 17;

const TOO_MANY: &str = "it has more parts than any workbook";

/// What the cells of a workbook refer to.
#[derive(Default)]
pub(super) struct Workbook {
    texts: SharedTexts,
    /// By style: whether it shows a number as a date.
    shows_dates: Vec<bool>,
    /// Whether days are counted from 1904.
    pub(super) counts_from_1904: bool,
}

impl Workbook {
    /// A shared text.
    pub(super) fn text(&self, place: usize) -> Option<&str> {
        let end = *self.texts.ends.get(place)?;
        let start = place.checked_sub(1).map_or(0, |before| self.texts.ends[before]);
        self.texts.text.get(start..end)
    }

    /// Whether a style shows a number as a date.
    pub(super) fn shows_date(&self, style: usize) -> bool {
        self.shows_dates.get(style).copied().unwrap_or(false)
    }
}

/// Texts, one behind the other.
#[derive(Default)]
struct SharedTexts {
    text: String,
    ends: Vec<usize>,
}

/// A part that another one refers to.
struct Relation {
    id: String,
    kind: String,
    target: String,
}

/// Reads all but cells; says which member holds the sheet, and its name.
pub(super) fn open(
    archive: &mut Archive,
    wanted: Option<&str>,
) -> Result<(Workbook, String, String), ConnectorError> {
    let mut book = Workbook::default();
    let (relations, sheets) = listed(archive, &mut book)?;
    let of_sheets = with_cells(&sheets, &relations);
    let found = match wanted {
        Some(wanted) => of_sheets.iter().find(|(name, _)| is_named(name, wanted)),
        None => of_sheets.first(),
    };
    let Some((name, relation)) = found else {
        let names: Vec<_> = of_sheets.iter().map(|(name, _)| (*name).clone()).collect();
        return Err(no_sheet(archive, wanted, &names));
    };
    let (member, name) = (relation.target.clone(), (*name).clone());
    let part = |kind: &str| relations.iter().find(|relation| relation.kind.ends_with(kind));
    if let Some(part) = part("/sharedStrings").filter(|part| archive.has(&part.target)) {
        book.texts = shared_texts(archive, &part.target)?;
    }
    if let Some(part) = part("/styles").filter(|part| archive.has(&part.target)) {
        book.shows_dates = date_styles(archive, &part.target)?;
    }
    Ok((book, member, name))
}

/// The names of the sheets that have cells, in the order of their tabs.
pub(super) fn names(archive: &mut Archive) -> Result<Vec<String>, ConnectorError> {
    let (relations, sheets) = listed(archive, &mut Workbook::default())?;
    Ok(with_cells(&sheets, &relations).into_iter().map(|(name, _)| name.clone()).collect())
}

/// The names of sheets and their relations.
type Sheets = Vec<(String, String)>;

/// What the workbook refers to, and its sheets.
fn listed(
    archive: &mut Archive,
    book: &mut Workbook,
) -> Result<(Vec<Relation>, Sheets), ConnectorError> {
    let path = workbook_path(archive)?;
    if path.ends_with(".bin") {
        return Err(archive.error("is a binary workbook (.xlsb); save it as .xlsx"));
    }
    Ok((relations(archive, &path)?, sheets(archive, &path, book)?))
}

/// Sheets that are nothing but a chart or a macro have no cells.
fn with_cells<'s>(
    sheets: &'s [(String, String)],
    relations: &'s [Relation],
) -> Vec<(&'s String, &'s Relation)> {
    sheets
        .iter()
        .filter_map(|(name, id)| {
            Some((name, relations.iter().find(|relation| relation.id == *id)?))
        })
        .filter(|(_, relation)| relation.kind.ends_with("/worksheet"))
        .collect()
}

/// The member that is the workbook itself.
fn workbook_path(archive: &mut Archive) -> Result<String, ConnectorError> {
    if !archive.has("_rels/.rels") && !archive.has("xl/workbook.xml") {
        if archive.holds_workbooks() {
            return Err(archive.error(
                "is a zip archive within another one, around a workbook; pack the workbook only once",
            ));
        }
        return Err(archive.error("is a zip file and no spreadsheet: neither xlsx nor ods"));
    }
    let roots = if archive.has("_rels/.rels") { relations(archive, "")? } else { Vec::new() };
    let root = roots.into_iter().find(|relation| relation.kind.ends_with("/officeDocument"));
    let path = root.map_or_else(|| "xl/workbook.xml".to_owned(), |root| root.target);
    let is_workbook = path.rsplit('/').next().is_some_and(|name| name.contains("workbook"));
    if !archive.has(&path) || (!is_workbook && path.contains("document")) {
        return Err(archive.error("is an Office file and no workbook"));
    }
    Ok(path)
}

/// What a part refers to, with targets as names of members. The empty part is the package itself.
fn relations(archive: &mut Archive, part: &str) -> Result<Vec<Relation>, ConnectorError> {
    let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
    let slash = if folder.is_empty() { "" } else { "/" };
    let mut xml = Xml::open(archive, &format!("{folder}{slash}_rels/{name}.rels"))?;
    let mut found = Vec::new();
    loop {
        match xml.next()? {
            Piece::Start(_) if found.len() > PARTS => return Err(xml.error(TOO_MANY)),
            Piece::Start(tag) if tag.name() == "Relationship" => {
                found.extend(relation(&tag, folder))
            }
            Piece::Done => return Ok(found),
            _ => {}
        }
    }
}

fn relation(tag: &Tag<'_>, folder: &str) -> Option<Relation> {
    let target = member_path(folder, &tag.attribute("Target")?);
    Some(Relation { id: tag.attribute("Id")?, kind: tag.attribute("Type")?, target })
}

/// A target as the name of a member.
fn member_path(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/') {
        match step {
            "." | "" => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

/// Names and relations of the sheets, in the order of their tabs.
fn sheets(
    archive: &mut Archive,
    path: &str,
    book: &mut Workbook,
) -> Result<Vec<(String, String)>, ConnectorError> {
    let mut xml = Xml::open(archive, path)?;
    let mut sheets = Vec::new();
    loop {
        match xml.next()? {
            Piece::Start(_) if sheets.len() > PARTS => return Err(xml.error(TOO_MANY)),
            Piece::Start(tag) if tag.name() == "sheet" => {
                if let (Some(name), Some(id)) =
                    (tag.attribute("name"), tag.prefixed_attribute("id"))
                {
                    sheets.push((name, id));
                }
            }
            Piece::Start(tag) if tag.name() == "workbookPr" => {
                let date1904 = tag.attribute("date1904");
                book.counts_from_1904 = date1904.is_some_and(|text| text == "1" || text == "true");
            }
            Piece::Done => return Ok(sheets),
            _ => {}
        }
    }
}

fn shared_texts(archive: &mut Archive, path: &str) -> Result<SharedTexts, ConnectorError> {
    let mut xml = Xml::open(archive, path)?;
    let mut texts = SharedTexts::default();
    let (mut rich, mut raw) = (RichText::default(), String::new());
    loop {
        let end = match xml.next()? {
            Piece::Start(tag) => {
                rich.start(tag.name());
                false
            }
            Piece::Text(text) => {
                rich.text(&text, &mut raw);
                false
            }
            Piece::Character(c) => {
                rich.text(c.encode_utf8(&mut [0; 4]), &mut raw);
                false
            }
            Piece::End(tag) => {
                rich.end(tag.name());
                tag.name() == "si"
            }
            Piece::Done => return Ok(texts),
        };
        if end {
            unescape(&raw, &mut texts.text);
            texts.ends.push(texts.text.len());
            raw.clear();
            if texts.text.len() > SHARED_BYTES || texts.ends.len() > SHARED_TEXTS {
                return Err(xml.error("its texts are more than 1 GiB or 16 million"));
            }
        }
    }
}

/// Which parts of a rich text are its text: the runs, without the phonetic ones.
#[derive(Default)]
pub(super) struct RichText {
    is_text: bool,
    is_phonetic: bool,
}

impl RichText {
    pub(super) fn start(&mut self, name: &str) {
        match name {
            "t" => self.is_text = !self.is_phonetic,
            "rPh" => self.is_phonetic = true,
            _ => {}
        }
    }

    pub(super) fn end(&mut self, name: &str) {
        match name {
            "t" => self.is_text = false,
            "rPh" => self.is_phonetic = false,
            _ => {}
        }
    }

    /// Adds a piece, if it is of the text; what is too long for a cell ends a little too late.
    pub(super) fn text(&self, piece: &str, to: &mut String) {
        if self.is_text && to.len() <= FIELD_BYTES {
            to.push_str(piece);
        }
    }
}

/// Adds a text with its escapes decoded: `_x000D_` is a carriage return.
pub(super) fn unescape(raw: &str, to: &mut String) {
    let mut rest = raw;
    while let Some(at) = rest.find("_x") {
        to.push_str(&rest[..at]);
        rest = &rest[at..];
        let code = rest.get(2..6).filter(|_| rest.as_bytes().get(6) == Some(&b'_'));
        let code = code.filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        let decoded = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        match decoded.and_then(char::from_u32) {
            Some(c) => {
                to.push(c);
                rest = &rest[7..];
            }
            None => {
                to.push_str("_x");
                rest = &rest[2..];
            }
        }
    }
    to.push_str(rest);
}

fn date_styles(archive: &mut Archive, path: &str) -> Result<Vec<bool>, ConnectorError> {
    let mut xml = Xml::open(archive, path)?;
    let (mut own, mut styles) = (HashMap::new(), Vec::new());
    let mut in_styles_of_cells = false;
    loop {
        match xml.next()? {
            Piece::Start(_) if own.len() > PARTS || styles.len() > STYLES => {
                return Err(xml.error(TOO_MANY));
            }
            Piece::Start(tag) if tag.name() == "numFmt" => {
                if let (Some(id), Some(code)) =
                    (tag.number("numFmtId"), tag.attribute("formatCode"))
                {
                    own.insert(id, is_date_format(&code));
                }
            }
            Piece::Start(tag) if tag.name() == "cellXfs" => in_styles_of_cells = true,
            Piece::End(tag) if tag.name() == "cellXfs" => in_styles_of_cells = false,
            Piece::Start(tag) if in_styles_of_cells && tag.name() == "xf" => {
                let format = tag.number("numFmtId").unwrap_or(0);
                let is_date = own.get(&format).copied();
                styles.push(is_date.unwrap_or_else(|| is_built_in_date_format(format)));
            }
            Piece::Done => return Ok(styles),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_relative_to_the_folder_of_their_part() {
        assert_eq!(member_path("xl", "worksheets/sheet1.xml"), "xl/worksheets/sheet1.xml");
        assert_eq!(member_path("xl", "/xl/sheet.xml"), "xl/sheet.xml");
        assert_eq!(member_path("xl/a", "../b/./c.xml"), "xl/b/c.xml");
        assert_eq!(member_path("", "../../x"), "x");
    }

    #[test]
    fn escapes_are_decoded_once() {
        let decoded = |raw: &str| {
            let mut text = String::new();
            unescape(raw, &mut text);
            text
        };
        assert_eq!(decoded("a_x000D_b"), "a\rb");
        assert_eq!(decoded("_x005F_x0041_"), "_x0041_");
        assert_eq!(decoded("my_xylophone _x12"), "my_xylophone _x12");
        assert_eq!(decoded("_xD800_é_x"), "_xD800_é_x");
    }
}
