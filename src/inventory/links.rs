//! Links of an integration: rows, and a set for those that follow from equal SKU and item id.

use rusqlite::types::Value as SqlValue;
use rusqlite::{OptionalExtension, params};

use super::products::ProductId;
use super::{InventoryError, Keys, ProductSet, Result, Tx};
use crate::model::{ChangeStatus, LinkedBy};

/// The kept links of an integration.
#[derive(Default)]
pub struct LinkState {
    /// The item ids that have a row, numbered from 0.
    pub keys: Keys,
    /// By that number: the link.
    pub links: Vec<StoredLink>,
    /// The products that are linked, by SKU, to the item whose id is their SKU.
    pub by_sku: ProductSet,
}

/// A link with a row of its own, but for its item id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLink {
    /// The product; `None`: never to be linked.
    pub product: Option<ProductId>,
    /// How it was made.
    pub linked_by: LinkedBy,
    /// What the store needs beside the item's id.
    pub handle: Option<Box<str>>,
}

/// A link that a link command made or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkChange {
    /// The item.
    pub item_id: String,
    /// The link before; `None`: none.
    pub before: Option<StoredLink>,
    /// The link after; `None`: none.
    pub after: Option<StoredLink>,
    /// What became of it.
    pub status: ChangeStatus,
}

impl LinkState {
    /// The link of an item. `product_of` finds the product whose SKU the id is.
    pub fn find(
        &self,
        item_id: &str,
        product_of: impl FnOnce(&str) -> Option<ProductId>,
    ) -> Option<StoredLink> {
        if let Some(number) = self.keys.find(item_id.as_bytes()) {
            return Some(self.links[number as usize].clone());
        }
        let product = product_of(item_id).filter(|id| self.by_sku.contains(*id))?;
        Some(StoredLink { product: Some(product), linked_by: LinkedBy::Sku, handle: None })
    }
}

impl Tx<'_> {
    /// All kept links of an integration; none where it has no id yet.
    pub fn link_state(&self, integration: Option<i64>) -> Result<LinkState> {
        let mut state = LinkState::default();
        let Some(integration) = integration else { return Ok(state) };
        state.by_sku = self.sku_links(integration)?;
        self.with(|conn| {
            let mut statement = conn.prepare(
                "SELECT item_id, product_id, linked_by, handle FROM links
                 WHERE integration_id = ?1 ORDER BY item_id",
            )?;
            let mut rows = statement.query([integration])?;
            while let Some(row) = rows.next()? {
                let item_id = row.get_ref(0)?.as_bytes().unwrap_or_default();
                state.keys.add(item_id).map_err(|_| rusqlite::Error::InvalidQuery)?;
                let handle: Option<String> = row.get(3)?;
                state.links.push(StoredLink {
                    product: row.get(1)?,
                    linked_by: linked_by(row.get(2)?),
                    handle: handle.map(String::into_boxed_str),
                });
            }
            Ok(())
        })?;
        Ok(state)
    }

    fn sku_links(&self, integration: i64) -> Result<ProductSet> {
        let blob: Option<Vec<u8>> = self.with(|conn| {
            conn.query_row(
                "SELECT sku_links FROM integrations WHERE id = ?1",
                [integration],
                |row| row.get(0),
            )
            .optional()
            .map(Option::flatten)
        })?;
        blob.map_or_else(|| Ok(ProductSet::default()), |blob| ProductSet::from_blob(&blob))
    }

    /// Keeps links by SKU to items with the id of that SKU; the run remembers which it added.
    pub fn add_sku_links(&self, run: i64, integration: i64, added: &ProductSet) -> Result<()> {
        if added.is_empty() {
            return Ok(());
        }
        let mut all = self.sku_links(integration)?;
        all.extend(added);
        self.set_sku_links(integration, &all)?;
        self.with(|conn| {
            conn.execute(
                "UPDATE runs SET sku_links = ?2 WHERE id = ?1",
                params![run, added.to_blob()],
            )
            .map(drop)
        })
    }

    fn set_sku_links(&self, integration: i64, links: &ProductSet) -> Result<()> {
        self.with(|conn| {
            conn.execute(
                "UPDATE integrations SET sku_links = ?2 WHERE id = ?1",
                params![integration, links.to_blob()],
            )
            .map(drop)
        })
    }

    /// Keeps links with rows of their own; the items have none yet.
    pub fn insert_links<'l>(
        &self,
        run: i64,
        integration: i64,
        links: impl Iterator<Item = (&'l str, &'l StoredLink)>,
    ) -> Result<()> {
        let head = "INSERT INTO links (integration_id, item_id, handle, product_id, linked_by, \
                    run_id) VALUES ";
        let row = format!("({integration},?,?,?,?,{run})");
        self.insert_many(head, &row, "", links, |(item_id, link), out| {
            out.push(item_id.to_owned().into());
            out.push(link.handle.as_deref().map_or(SqlValue::Null, |h| h.to_owned().into()));
            out.push(link.product.map(i64::from).into());
            out.push(link.linked_by.code().into());
        })
    }

    /// Puts links in the place of others, those that are planned, and records all of them as the
    /// run's. `writer` is the run that the links are of from then on.
    pub fn change_links(
        &self,
        run: i64,
        writer: i64,
        integration: i64,
        changes: &mut [LinkChange],
    ) -> Result<()> {
        let mut by_sku = self.sku_links(integration)?;
        for (n, change) in changes.iter_mut().enumerate() {
            if change.status == ChangeStatus::Planned {
                change.status = ChangeStatus::Applied;
                self.replace_link(writer, integration, change, &mut by_sku)?;
            }
            self.record_link(run, n, change)?;
        }
        self.set_sku_links(integration, &by_sku)
    }

    /// Puts links in the place of others without a record: they stand in a file that has a history
    /// of its own.
    pub fn adopt_links(&self, run: i64, integration: i64, changes: &[LinkChange]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut by_sku = self.sku_links(integration)?;
        let is_new_row = |change: &&LinkChange| {
            let is_row = |link: &StoredLink| link.linked_by != LinkedBy::Sku;
            change.before.is_none() && change.after.as_ref().is_some_and(is_row)
        };
        // A first adoption may bring a million of them.
        let new = changes.iter().filter(is_new_row);
        let new = new.filter_map(|change| Some((change.item_id.as_str(), change.after.as_ref()?)));
        self.insert_links(run, integration, new)?;
        for change in changes.iter().filter(|change| !is_new_row(change)) {
            self.replace_link(run, integration, change, &mut by_sku)?;
        }
        self.set_sku_links(integration, &by_sku)
    }

    /// Records a change of a link, as change number `n` of the run.
    pub fn record_link(&self, run: i64, n: usize, change: &LinkChange) -> Result<()> {
        let side = |link: &Option<StoredLink>| {
            (
                link.as_ref().and_then(|link| link.product),
                link.as_ref().map(|link| link.linked_by.code()),
            )
        };
        let ((product_before, by_before), (product_after, by_after)) =
            (side(&change.before), side(&change.after));
        let handle = change.before.as_ref().and_then(|link| link.handle.as_deref());
        self.with(|conn| {
            conn.prepare_cached(
                "INSERT INTO link_changes (run_id, n, item_id, handle, product_before,
                     linked_by_before, product_after, linked_by_after, status)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                run,
                i64::try_from(n).unwrap_or(i64::MAX),
                change.item_id,
                handle,
                product_before,
                by_before,
                product_after,
                by_after,
                change.status.code()
            ])
            .map(drop)
        })
    }

    fn replace_link(
        &self,
        run: i64,
        integration: i64,
        change: &LinkChange,
        by_sku: &mut ProductSet,
    ) -> Result<()> {
        if let Some(product) = self.own_product(change.before.as_ref(), &change.item_id)? {
            by_sku.remove(product);
        }
        if let Some(product) = self.own_product(change.after.as_ref(), &change.item_id)? {
            by_sku.insert(product);
            return self.delete_link(integration, &change.item_id);
        }
        let Some(after) = &change.after else {
            return self.delete_link(integration, &change.item_id);
        };
        self.with(|conn| {
            conn.prepare_cached(
                "INSERT INTO links (integration_id, item_id, handle, product_id, linked_by,
                     run_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (integration_id, item_id) DO UPDATE SET
                     product_id = excluded.product_id, linked_by = excluded.linked_by,
                     handle = coalesce(excluded.handle, handle), run_id = excluded.run_id",
            )?
            .execute(params![
                integration,
                change.item_id,
                after.handle.as_deref(),
                after.product,
                after.linked_by.code(),
                run
            ])
            .map(drop)
        })
    }

    fn delete_link(&self, integration: i64, item_id: &str) -> Result<()> {
        self.with(|conn| {
            conn.prepare_cached("DELETE FROM links WHERE integration_id = ?1 AND item_id = ?2")?
                .execute(params![integration, item_id])
                .map(drop)
        })
    }

    /// The run that wrote the row of a link, where it has one.
    pub fn link_writer(&self, integration: i64, item_id: &str) -> Result<Option<i64>> {
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT run_id FROM links WHERE integration_id = ?1 AND item_id = ?2",
            )?
            .query_row(params![integration, item_id], |row| row.get(0))
            .optional()
        })
    }

    /// The product of a link that needs no row: by SKU, to the item with the id of that SKU.
    fn own_product(&self, link: Option<&StoredLink>, item_id: &str) -> Result<Option<ProductId>> {
        match link {
            Some(StoredLink { product: Some(product), linked_by: LinkedBy::Sku, .. })
                if self.is_own_sku(*product, item_id)? =>
            {
                Ok(Some(*product))
            }
            _ => Ok(None),
        }
    }

    fn is_own_sku(&self, product: ProductId, item_id: &str) -> Result<bool> {
        Ok(self.product_id(item_id)? == Some(product))
    }
}

pub(super) fn linked_by(code: i64) -> LinkedBy {
    // The schema's CHECK keeps other codes out.
    LinkedBy::from_code(code).unwrap_or(LinkedBy::Never)
}

impl Tx<'_> {
    /// All links of an integration in the order of their item ids' bytes, until `each` says
    /// `false`.
    pub fn each_link<E: From<InventoryError>>(
        &self,
        integration: i64,
        mut each: impl FnMut(&str, Option<&str>, LinkedBy) -> std::result::Result<bool, E>,
    ) -> std::result::Result<(), E> {
        // Two sorted streams, merged: rows by item id, and the set by SKU.
        let by_sku = self.sku_links(integration)?;
        let error = |error: rusqlite::Error| E::from(self.error(&error));
        let mut own =
            self.conn().prepare("SELECT sku, id FROM products ORDER BY sku").map_err(error)?;
        let mut own = own.query([]).map_err(error)?;
        let mut next_own = || -> std::result::Result<Option<String>, E> {
            while let Some(row) = own.next().map_err(error)? {
                if by_sku.contains(row.get(1).map_err(error)?) {
                    return Ok(Some(row.get(0).map_err(error)?));
                }
            }
            Ok(None)
        };
        let mut rows = self
            .conn()
            .prepare(
                "SELECT item_id, sku, linked_by FROM links
                 LEFT JOIN products ON products.id = links.product_id
                 WHERE integration_id = ?1 ORDER BY item_id",
            )
            .map_err(error)?;
        let mut rows = rows.query([integration]).map_err(error)?;
        let mut pending = if by_sku.is_empty() { None } else { next_own()? };
        while let Some(row) = rows.next().map_err(error)? {
            let item_id: String = row.get(0).map_err(error)?;
            while let Some(sku) = pending.take_if(|sku| *sku <= item_id) {
                // A row of its own stands above the set.
                if sku != item_id && !each(&sku, Some(&sku), LinkedBy::Sku)? {
                    return Ok(());
                }
                pending = next_own()?;
            }
            let sku: Option<String> = row.get(1).map_err(error)?;
            let by = linked_by(row.get(2).map_err(error)?);
            if !each(&item_id, sku.as_deref(), by)? {
                return Ok(());
            }
        }
        while let Some(sku) = pending {
            if !each(&sku, Some(&sku), LinkedBy::Sku)? {
                return Ok(());
            }
            pending = next_own()?;
        }
        Ok(())
    }
}
