//! `links` of an integration: the file that holds its links.

use super::{Integration, Unlinked};
use crate::settings::{Table, Text};

/// Reads the key.
pub(super) fn read(table: &mut Table<'_>, unlinked: Unlinked) -> Option<Text> {
    let name = table.name_of("links");
    let text = table.text("links")?;
    if text.literal().is_some_and(|path| path.trim().is_empty()) {
        table.problems().error(text.line(), format!("`{name}` must name a file"));
        return None;
    }
    if unlinked == Unlinked::Create {
        let path = table.path();
        table.problems().error(
            text.line(),
            format!(
                "`{name}` does not go with `{path}.unlinked` = \"create\": a product made of an \
                 item needs a link that the file does not have. Make products with `invsync \
                 inventory import`, or write unlinked = \"report\""
            ),
        );
    }
    Some(text)
}

/// The ids of items mean something else at every integration.
pub(super) fn refuse_shared_files(table: &Table<'_>, integrations: &[Integration]) {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for integration in integrations {
        let Some(links) = &integration.links else { continue };
        let Some(path) = links.literal() else { continue };
        if let Some((_, other)) = seen.iter().find(|(known, _)| *known == path) {
            let (name, other) = (table.name_of(&integration.name), table.name_of(other));
            let message = format!(
                "`{name}.links` is the file of `{other}.links` too: give each integration a file \
                 of its own"
            );
            table.problems().error(links.line(), message);
        }
        seen.push((path, &integration.name));
    }
}
