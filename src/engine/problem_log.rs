//! The problems of a run: all of them, in little memory, for a feed can be wrong in every row.

use std::io;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::model::{Acceptance, Problem, ProblemKind};
use crate::report::Problems;

/// Problems in the order in which they were met.
#[derive(Default)]
pub(super) struct ProblemLog {
    text: String,
    entries: Vec<Entry>,
    /// What the integration's config accepts.
    accept: Arc<[Acceptance]>,
}

struct Entry {
    kind: ProblemKind,
    item_id: Span,
    sku: Span,
    message: Span,
    /// The file of the line, where it is not what was delivered.
    file: Span,
    line: u64,
}

/// A place in the text; the length is `ABSENT` where there is none.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    length: u32,
}

const ABSENT: u32 = u32::MAX;

/// What a problem is about, lent to the log.
#[derive(Clone, Copy, Default)]
pub(super) struct About<'a> {
    pub item_id: Option<&'a str>,
    pub sku: Option<&'a str>,
    /// From 1; 0 where there is none.
    pub line: u64,
}

impl ProblemLog {
    /// An empty log; what these cover is told as accepted.
    pub(super) fn accepting(accept: &Arc<[Acceptance]>) -> ProblemLog {
        ProblemLog { accept: Arc::clone(accept), ..ProblemLog::default() }
    }

    pub(super) fn add(&mut self, kind: ProblemKind, about: About<'_>, message: &str) {
        self.keep_entry(None, kind, about, message);
    }

    /// Adds a problem whose line is one of another file than what was delivered.
    pub(super) fn add_in(
        &mut self,
        file: &str,
        kind: ProblemKind,
        about: About<'_>,
        message: &str,
    ) {
        self.keep_entry(Some(file), kind, about, message);
    }

    fn keep_entry(
        &mut self,
        file: Option<&str>,
        kind: ProblemKind,
        about: About<'_>,
        message: &str,
    ) {
        let item_id = self.keep(about.item_id);
        let sku = self.keep(about.sku);
        let message = self.keep(Some(message).filter(|text| !text.is_empty()));
        let file = self.keep(file);
        self.entries.push(Entry { kind, item_id, sku, message, file, line: about.line });
    }

    /// Puts another log's problems behind these.
    pub(super) fn append(&mut self, other: ProblemLog) {
        if self.accept.is_empty() {
            self.accept = other.accept;
        }
        let moved = |span: Span| Span { start: span.start + self.text.len(), ..span };
        let entries = other.entries.into_iter().map(|entry| Entry {
            item_id: moved(entry.item_id),
            sku: moved(entry.sku),
            message: moved(entry.message),
            file: moved(entry.file),
            ..entry
        });
        self.entries.extend(entries);
        self.text.push_str(&other.text);
    }

    /// Takes out what other logs say, too: several sources may have the same items.
    pub(super) fn drop_what_is_in<'l>(&mut self, others: impl Iterator<Item = &'l ProblemLog>) {
        let key = |log: &ProblemLog, entry: &Entry| {
            let own = |span| log.text(span).map(str::to_owned);
            (entry.kind, own(entry.item_id), own(entry.sku), own(entry.message))
        };
        let all = others.flat_map(|log| log.entries.iter().map(move |entry| key(log, entry)));
        let known: FxHashSet<_> = all.collect();
        let entries = std::mem::take(&mut self.entries);
        let new = entries.into_iter().filter(|entry| !known.contains(&key(self, entry)));
        self.entries = new.collect();
    }

    /// How many problems of each kind there are.
    pub(super) fn counts(&self) -> Vec<(ProblemKind, u64)> {
        let mut counts: Vec<(ProblemKind, u64)> = Vec::new();
        for entry in &self.entries {
            match counts.iter_mut().find(|(kind, _)| *kind == entry.kind) {
                Some((_, count)) => *count += 1,
                None => counts.push((entry.kind, 1)),
            }
        }
        counts
    }

    /// How many problems of one kind there are.
    pub(super) fn count_of(&self, kind: ProblemKind) -> u64 {
        self.entries.iter().filter(|entry| entry.kind == kind).count() as u64
    }

    /// Whether any of them makes a run exit 3.
    pub(super) fn makes_partial(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| entry.kind.makes_partial() && self.accepted(entry).is_none())
    }

    fn accepted(&self, entry: &Entry) -> Option<&Acceptance> {
        self.accept.iter().find(|acceptance| {
            acceptance.covers(entry.kind, self.text(entry.item_id), self.text(entry.sku))
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Problem> + '_ {
        self.entries.iter().map(|entry| Problem {
            kind: entry.kind,
            item_id: self.text(entry.item_id).map(str::to_owned),
            sku: self.text(entry.sku).map(str::to_owned),
            file: self.text(entry.file).map(str::to_owned),
            line: Some(entry.line).filter(|line| *line > 0),
            accepted: self.accepted(entry).map(|acceptance| acceptance.reason.clone()),
            message: match self.text(entry.message) {
                Some(message) => message.to_owned(),
                None => default_message(entry.kind).to_owned(),
            },
        })
    }

    fn keep(&mut self, text: Option<&str>) -> Span {
        let start = self.text.len();
        let length = match text {
            Some(text) => {
                self.text.push_str(text);
                u32::try_from(text.len()).unwrap_or(ABSENT)
            }
            None => ABSENT,
        };
        Span { start, length }
    }

    fn text(&self, span: Span) -> Option<&str> {
        if span.length == ABSENT {
            return None;
        }
        self.text.get(span.start..span.start + span.length as usize)
    }
}

/// The message of a kind that comes by the million is not kept a million times.
fn default_message(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Unlinked => {
            "no product has this SKU or EAN; nothing was changed. Link it by hand (`invsync link \
             set`), make the product (`invsync inventory import`), or set unlinked = \"create\""
        }
        _ => "",
    }
}

impl Problems for &ProblemLog {
    fn count(&self) -> u64 {
        (**self).count()
    }

    fn each(&self, each: &mut dyn FnMut(&Problem) -> io::Result<bool>) -> anyhow::Result<()> {
        (**self).each(each)
    }
}

impl Problems for ProblemLog {
    fn count(&self) -> u64 {
        self.entries.len() as u64
    }

    fn each(&self, each: &mut dyn FnMut(&Problem) -> io::Result<bool>) -> anyhow::Result<()> {
        for problem in self.iter() {
            if !each(&problem)? {
                break;
            }
        }
        Ok(())
    }
}
