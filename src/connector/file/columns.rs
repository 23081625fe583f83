//! Columns that a mapping names, by their header or their place: shared by text tables and sheets.

use crate::connector::ConnectorError;
use crate::connector::feed::mapping::{Field, MappedPath, Mapping, PathId};
use crate::connector::feed::shown;
use crate::settings::nearest;

/// What is wrong with a path as the name or place of a column, if anything.
pub(super) fn check(path: &str, header_row: u64) -> Result<(), String> {
    let place = path.strip_prefix('#').and_then(|place| place.parse::<u64>().ok());
    match place {
        Some(1..=10_000) => Ok(()),
        Some(_) => Err("columns are counted from \"#1\" to \"#10000\"".to_owned()),
        None if header_row == 0 => Err("there are no names without a header (`header_row = 0`); \
             name a column by its place, such as \"#3\""
            .to_owned()),
        None => Ok(()),
    }
}

/// The place of a column that is not there and need not be: no row has a cell in it.
pub(super) const ABSENT: usize = usize::MAX;

/// The column of each path of a mapping. `names` are those of the header, if there is one; `place`
/// is what they stand in, for the error that lists them.
pub(super) fn find(
    mapping: &Mapping,
    names: Option<&[String]>,
    place: &str,
) -> Result<Vec<usize>, ConnectorError> {
    let (mut columns, mut errors) = (Vec::new(), Vec::new());
    for path in &mapping.paths {
        match find_one(path, names) {
            Ok(None) if path.is_optional => columns.push(ABSENT),
            Ok(None) => errors.push(missing(path, names.unwrap_or_default())),
            Ok(Some(column)) => columns.push(column),
            Err(why) => errors.push(why),
        }
    }
    if errors.is_empty() {
        errors.extend(mapping.needed().filter_map(|(key, field)| lacks_all(key, field, &columns)));
    }
    if errors.is_empty() {
        return Ok(columns);
    }
    let seen: Vec<_> = names.unwrap_or_default().iter().map(|name| shown(name)).collect();
    Err(ConnectorError::mapping(format!(
        "{place}: {}; its columns are {}",
        errors.join("; "),
        seen.join(", ")
    )))
}

/// How many columns of a mapping have their names among these.
pub(super) fn known(mapping: &Mapping, names: &[String]) -> usize {
    let is_there = |path: &&MappedPath| {
        let lower = path.text.to_lowercase();
        names.iter().any(|name| name.to_lowercase() == lower)
    };
    mapping.paths.iter().filter(is_there).count()
}

/// What is wrong with a field that an item needs and whose columns, all of a preset, are not there.
fn lacks_all(key: &str, field: &Field, columns: &[usize]) -> Option<String> {
    let paths = field.paths();
    let is_there = |path: &PathId| columns.get(path.index()).is_some_and(|at| *at != ABSENT);
    (!paths.is_empty() && !paths.iter().any(is_there)).then(|| {
        format!(
            "the preset (config line {}) finds no column for `fields.{key}`; name the one that \
             holds it: fields.{key} = \"…\"",
            field.line
        )
    })
}

/// The column that a path names, by its name or its place; `None` where no column has the name.
fn find_one(path: &MappedPath, names: Option<&[String]>) -> Result<Option<usize>, String> {
    let wanted = wanted(path);
    let place = path.text.strip_prefix('#').and_then(|place| place.parse::<usize>().ok());
    if let Some(column) = place.and_then(|place| place.checked_sub(1)) {
        return match names {
            Some(names) if column >= names.len() => {
                Err(format!("{wanted} wants column {}, and there are {}", path.text, names.len()))
            }
            _ => Ok(Some(column)),
        };
    }
    let names = names.unwrap_or_default();
    let lower = path.text.to_lowercase();
    let found: Vec<usize> =
        (0..names.len()).filter(|column| names[*column].to_lowercase() == lower).collect();
    match found.as_slice() {
        [column] => Ok(Some(*column)),
        [] => Ok(None),
        several => {
            let places: Vec<_> =
                several.iter().map(|column| format!("\"#{}\"", column + 1)).collect();
            Err(format!(
                "{wanted} wants column {}, which is there more than once; pick one of {}",
                shown(&path.text),
                places.join(", ")
            ))
        }
    }
}

fn missing(path: &MappedPath, names: &[String]) -> String {
    let near = nearest(&path.text, names.iter().map(String::as_str));
    let hint = near.map(|near| format!(" (did you mean {}?)", shown(near))).unwrap_or_default();
    format!("{} wants column {}, which is not there{hint}", wanted(path), shown(&path.text))
}

fn wanted(path: &MappedPath) -> String {
    format!("`{}` (config line {})", path.key, path.line)
}
