//! `link diff`: what the links file, the inventory's copy of it and the integration say of each
//! item.

use std::collections::{BTreeMap, BTreeSet};

use super::links::new_links_of;
use super::links_file::LinksFile;
use super::read::{Opened, match_rules, read};
use super::run::RunError;
use super::{LinkDifference, Session, UsageError};
use crate::config::Integration;
use crate::connector::Want;
use crate::inventory::{Inventory, LinkState, Products};
use crate::model::Exit;

/// Streams what differs.
pub(super) fn diff(
    session: &Session<'_>,
    integration: &Integration,
    each: &mut dyn FnMut(&LinkDifference<'_>) -> anyhow::Result<bool>,
) -> anyhow::Result<Exit> {
    let Some(file) = session.links_file(integration)? else {
        return Err(UsageError(format!(
            "{0} has no links file: its links stand in the inventory (`invsync link list {0}`). To \
             review them in git, write links = \"links/{0}.csv\" into [integrations.{0}]",
            integration.name
        ))
        .into());
    };
    let inventory = session.open_to_look()?;
    let (products, stored) = {
        let tx = inventory.begin_read()?;
        let id = tx.integration(&integration.name)?;
        (tx.products()?, tx.link_state(id)?)
    };
    let there = match session.options.offline {
        true => There::default(),
        false => There::look(session, integration, &inventory)?,
    };
    session.progress.end();
    let sides = Sides { file: &file, products: &products, stored: &stored, there: &there };
    let mut exit = Exit::Done;
    for item_id in sides.item_ids() {
        for difference in sides.differences(&item_id) {
            if session.options.exit_code {
                exit = Exit::Differences;
            }
            if !each(&difference)? {
                return Ok(exit);
            }
        }
    }
    Ok(exit)
}

/// What the integration says.
#[derive(Default)]
struct There {
    /// What `link_by` would link: the SKUs by item id.
    proposed: BTreeMap<String, String>,
    /// Items without a link, and without a proposal.
    unlinked: BTreeSet<String>,
    /// Items with a link that it does not have.
    gone: BTreeSet<String>,
}

impl There {
    fn look(
        session: &Session<'_>,
        integration: &Integration,
        inventory: &Inventory,
    ) -> anyhow::Result<There> {
        let want = Want { stock: false, prices: false, names: false };
        session.progress.begin(&format!("reading {}", integration.name), None);
        let mut there = There::default();
        // An item is gone where every source lacks it, and each was complete.
        let mut gone: Option<BTreeSet<String>> = None;
        for source in session.connect_all(integration)? {
            let opened = Opened::by(source.connector.as_ref(), want).map_err(RunError::from)?;
            let tx = inventory.begin_read()?;
            let id = tx.integration(&integration.name)?;
            let mut rules = match_rules(session, integration, false)?;
            rules.only_proposes = false;
            let reading = read(session, &tx, id, rules, &[], opened)?;
            super::pull::check_not_empty(integration, &reading)?;
            let matched = &reading.matched;
            for change in new_links_of(matched) {
                let product = change.after.and_then(|link| link.product);
                let sku = product.map(|product| matched.products.sku(product).to_owned());
                there.proposed.insert(change.item_id, sku.unwrap_or_default());
            }
            there.unlinked.extend(matched.unlinked_items().map(str::to_owned));
            let absent = matched.absent_links().into_iter().map(|(item_id, _)| item_id.to_owned());
            let absent: BTreeSet<String> =
                if reading.delivery.complete { absent.collect() } else { BTreeSet::new() };
            gone = Some(match gone {
                Some(gone) => gone.intersection(&absent).cloned().collect(),
                None => absent,
            });
        }
        there.gone = gone.unwrap_or_default();
        Ok(there)
    }
}

/// All that there is to compare.
struct Sides<'a> {
    file: &'a LinksFile,
    products: &'a Products,
    stored: &'a LinkState,
    there: &'a There,
}

impl<'a> Sides<'a> {
    fn item_ids(&self) -> BTreeSet<String> {
        let stored = (0..self.stored.keys.end()).map(|number| self.stored.keys.text(number));
        let own = self.stored.by_sku.iter().map(|product| self.products.sku(product));
        let file = self.file.item_ids().chain(stored).chain(own).map(str::to_owned);
        let there = self.there.proposed.keys().chain(&self.there.unlinked).cloned();
        file.chain(there).collect()
    }

    /// What differs about an item: one thing at most, or each of its rows that cannot be used.
    fn differences<'s>(&'s self, item_id: &'s str) -> Vec<LinkDifference<'s>> {
        let stored = self.stored.find(item_id, |sku| self.products.find(sku));
        let in_inventory =
            stored.map(|link| link.product.map(|product| self.products.sku(product)));
        let proposed = self.there.proposed.get(item_id).map(String::as_str);
        let difference = |in_file, line, state| LinkDifference {
            item_id,
            in_file,
            in_inventory,
            proposed,
            line,
            state,
        };
        let rows = self.file.rows_of(item_id).iter();
        let unusable: Vec<_> = rows
            .filter_map(|row| Some(difference(row.sku(), Some(row.line), row.unusable()?)))
            .collect();
        if !unusable.is_empty() {
            return unusable;
        }
        let in_file = self.file.sku_of(item_id);
        let state = self.state(item_id, in_file, in_inventory, proposed);
        let line = self.file.line_of(item_id);
        state.map(|state| difference(in_file, line, state)).into_iter().collect()
    }

    fn state(
        &self,
        item_id: &str,
        in_file: Option<Option<&str>>,
        in_inventory: Option<Option<&str>>,
        proposed: Option<&str>,
    ) -> Option<&'static str> {
        let is_unknown =
            |sku: Option<&str>| sku.is_some_and(|sku| self.products.find(sku).is_none());
        match (in_file, in_inventory) {
            (Some(sku), _) if is_unknown(sku) => Some("unknown_sku"),
            _ if self.there.gone.contains(item_id) => Some("gone"),
            (Some(_), None) => Some("only_in_file"),
            (Some(file), Some(inventory)) if file != inventory => Some("differs"),
            (Some(_), Some(_)) => None,
            (None, Some(_)) => Some("only_in_inventory"),
            (None, None) if proposed.is_some() => Some("proposed"),
            (None, None) => Some("unlinked"),
        }
    }
}
