//! `source = "feeds/stock-*.csv"`: the newest complete file of those that match.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::bytes::Stamp;
use super::newest::{self, By, Candidate};
use crate::around::Around;
use crate::connector::ConnectorError;

/// A file that was changed so lately may still be written: it is looked at twice.
const FRESH: Duration = Duration::from_secs(10);
/// The time between the two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// The newest complete file that matches `glob`, relative to `folder`.
pub(super) fn newest(
    folder: &Path,
    glob: &str,
    around: &Around,
    integration: &str,
) -> Result<PathBuf, ConnectorError> {
    let literal = folder.join(glob);
    if literal.is_file() {
        return Ok(literal);
    }
    let (candidates, unfinished) = matching(folder, glob)?;
    let (candidates, by) = newest::newest_first(candidates);
    let mut growing = 0;
    for (place, candidate) in candidates.iter().enumerate() {
        let path = PathBuf::from(&candidate.name);
        if is_growing(&path, candidate, around)? {
            growing += 1;
            around.progress.note(&format!(
                "{integration}: {} is still being written; it was passed over",
                path.display()
            ));
            continue;
        }
        // Those before it were passed over.
        tell(candidate, &candidates[place..], by, around, integration);
        return Ok(path);
    }
    let why = match (unfinished, growing) {
        (0, 0) => String::new(),
        (0, more) => format!("; {more} that match are still being written"),
        (more, 0) => format!("; {more} that match are empty or named as unfinished (.tmp, .part)"),
        (one, other) => format!("; {} that match are empty or still being written", one + other),
    };
    Err(ConnectorError::source(format!(
        "no file matches {}{why}; check `source`, or wait for the file to be delivered",
        literal.display()
    )))
}

/// The files that match, and how many were left out because they are not complete.
fn matching(folder: &Path, glob: &str) -> Result<(Vec<Candidate>, usize), ConnectorError> {
    let folder = glob::Pattern::escape(&folder.to_string_lossy());
    let pattern = match Path::new(glob).is_absolute() || folder.is_empty() {
        true => glob.to_owned(),
        false => format!("{folder}/{glob}"),
    };
    let paths = glob::glob(&pattern).map_err(|why| {
        ConnectorError::usage(format!("`source` is no right pattern: {} at {}", why.msg, why.pos))
    })?;
    let (mut candidates, mut unfinished) = (Vec::new(), 0);
    for path in paths.flatten() {
        let Some(name) = path.to_str() else { continue };
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        if !metadata.is_file() {
            continue;
        }
        let (length, modified) = (metadata.len(), metadata.modified().ok());
        let candidate = Candidate { name: name.to_owned(), length, modified };
        match newest::is_unfinished(&candidate) {
            true => unfinished += 1,
            false => candidates.push(candidate),
        }
    }
    Ok((candidates, unfinished))
}

fn is_growing(path: &Path, candidate: &Candidate, around: &Around) -> Result<bool, ConnectorError> {
    let age = candidate.modified.and_then(|at| SystemTime::now().duration_since(at).ok());
    if age.is_some_and(|age| age >= FRESH) {
        return Ok(false);
    }
    let look = || std::fs::metadata(path).map(|metadata| Stamp::of(&metadata)).ok();
    let before = look();
    if !around.sleep(BETWEEN_LOOKS) {
        return Err(ConnectorError::interrupted());
    }
    Ok(look() != before || before.is_none())
}

/// Says what was chosen, and where the time of the files says otherwise.
fn tell(chosen: &Candidate, all: &[Candidate], by: By, around: &Around, integration: &str) {
    let words = match by {
        By::Itself => "the only file that matches".to_owned(),
        By::Name => format!("the newest of {} by the numbers in their names", all.len()),
        By::Time => format!("the one of {} that was written last", all.len()),
    };
    around.progress.detail(&format!("{integration}: reads {}, {words}", chosen.name));
    let later = all.iter().filter(|other| other.modified > chosen.modified);
    if let (By::Name, Some(other)) = (by, later.max_by_key(|other| other.modified)) {
        around.progress.note(&format!(
            "{integration}: {} is the newest by its name, but {} was written later; names sort \
             right when their dates begin with the year",
            chosen.name, other.name
        ));
    }
}
