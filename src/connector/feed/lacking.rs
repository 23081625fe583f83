//! What a mapping asks for and a whole delivery does not have: told with the key and its line, and
//! what there is instead.

use super::mapping::{Mapping, PathId, RowFate};
use super::shown;
use crate::connector::{ConnectorError, Nowhere};
use crate::settings::nearest;

/// How many of the places that a source has are named in a message.
const NAMED: usize = 20;

/// What became of the rows of a delivery.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    items: u64,
    filtered: u64,
    lost: u64,
}

impl Tally {
    /// Counts a row.
    #[inline]
    pub(crate) fn count(&mut self, fate: RowFate) {
        match fate {
            RowFate::Item => self.items += 1,
            RowFate::FilteredByWhere => self.filtered += 1,
            RowFate::Lost => self.lost += 1,
        }
    }

    /// Whether there was any row.
    pub(crate) fn has_rows(&self) -> bool {
        self.items + self.filtered + self.lost > 0
    }

    /// What left a delivery without any item, as far as the mapping is to blame.
    pub(crate) fn why_empty(
        &self,
        mapping: &Mapping,
        nowhere: &[Nowhere],
    ) -> Option<ConnectorError> {
        if self.items > 0 || !self.has_rows() {
            return None;
        }
        let line = mapping.where_line().filter(|_| self.lost == 0);
        if let Some(line) = line {
            let rows = counted(self.filtered, "row");
            let why = format!("`where` (config line {line}) left out all of {rows}");
            return Some(ConnectorError::mapping(why));
        }
        let ids: Vec<_> = nowhere.iter().map(|lack| lack.message.as_str()).collect();
        let rows = counted(self.lost, "row");
        let why = format!("{rows} without an id, SKU or EAN, or that cannot be read");
        match ids.as_slice() {
            [] => Some(ConnectorError::source(why)),
            ids => Some(ConnectorError::mapping(format!("{why}: {}", ids.join("; ")))),
        }
    }
}

fn counted(count: u64, what: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {what}{end}")
}

/// The fields that have nothing in all of a delivery, because no item has their paths.
/// `is_nowhere`: whether a path was looked for and was never there. `seen`: what the source has,
/// one place a line.
pub(crate) fn nowhere(
    mapping: &Mapping,
    is_nowhere: &dyn Fn(PathId) -> bool,
    seen: &str,
) -> Vec<Nowhere> {
    let fields = mapping.fields().into_iter();
    let lacking = fields.filter_map(|(word, field)| Some((word, field.as_ref()?)));
    lacking
        .filter_map(|(word, field)| {
            let paths = field.paths();
            // What only a preset names may be absent.
            let is_own = |path: &PathId| {
                mapping.paths.get(path.index()).is_some_and(|path| !path.is_optional)
            };
            if !paths.iter().any(is_own) || !paths.iter().all(|path| is_nowhere(*path)) {
                return None;
            }
            let texts: Vec<&str> = paths
                .iter()
                .filter_map(|path| Some(mapping.paths.get(path.index())?.text.as_str()))
                .collect();
            let message = message(word, field.line, &texts, seen);
            let paths = texts.iter().map(|text| format!("the path {text}")).collect();
            let is_needed = ["item_id", "sku", "quantity", "price"].contains(&word);
            Some(Nowhere { is_needed, paths, line: field.line, message })
        })
        .collect()
}

fn message(word: &str, line: u64, paths: &[&str], seen: &str) -> String {
    let quoted: Vec<_> = paths.iter().map(|path| shown(path)).collect();
    let last = |path: &str| path.rsplit(['/', '@']).next().unwrap_or_default().to_owned();
    let known: Vec<String> = seen.lines().map(last).collect();
    let near = paths
        .iter()
        .find_map(|path| nearest(&last(path), known.iter().map(String::as_str)).map(str::to_owned));
    let near = near.map(|near| format!("; did you mean {}?", shown(&near))).unwrap_or_default();
    format!(
        "`fields.{word}` (config line {line}) looks at {}, which no item has{near} {}",
        quoted.join(", "),
        there_is(seen)
    )
    .trim_end()
    .to_owned()
}

/// What a source has, for the end of a message. `seen`: one place a line.
pub(crate) fn there_is(seen: &str) -> String {
    let mut names: Vec<&str> = seen.lines().take(NAMED).collect();
    if seen.lines().nth(NAMED).is_some() {
        names.push("…");
    }
    if names.is_empty() { String::new() } else { format!("(it has {})", names.join(", ")) }
}
