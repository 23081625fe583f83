//! JSON: one object, written key by key in the documented order, changes as they stream by.

use std::io::{self, Write};

use anyhow::Result;
use serde::Serialize;

use super::change::change_fields;
use super::{RunReport, Sink};
use crate::model::{Problem, RunSummary, Severity};

/// An object or list that is being written.
pub struct Object<'o> {
    out: &'o mut dyn Write,
    is_empty: bool,
    close: &'static [u8],
}

impl<'o> Object<'o> {
    /// Starts an object.
    pub fn begin(out: &'o mut dyn Write) -> io::Result<Object<'o>> {
        out.write_all(b"{")?;
        Ok(Object { out, is_empty: true, close: b"}" })
    }

    fn comma(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.out.write_all(b",")?;
        }
        Ok(())
    }

    fn key(&mut self, key: &str) -> io::Result<()> {
        self.comma()?;
        serde_json::to_writer(&mut *self.out, key)?;
        self.out.write_all(b":")
    }

    /// Writes a key and its value.
    pub fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> io::Result<()> {
        self.key(key)?;
        Ok(serde_json::to_writer(&mut *self.out, value)?)
    }

    /// Starts an object under a key.
    pub fn object(&mut self, key: &str) -> io::Result<Object<'_>> {
        self.key(key)?;
        Object::begin(self.out)
    }

    /// Starts a list under a key; its objects are added with [`Object::item`].
    pub fn list(&mut self, key: &str) -> io::Result<Object<'_>> {
        self.key(key)?;
        self.out.write_all(b"[")?;
        Ok(Object { out: self.out, is_empty: true, close: b"]" })
    }

    /// Starts an object of a list.
    pub fn item(&mut self) -> io::Result<Object<'_>> {
        self.comma()?;
        Object::begin(self.out)
    }

    /// Ends the object or list.
    pub fn end(self) -> io::Result<()> {
        self.out.write_all(self.close)
    }
}

/// An object with one list that is written over the time of a command.
pub(super) struct Document<'o, W: Write + ?Sized = dyn Write + 'o> {
    pub(super) out: &'o mut W,
    key: &'static str,
    items: u64,
}

impl<'o, W: Write + ?Sized> Document<'o, W> {
    pub(super) fn new(out: &'o mut W, key: &'static str) -> Self {
        Document { out, key, items: 0 }
    }

    fn head(&mut self) -> io::Result<()> {
        write!(self.out, "{{\"schema_version\":1,\"{}\":[", self.key)
    }

    /// Starts the list's next object.
    pub(super) fn item(&mut self) -> io::Result<Object<'_>> {
        match self.items {
            0 => self.head()?,
            _ => self.out.write_all(b",")?,
        }
        self.items += 1;
        Object::begin(&mut self.out)
    }

    /// Closes the list and the object.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if self.items == 0 {
            self.head()?;
        }
        self.out.write_all(b"]}\n")?;
        self.out.flush()
    }
}

/// Prints all runs as one object.
pub(super) struct Json<'o> {
    document: Document<'o, dyn Write + Send + 'o>,
}

impl<'o> Json<'o> {
    pub(super) fn new(out: &'o mut (dyn Write + Send)) -> Self {
        Json { document: Document::new(out, "runs") }
    }
}

impl Sink for Json<'_> {
    fn run(&mut self, report: &RunReport<'_>) -> Result<()> {
        let mut object = self.document.item()?;
        run_counts(&mut object, &report.summary)?;
        let mut changes = object.list("changes")?;
        report.changes.each(&mut |change| {
            let mut object = changes.item()?;
            change_fields(&mut object, change)?;
            object.end().map(|()| true)
        })?;
        changes.end()?;
        let mut problems = object.list("problems")?;
        report.problems.each(&mut |problem| {
            problem_item(&mut problems, problem, problem.kind.severity()).map(|()| true)
        })?;
        problems.end()?;
        run_verdicts(&mut object, &report.summary)?;
        object.end()?;
        Ok(self.document.out.flush()?)
    }

    fn end(&mut self) -> Result<()> {
        Ok(self.document.end()?)
    }
}

/// The keys of a run before its changes.
pub(super) fn run_counts(object: &mut Object<'_>, run: &RunSummary) -> io::Result<()> {
    object.field("run_id", &run.run_id)?;
    object.field("integration", &run.integration)?;
    object.field("command", &run.command)?;
    object.field("dry_run", &run.dry_run)?;
    object.field("status", &run.status)?;
    object.field("started_at", &run.started_at.rfc3339())?;
    object.field("finished_at", &run.finished_at.map(|at| at.rfc3339()))?;
    object.field("items", &run.items)?;
    object.field("linked", &run.linked)?;
    object.field("unlinked", &run.unlinked)?;
    object.field("created", &run.created)?;
    object.field("missing", &run.missing)?;
    object.field("duplicates", &run.duplicates)?;
    object.field("invalid", &run.invalid)?;
    object.field("changed", &run.changed)?;
    object.field("held_back", &run.held_back)?;
    object.field("refused", &run.refused)
}

/// The keys of a run after its problems.
pub(super) fn run_verdicts(object: &mut Object<'_>, run: &RunSummary) -> io::Result<()> {
    object.field("guards", &run.guards)?;
    object.field("error", &run.error)
}

/// A problem as an object of a list.
pub(super) fn problem_item(
    list: &mut Object<'_>,
    problem: &Problem,
    severity: Severity,
) -> io::Result<()> {
    let mut object = list.item()?;
    object.field("kind", problem.kind.word())?;
    object.field("severity", severity.word())?;
    object.field("item_id", &problem.item_id)?;
    object.field("sku", &problem.sku)?;
    object.field("line", &problem.line)?;
    object.field("message", &problem.message)?;
    if let Some(file) = &problem.file {
        object.field("file", file)?;
    }
    if let Some(reason) = &problem.accepted {
        object.field("accepted", reason)?;
    }
    object.end()
}
