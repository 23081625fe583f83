//! `accept` of an integration: problems that are known, each with a reason.

use crate::model::{Acceptance, ProblemKind};
use crate::settings::{Entry, Table};

/// Reads the list; entries with errors, which are reported, are left out.
pub(super) fn read(table: &mut Table<'_>) -> Vec<Acceptance> {
    let name = table.name_of("accept");
    let Some(entry) = table.take("accept") else { return Vec::new() };
    let entries = entry.array(&name).unwrap_or_default();
    entries.iter().filter_map(|entry| acceptance(*entry, &name)).collect()
}

fn acceptance(entry: Entry<'_>, name: &str) -> Option<Acceptance> {
    let mut table = entry.table(name.to_owned())?;
    let kind = table.require("kind").and_then(|entry| kind(entry, &format!("{name}.kind")));
    let item_id = text(&mut table, "item_id");
    let sku = text(&mut table, "sku");
    let reason_name = table.name_of("reason");
    let reason = table.require("reason").and_then(|entry| {
        let (reason, _) = entry.string(&reason_name)?;
        let reason = reason.trim().to_owned();
        if reason.is_empty() {
            entry.error(format!("`{reason_name}` must say why the problem is accepted"));
        }
        Some(reason)
    });
    table.finish();
    Some(Acceptance { kind: kind?, item_id, sku, reason: reason?, line: entry.line })
}

fn kind(entry: Entry<'_>, name: &str) -> Option<ProblemKind> {
    // What is wrong in the config is put right there.
    let kinds = ProblemKind::ALL.into_iter().filter(|kind| *kind != ProblemKind::Config);
    let words: Vec<_> = kinds.map(|kind| (kind.word(), kind)).collect();
    entry.choice(name, &words)
}

fn text(table: &mut Table<'_>, key: &'static str) -> Option<String> {
    table.string(key).map(|(text, _)| text.trim().to_owned())
}
