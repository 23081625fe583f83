//! The file that holds an integration's links, where its config names one: CSV `item_id,sku`, made
//! for review and for git. What it says is the truth; the inventory has a copy.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::UsageError;
use super::problem_log::{About, ProblemLog};
use super::products::{clean, unknown_sku};
use super::run::RunError;
use crate::connector::feed::source::Stamp;
use crate::connector::file::replace::Replacement;
use crate::inventory::{LinkChange, LinkState, ProductId, Products, StoredLink};
use crate::model::{Exit, LinkedBy, ProblemKind};

const COLUMNS: [&str; 2] = ["item_id", "sku"];

/// A links file, as it was read.
#[derive(Clone)]
pub(super) struct LinksFile {
    /// The integration whose links it holds.
    pub integration: String,
    /// The file, as messages name it.
    pub name: String,
    path: PathBuf,
    /// What the file was when it was read; `None`: it was not there yet.
    stamp: Option<Stamp>,
    /// A hash of its bytes.
    pub digest: String,
    /// All columns: what is not ours stays where it is.
    header: Vec<String>,
    item_id: usize,
    sku: usize,
    ends_with_crlf: bool,
    /// By the bytes of the item ids; rows of one item in the order of the file.
    rows: Vec<Row>,
    /// The line of the first row that should stand above the one before it.
    first_unsorted: Option<u64>,
}

#[derive(Clone)]
pub(super) struct Row {
    pub item_id: String,
    /// `None`: never link this item.
    sku: Option<String>,
    /// It ends before the cell of the SKU: nobody said never.
    is_cut: bool,
    /// In the file; 0 for one that is new.
    pub line: u64,
    cells: Vec<String>,
    /// The line of another row of the item that says something else.
    contradicts: Option<u64>,
}

impl Row {
    /// The SKU that it has; the inner `None`: never. `None`: it says nothing.
    pub(super) fn sku(&self) -> Option<Option<&str>> {
        (!self.is_cut).then_some(self.sku.as_deref())
    }

    /// Why it cannot be used whatever the products are, in a word or two.
    pub(super) fn unusable(&self) -> Option<&'static str> {
        match self.contradicts {
            _ if self.is_cut => Some("too_few_cells"),
            Some(_) => Some("contradiction"),
            None => None,
        }
    }

    fn says_the_same_as(&self, other: &Row) -> bool {
        self.sku() == other.sku()
    }
}

/// Why a links file cannot be used; where it is missing, that is another matter.
pub(super) enum Unusable {
    Missing,
    Because(String),
    /// What stands in this line.
    InLine(u64, String),
}

/// What a row says once the products are known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Link(ProductId),
    Never,
    /// Nothing that can be used: the item is left alone.
    Nothing,
}

impl LinksFile {
    pub(super) fn read(integration: &str, path: &Path) -> Result<LinksFile, Unusable> {
        let name = path.display().to_string();
        let failed = |why: io::Error| match why.kind() {
            io::ErrorKind::NotFound => Unusable::Missing,
            _ => Unusable::Because(format!("{name} cannot be read: {why}")),
        };
        if path.is_dir() {
            return Err(Unusable::Because(format!("{name} is a folder, not a file")));
        }
        let mut file = std::fs::File::open(path).map_err(failed)?;
        let stamp = Stamp::of(&file.metadata().map_err(failed)?);
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut file, &mut bytes).map_err(failed)?;
        let mut read = LinksFile::parse(integration, path, &bytes)?;
        read.stamp = Some(stamp);
        Ok(read)
    }

    /// A file that is not there yet.
    pub(super) fn empty(integration: &str, path: &Path) -> LinksFile {
        LinksFile {
            integration: integration.to_owned(),
            name: path.display().to_string(),
            path: path.to_owned(),
            stamp: None,
            digest: String::new(),
            header: COLUMNS.map(str::to_owned).to_vec(),
            item_id: 0,
            sku: 1,
            ends_with_crlf: false,
            rows: Vec::new(),
            first_unsorted: None,
        }
    }

    fn parse(integration: &str, path: &Path, bytes: &[u8]) -> Result<LinksFile, Unusable> {
        let digest = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let file = LinksFile { digest, ..LinksFile::empty(integration, path) };
        if bytes.trim_ascii().is_empty() || bytes == b"\xef\xbb\xbf" {
            return Ok(file);
        }
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
        let wrong = |why: csv::Error| {
            let start = why.position().map_or(0, csv::Position::byte);
            let line = Lines { bytes, at: 0, line: 1 }.line_at(start);
            Unusable::InLine(line, format!("{} cannot be read: {why}", file.name))
        };
        let header = reader.headers().map_err(wrong)?.clone();
        let column = |wanted: &str| header.iter().position(|cell| clean(cell) == wanted);
        let (Some(item_id), Some(sku)) = (column(COLUMNS[0]), column(COLUMNS[1])) else {
            let why = "the first line must name the columns item_id,sku";
            return Err(Unusable::InLine(1, why.to_owned()));
        };
        let (mut rows, mut lines) = (Vec::new(), Lines { bytes, at: 0, line: 1 });
        for record in reader.records() {
            let record = record.map_err(wrong)?;
            let cell = |at: usize| record.get(at).map(clean).unwrap_or_default();
            rows.push(Row {
                item_id: cell(item_id).to_owned(),
                sku: Some(cell(sku)).filter(|sku| !sku.is_empty()).map(str::to_owned),
                is_cut: record.len() <= sku,
                line: record.position().map_or(0, |start| lines.line_at(start.byte())),
                cells: record.iter().map(str::to_owned).collect(),
                contradicts: None,
            });
        }
        let is_unsorted = |pair: &&[Row]| pair[0].item_id.as_bytes() > pair[1].item_id.as_bytes();
        let first_unsorted = rows.windows(2).find(is_unsorted).map(|pair| pair[1].line);
        let header = header.iter().map(|cell| clean(cell).to_owned()).collect();
        let ends_with_crlf = first_line(bytes).ends_with(b"\r");
        rows.sort_by(|a, b| a.item_id.as_bytes().cmp(b.item_id.as_bytes()));
        mark_contradictions(&mut rows);
        Ok(LinksFile { header, item_id, sku, ends_with_crlf, rows, first_unsorted, ..file })
    }

    /// Whether it says anything of an item.
    pub(super) fn has(&self, item_id: &str) -> bool {
        self.find(item_id).is_some()
    }

    fn find(&self, item_id: &str) -> Option<&Row> {
        let at = self.rows.partition_point(|row| row.item_id.as_bytes() < item_id.as_bytes());
        self.rows.get(at).filter(|row| row.item_id == item_id)
    }

    /// The rows of an item, in the order of the file.
    pub(super) fn rows_of(&self, item_id: &str) -> &[Row] {
        let start = self.rows.partition_point(|row| row.item_id.as_bytes() < item_id.as_bytes());
        let rows = &self.rows[start..];
        &rows[..rows.partition_point(|row| row.item_id == item_id)]
    }

    /// The SKU that it links an item to; the inner `None`: never.
    pub(super) fn sku_of(&self, item_id: &str) -> Option<Option<&str>> {
        self.find(item_id).map(|row| row.sku.as_deref())
    }

    /// The line of an item.
    pub(super) fn line_of(&self, item_id: &str) -> Option<u64> {
        self.find(item_id).map(|row| row.line)
    }

    /// Its items, each once.
    pub(super) fn item_ids(&self) -> impl Iterator<Item = &str> {
        self.firsts().map(|row| row.item_id.as_str())
    }

    /// The first row of each item.
    pub(super) fn firsts(&self) -> impl Iterator<Item = &Row> {
        let is_first = |at: usize| at == 0 || self.rows[at - 1].item_id != self.rows[at].item_id;
        self.rows
            .iter()
            .enumerate()
            .filter(move |(at, row)| is_first(*at) && !row.item_id.is_empty())
            .map(|(_, row)| row)
    }

    pub(super) fn meaning(row: &Row, products: &Products) -> Meaning {
        match &row.sku {
            _ if row.unusable().is_some() => Meaning::Nothing,
            None => Meaning::Never,
            Some(sku) => products.find(sku).map_or(Meaning::Nothing, Meaning::Link),
        }
    }

    /// The links that it stands for. `stored`: the inventory's copy, which knows the handles.
    ///
    /// A link counts as made by hand; where the item's id is the SKU, as made by SKU. What cannot
    /// be used keeps its item from being linked in another way.
    pub(super) fn state(
        &self,
        products: &Products,
        stored: &LinkState,
    ) -> Result<LinkState, crate::inventory::InventoryError> {
        let mut state = LinkState::default();
        for row in self.firsts() {
            let old = stored.keys.find(row.item_id.as_bytes());
            let old = old.and_then(|number| stored.links.get(number as usize));
            let (product, linked_by) = match LinksFile::meaning(row, products) {
                Meaning::Link(product) if products.sku(product) == row.item_id => {
                    state.by_sku.insert(product);
                    continue;
                }
                Meaning::Link(product) => (Some(product), LinkedBy::Hand),
                Meaning::Never | Meaning::Nothing => (None, LinkedBy::Never),
            };
            let handle = old.and_then(|link| link.handle.clone()).filter(|_| product.is_some());
            state.keys.add(row.item_id.as_bytes())?;
            state.links.push(StoredLink { product, linked_by, handle });
        }
        Ok(state)
    }

    /// Reports the rows that cannot be used. `products`: `None` where nobody knows which there are;
    /// every SKU may be one then. `only`: of these SKUs; empty: all.
    pub(super) fn report(
        &self,
        products: Option<&Products>,
        only: &[String],
        log: &mut ProblemLog,
    ) {
        for row in &self.rows {
            let is_wanted = only.is_empty()
                || only.iter().any(|sku| row.sku.as_ref() == Some(sku) || row.item_id == *sku);
            let Some(why) = self.fault(row, products).filter(|_| is_wanted) else { continue };
            let about = About {
                item_id: Some(row.item_id.as_str()).filter(|id| !id.is_empty()),
                sku: row.sku.as_deref(),
                line: row.line,
            };
            let message = format!("{}: {why}", self.name);
            log.add_in(&self.name, ProblemKind::InvalidValue, about, &message);
        }
    }

    fn fault(&self, row: &Row, products: Option<&Products>) -> Option<String> {
        if row.item_id.is_empty() {
            return Some(
                "the row has no item_id; it was left out. Write one, or take it out".into(),
            );
        }
        if row.is_cut {
            return Some(
                "the row has too few cells: there is none for the SKU; the item was left alone. \
                 Write the SKU behind a comma, or only the comma if it is never to be linked"
                    .into(),
            );
        }
        if let Some(other) = row.contradicts {
            return Some(format!(
                "line {other} says something else of this item; neither was used. Take out the \
                 wrong row"
            ));
        }
        let products = products?;
        let sku = row.sku.as_deref().filter(|sku| products.find(sku).is_none())?;
        let UsageError(why) = unknown_sku(products, sku);
        Some(format!("{why}; the item was left alone"))
    }

    /// What is untidy in it: lines, and what is to be done.
    pub(super) fn untidy(&self) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        if let Some(line) = self.first_unsorted {
            found.push((
                line,
                format!(
                    "{} is not sorted by item_id (first here), so that changes are hard to \
                     review. `invsync link auto {} --write` sorts it",
                    self.name, self.integration
                ),
            ));
        }
        for pair in self.rows.windows(2) {
            let is_twice = pair[0].item_id == pair[1].item_id && !pair[0].item_id.is_empty();
            if is_twice && pair[1].contradicts.is_none() {
                let message = format!(
                    "{} says the same of this item in line {}; take out one of the rows",
                    self.name, pair[0].line
                );
                found.push((pair[1].line, message));
            }
        }
        found
    }

    /// With these changes made; every item that they are about has one row then.
    pub(super) fn edited(&self, changes: &[LinkChange], products: &Products) -> LinksFile {
        let changes: BTreeMap<&str, &LinkChange> =
            changes.iter().map(|change| (change.item_id.as_str(), change)).collect();
        let mut edited = self.clone();
        edited.rows.retain(|row| !changes.contains_key(row.item_id.as_str()));
        for change in changes.values() {
            let Some(after) = &change.after else { continue };
            let old = self.find(&change.item_id).map(|row| row.cells.clone());
            let mut cells = old.unwrap_or_default();
            cells.resize(cells.len().max(self.header.len()), String::new());
            let sku = after.product.map(|product| products.sku(product).to_owned());
            cells[self.item_id].clone_from(&change.item_id);
            cells[self.sku] = sku.clone().unwrap_or_default();
            let item_id = change.item_id.clone();
            let (is_cut, line, contradicts) = (false, 0, None);
            edited.rows.push(Row { item_id, sku, is_cut, line, cells, contradicts });
        }
        edited.rows.sort_by(|a, b| a.item_id.as_bytes().cmp(b.item_id.as_bytes()));
        edited
    }

    fn bytes(&self) -> Result<Vec<u8>, csv::Error> {
        let terminator = match self.ends_with_crlf {
            true => csv::Terminator::CRLF,
            false => csv::Terminator::Any(b'\n'),
        };
        let mut writer =
            csv::WriterBuilder::new().flexible(true).terminator(terminator).from_writer(Vec::new());
        writer.write_record(&self.header)?;
        for row in &self.rows {
            writer.write_record(&row.cells)?;
        }
        writer.into_inner().map_err(|why| csv::Error::from(why.into_error()))
    }

    /// Puts it in the place of the file that was read, in one step, where that is still the same.
    pub(super) fn write(&self) -> Result<(), RunError> {
        let path = &self.path;
        let failed = |why: String| {
            RunError::new(Exit::Failed, format!("{why}; the links file was left as it was"))
        };
        let bytes = self.bytes().map_err(|why| failed(why.to_string()))?;
        if std::fs::read(path).is_ok_and(|now| now == bytes) {
            return Ok(());
        }
        match &self.stamp {
            Some(stamp) => replace(path, &bytes, stamp).map_err(failed),
            None => create(path, &bytes)
                .map_err(|why| failed(format!("{} cannot be created: {why}", path.display()))),
        }
    }
}

/// Counts lines on the way through a file. The csv crate counts one too few where lines end with
/// CRLF: it begins a row between the two.
struct Lines<'b> {
    bytes: &'b [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the row that begins at this byte, or after the line end there.
    fn line_at(&mut self, start: u64) -> u64 {
        let mut start = usize::try_from(start).unwrap_or(usize::MAX).min(self.bytes.len());
        while self.bytes.get(start).is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            start += 1;
        }
        let passed = self.bytes.get(self.at..start).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.at = start;
        self.line
    }
}

fn first_line(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == b'\n').next().unwrap_or_default()
}

fn mark_contradictions(rows: &mut [Row]) {
    for group in rows.chunk_by_mut(|a, b| a.item_id == b.item_id) {
        let first = &group[0];
        // Of two rows that say the same each names a third that does not.
        let Some(other) = group.iter().find(|row| !row.says_the_same_as(first)) else { continue };
        if first.item_id.is_empty() {
            continue;
        }
        let (first, other) = (first.clone(), other.line);
        for row in group {
            let is_as_first = row.says_the_same_as(&first);
            row.contradicts = Some(if is_as_first { other } else { first.line });
        }
    }
}

fn replace(path: &Path, bytes: &[u8], stamp: &Stamp) -> Result<(), String> {
    let mut new = Replacement::start(path).map_err(|why| why.to_string())?;
    new.write_all(bytes).map_err(|why| why.to_string())?;
    new.commit(stamp).map(drop).map_err(|why| why.to_string())
}

/// Makes the file in one step; one that is there meanwhile is not overwritten.
fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder)?;
    }
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ChangeStatus;

    fn parse(text: &str) -> LinksFile {
        let file = LinksFile::parse("store-a", Path::new("links.csv"), text.as_bytes());
        file.unwrap_or_else(|_| panic!("{text}"))
    }

    fn change(item_id: &str, after: Option<StoredLink>) -> LinkChange {
        let status = ChangeStatus::Planned;
        LinkChange { item_id: item_id.to_owned(), before: None, after, status }
    }

    #[test]
    fn what_is_written_is_sorted_by_bytes_and_keeps_columns_and_line_ends() {
        let file = parse("\u{feff}note, sku ,item_id\r\nold,B,2\r\n\"a, b\",A,10\r\n");
        assert_eq!(file.first_unsorted, Some(3));
        let never = StoredLink { product: None, linked_by: LinkedBy::Never, handle: None };
        let edited = file.edited(
            &[change("1", Some(never.clone())), change("2", Some(never))],
            &Products::default(),
        );
        let text = String::from_utf8(edited.bytes().unwrap()).unwrap();
        assert_eq!(text, "note,sku,item_id\r\n,,1\r\n\"a, b\",A,10\r\nold,,2\r\n");
        let gone = edited.edited(&[change("10", None)], &Products::default());
        assert!(!gone.has("10") && gone.has("1"));
    }

    #[test]
    fn rows_that_contradict_each_other_name_each_other() {
        let file = parse("item_id,sku\n1,A\n2,B\n1,C\n3,\n3,\n,X\n,Y\n");
        let contradictions: Vec<_> =
            file.rows.iter().map(|row| (row.line, row.contradicts)).collect();
        let none = None;
        let wanted =
            [(7, none), (8, none), (2, Some(4)), (4, Some(2)), (3, none), (5, none), (6, none)];
        assert_eq!(contradictions, wanted);
        assert_eq!(file.item_ids().collect::<Vec<_>>(), ["1", "2", "3"]);
        let untidy: Vec<_> = file.untidy().into_iter().map(|(line, _)| line).collect();
        assert_eq!(untidy, [4, 6]);
    }

    #[test]
    fn nothing_at_all_is_a_file_without_links() {
        for text in ["", "\n", "\u{feff}", "item_id,sku\n"] {
            assert!(parse(text).rows.is_empty(), "{text:?}");
        }
        let wrong = LinksFile::parse("store-a", Path::new("links.csv"), b"id,sku\n1,A\n");
        assert!(matches!(wrong, Err(Unusable::InLine(1, why)) if why.contains("item_id,sku")));
    }
}
