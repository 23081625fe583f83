//! From delivered rows to products: which item is linked to which product, and with what values.
//!
//! No I/O. Rows may come in any order: the outcome is the same. The rules, in short: a kept link
//! stays and its product takes no second item; else an earlier key of `link_by` beats a later one;
//! what fits twice by the same key is ambiguous and links nothing.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::links_file::LinksFile;
use super::problem_log::{About, ProblemLog};
use crate::connector::{RowBatch, RowView, SaleBound, Value};
use crate::inventory::{
    EanIndex, Keys, LinkState, NewProduct, ProductId, ProductSet, Products, StoredLink,
};
use crate::model::{Acceptance, Cell, Currency, Gtin, LinkKey, LinkedBy, ProblemKind, Section};

/// What matching depends on.
#[derive(Clone)]
pub(super) struct MatchRules {
    pub link_by: Vec<LinkKey>,
    /// Make products of items that fit none.
    pub create: bool,
    /// Report items that fit no product.
    pub report_unlinked: bool,
    /// The price group's currency.
    pub currency: Option<Currency>,
    /// Make links and products only for these SKUs, and report only them; empty: all.
    pub only_skus: Vec<String>,
    /// The file that holds the links; `None`: the inventory does.
    pub links: Option<Arc<LinksFile>>,
    /// What fits is only reported: the links stand in a file.
    pub only_proposes: bool,
    /// Problems that are known and accepted.
    pub accept: Arc<[Acceptance]>,
}

/// The item whose id is the SKU of its product: it needs no entry of its own.
pub(super) const SELF: u32 = u32::MAX;
const NO_PRODUCT: ProductId = 0;
/// The rank of kept links; keys of `link_by` have 1, 2, …
const KEPT: u8 = 0;
const VACANT: u8 = u8::MAX;

/// What one item delivered for the product that it is linked to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivered {
    pub quantity: Cell,
    pub price: Cell,
    /// The line of its first row; 0 where there is none.
    line: u32,
    /// Its entry, or [`SELF`].
    pub item: u32,
    rank: u8,
    flags: u8,
}

impl Delivered {
    const VACANT: Delivered = Delivered {
        quantity: Cell::UNKNOWN,
        price: Cell::UNKNOWN,
        line: 0,
        item: SELF,
        rank: VACANT,
        flags: 0,
    };
    /// Its quantity was there, but cannot be used.
    const BAD_QUANTITY: u8 = 1;
    /// Its price was there, but cannot be used.
    const BAD_PRICE: u8 = 2;
    /// Several items fit by the same key: none is linked.
    const CONTESTED: u8 = 4;
    /// A kept link by a row of its own leads here.
    const RESERVED: u8 = 8;
    /// The link by SKU to the item with the id of the SKU is kept.
    const OWN: u8 = 16;
    /// What stays with the product whichever item delivers for it.
    const OF_PRODUCT: u8 = Delivered::RESERVED | Delivered::OWN;

    /// Whether a linked item delivered something for the product.
    pub(super) fn is_linked(&self) -> bool {
        self.rank != VACANT && self.flags & Delivered::CONTESTED == 0
    }

    /// The delivered value of a section.
    pub(super) fn value(&self, section: Section) -> Cell {
        match section {
            Section::Prices => self.price,
            _ => self.quantity,
        }
    }

    /// Whether the value of a section was there, but cannot be used.
    pub(super) fn is_bad(&self, section: Section) -> bool {
        let flag = match section {
            Section::Prices => Delivered::BAD_PRICE,
            _ => Delivered::BAD_QUANTITY,
        };
        self.flags & flag != 0
    }

    fn spoil(&mut self, section: Section) {
        match section {
            Section::Prices => {
                self.price = Cell::UNKNOWN;
                self.flags |= Delivered::BAD_PRICE;
            }
            _ => {
                self.quantity = Cell::UNKNOWN;
                self.flags |= Delivered::BAD_QUANTITY;
            }
        }
    }
}

/// An item that needs an entry: its id is not the SKU of its product, or it has no product.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub product: ProductId,
    pub state: ItemState,
    pub linked_by: LinkedBy,
    pub handle: Option<Box<str>>,
    /// A row of it was delivered.
    seen: bool,
    /// A hash of what that row says who it is: the SKU, or else the EAN.
    identity: u32,
    /// Its place among the newcomers, where it has no product yet.
    newcomer: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemState {
    /// A link from an earlier run.
    Kept,
    /// A kept link, but the item now carries another product's SKU.
    Conflict,
    /// To be linked by this run.
    New,
    /// Never to be linked.
    Never,
    /// Fits no product, or not exactly one.
    Unlinked,
}

/// An item that fits no product by the keys that were at hand when it came by.
struct Newcomer {
    item: u32,
    sku: Option<Box<str>>,
    ean: Option<Box<str>>,
    name: Option<Box<str>>,
    parent_sku: Option<Box<str>>,
    values: Delivered,
    state: NewcomerState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum NewcomerState {
    Open,
    Ambiguous,
    Done,
}

/// How many rows there were of each sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub items: u64,
    pub duplicates: u64,
    pub linked: u64,
    /// Rows that could not become items: what is absent may be among them.
    pub lost: u64,
}

/// Takes rows and finds their products.
pub(super) struct Matcher {
    rules: MatchRules,
    products: Products,
    by_sku: ProductSet,
    item_ids: Keys,
    items: Vec<Item>,
    delivered: Vec<Delivered>,
    /// Further items of a product, linked by hand.
    shared: Vec<(ProductId, Delivered)>,
    newcomers: Vec<Newcomer>,
    eans: Option<EanIndex>,
    sale_bounds: FxHashMap<Box<str>, SaleBound>,
    problems: ProblemLog,
    counts: Counts,
    conflicts: u64,
    /// The products of a batch's SKUs.
    found: Vec<Option<ProductId>>,
}

/// What became of all rows.
pub(super) struct Matched {
    pub products: Products,
    pub by_sku: ProductSet,
    pub item_ids: Keys,
    pub items: Vec<Item>,
    /// By product id.
    pub delivered: Vec<Delivered>,
    pub shared: Vec<(ProductId, Delivered)>,
    pub created: Vec<NewProduct>,
    pub counts: Counts,
    pub problems: ProblemLog,
    /// What prices must stay clear of, by item id.
    pub sale_bounds: FxHashMap<Box<str>, SaleBound>,
    /// The SKUs to which the run is restricted, as products; `None`: no restriction.
    pub only: Option<ProductSet>,
}

impl Matcher {
    pub(super) fn new(rules: MatchRules, products: Products, links: LinkState) -> Matcher {
        let mut delivered = vec![Delivered::VACANT; products.end() as usize];
        for product in links.by_sku.iter() {
            if let Some(slot) = delivered.get_mut(product as usize) {
                slot.flags |= Delivered::OWN;
            }
        }
        let items = links
            .links
            .into_iter()
            .map(|StoredLink { product, linked_by, handle }| {
                if let Some(slot) = product.and_then(|id| delivered.get_mut(id as usize)) {
                    slot.flags |= Delivered::RESERVED;
                }
                Item {
                    product: product.unwrap_or(NO_PRODUCT),
                    state: if product.is_some() { ItemState::Kept } else { ItemState::Never },
                    linked_by,
                    handle,
                    seen: false,
                    identity: 0,
                    newcomer: u32::MAX,
                }
            })
            .collect();
        let problems = ProblemLog::accepting(&rules.accept);
        Matcher {
            rules,
            products,
            by_sku: links.by_sku,
            item_ids: links.keys,
            items,
            delivered,
            shared: Vec::new(),
            newcomers: Vec::new(),
            eans: None,
            sale_bounds: FxHashMap::default(),
            problems,
            counts: Counts::default(),
            conflicts: 0,
            found: Vec::new(),
        }
    }

    /// Whether EANs decide before SKUs, so that they are needed for every row.
    pub(super) fn needs_eans_first(&self) -> bool {
        self.rules.link_by.first() == Some(&LinkKey::Ean)
    }

    /// Whether EANs may find a product for what has none after all rows.
    pub(super) fn needs_eans(&self) -> bool {
        self.eans.is_none()
            && self.rules.link_by.contains(&LinkKey::Ean)
            && self.newcomers.iter().any(|newcomer| {
                newcomer.state == NewcomerState::Open && gtin(newcomer.ean.as_deref()).is_some()
            })
    }

    pub(super) fn set_eans(&mut self, eans: EanIndex) {
        self.eans = Some(eans);
    }

    /// Takes the rows of a batch.
    pub(super) fn take(&mut self, batch: &RowBatch) -> crate::inventory::Result<()> {
        let mut by_sku = std::mem::take(&mut self.found);
        self.products.find_all(batch.rows().map(|row| row.sku()), &mut by_sku);
        // Looks at all the slots at once, so that they are near when each row's turn comes.
        let slots = by_sku.iter().flatten().map(|product| &self.delivered[*product as usize]);
        std::hint::black_box(slots.fold(0, |flags, slot| flags | slot.flags));
        for (row, by_sku) in batch.rows().zip(&by_sku) {
            self.take_row(&row, *by_sku)?;
        }
        self.found = by_sku;
        for (row, bound) in batch.sale_bounds() {
            if let Some(id) = row.item_id().or(row.sku()) {
                self.sale_bounds.insert(id.into(), bound);
            }
        }
        self.take_problems(batch);
        Ok(())
    }

    fn take_row(
        &mut self,
        row: &RowView<'_>,
        by_sku: Option<ProductId>,
    ) -> crate::inventory::Result<()> {
        self.counts.items += 1;
        let values = self.values(row);
        let sku = row.sku();
        let mut ean_id = String::new();
        let id = match (row.item_id(), sku, row.ean()) {
            (Some(id), ..) => id,
            (None, Some(sku), _) => sku,
            (None, None, Some(ean)) => {
                ean_id.push_str("ean:");
                ean_id.push_str(ean);
                &ean_id
            }
            // A connector makes no item of such a row.
            (None, None, None) => return Ok(()),
        };
        if !self.items.is_empty()
            && let Some(item) = self.item_ids.find(id.as_bytes())
        {
            self.take_known(item, row, values);
            return Ok(());
        }
        if sku == Some(id)
            && let Some(product) = by_sku
        {
            let slot = &self.delivered[product as usize];
            if slot.rank != VACANT && slot.item == SELF && slot.flags & Delivered::CONTESTED == 0 {
                self.take_duplicate(product, values, id, sku);
                return Ok(());
            }
        }
        if let Some(product) = self.kept_by_own_sku(id, sku, by_sku) {
            match by_sku {
                Some(other) if other != product => self.report_conflict(product, id, row),
                // What the store needs beside the id has its place in an entry only.
                _ if row.handle().is_some() => {
                    let item = self.add_item(id, row.handle(), ItemState::Kept, product)?;
                    self.items[item as usize].identity = identity(row);
                    self.propose(product, item, KEPT, values);
                }
                _ => self.propose(product, SELF, KEPT, values),
            }
            return Ok(());
        }
        self.take_new(row, id, by_sku, values)
    }

    /// The product whose SKU is the item's id, where that link is kept.
    fn kept_by_own_sku(
        &self,
        id: &str,
        sku: Option<&str>,
        by_sku: Option<ProductId>,
    ) -> Option<ProductId> {
        if self.by_sku.is_empty() {
            return None;
        }
        let own = if sku == Some(id) { by_sku } else { self.products.find(id) };
        own.filter(|product| self.is_own(*product))
    }

    fn is_own(&self, product: ProductId) -> bool {
        self.delivered[product as usize].flags & Delivered::OWN != 0
    }

    /// An item that is seen for the first time and has no kept link.
    fn take_new(
        &mut self,
        row: &RowView<'_>,
        id: &str,
        by_sku: Option<ProductId>,
        values: Delivered,
    ) -> crate::inventory::Result<()> {
        let found = self.candidate(by_sku, row.ean());
        if let Ok(Some((product, key))) = found {
            let rank = rank_of(key);
            let key = self.rules.link_by[key];
            // What the store needs beside the id has its place in an entry only.
            let is_self = row.sku() == Some(id) && key == LinkKey::Sku && row.handle().is_none();
            if !self.is_wanted(product) {
                let item = self.add_item(id, row.handle(), ItemState::Unlinked, NO_PRODUCT)?;
                self.items[item as usize].identity = identity(row);
            } else if is_self {
                self.propose(product, SELF, rank, values);
            } else {
                let item = self.add_item(id, row.handle(), ItemState::New, product)?;
                self.items[item as usize].linked_by = key.into();
                self.items[item as usize].identity = identity(row);
                self.propose(product, item, rank, values);
            }
            return Ok(());
        }
        let item = self.add_item(id, row.handle(), ItemState::Unlinked, NO_PRODUCT)?;
        let boxed = |text: Option<&str>| text.map(Box::from);
        self.items[item as usize].newcomer = u32::try_from(self.newcomers.len()).unwrap_or(0);
        self.items[item as usize].identity = identity(row);
        let state = if found.is_err() { NewcomerState::Ambiguous } else { NewcomerState::Open };
        self.newcomers.push(Newcomer {
            item,
            sku: boxed(row.sku()),
            ean: boxed(row.ean()),
            name: boxed(row.name().filter(|_| self.rules.create)),
            parent_sku: boxed(row.parent_sku().filter(|_| self.rules.create)),
            values,
            state,
        });
        if found.is_err() {
            self.report_ambiguous_ean(id, row.sku(), row.ean(), row.line());
        }
        Ok(())
    }

    /// The product that an item fits by the first key that fits any, and that key's place in
    /// `link_by`. The error: it fits several.
    fn candidate(
        &self,
        by_sku: Option<ProductId>,
        ean: Option<&str>,
    ) -> Result<Option<(ProductId, usize)>, ()> {
        for (at, key) in self.rules.link_by.iter().enumerate() {
            let found = match (key, &self.eans) {
                (LinkKey::Sku, _) => by_sku,
                (LinkKey::Ean, Some(eans)) => match gtin(ean) {
                    Some(gtin) => eans.find(gtin)?,
                    None => None,
                },
                (LinkKey::Ean, None) => None,
            };
            if let Some(product) = found {
                return Ok(Some((product, at)));
            }
        }
        Ok(None)
    }

    /// An item that has an entry: a kept link, a never mark, or a further row of its id.
    fn take_known(&mut self, item: u32, row: &RowView<'_>, values: Delivered) {
        let entry = &self.items[item as usize];
        let (product, state) = (entry.product, entry.state);
        let id = self.item_ids.text(item).to_owned();
        if entry.seen && entry.identity != identity(row) {
            self.take_impostor(item, values.line);
            return;
        }
        if entry.seen {
            if entry.newcomer != u32::MAX {
                self.duplicate_newcomer(entry.newcomer, values, &id, row.sku());
            } else if state == ItemState::Kept || state == ItemState::New {
                self.take_duplicate(product, Delivered { item, ..values }, &id, row.sku());
            } else {
                self.counts.duplicates += 1;
            }
            return;
        }
        let entry = &mut self.items[item as usize];
        entry.seen = true;
        entry.identity = identity(row);
        // An item may have moved to another parent since its link was made.
        if entry.handle.as_deref() != row.handle() {
            entry.handle = row.handle().map(Box::from);
        }
        match state {
            ItemState::Kept if self.is_link_conflict(item, row.sku()) => {
                self.items[item as usize].state = ItemState::Conflict;
                self.report_conflict(product, &id, row);
            }
            ItemState::Kept => self.propose(product, item, KEPT, values),
            _ => {}
        }
    }

    fn report_conflict(&mut self, product: ProductId, id: &str, row: &RowView<'_>) {
        self.conflicts += 1;
        let linked = self.products.sku(product);
        let message = format!(
            "it was linked to {linked} by its SKU and now carries the SKU of another product; \
             nothing of it was applied. Settle it with `invsync link set` or `invsync link remove`"
        );
        let about = About { item_id: Some(id), sku: row.sku(), line: row.line() };
        self.report(ProblemKind::LinkConflict, about, &message);
    }

    fn is_link_conflict(&self, item: u32, sku: Option<&str>) -> bool {
        let entry = &self.items[item as usize];
        entry.linked_by == LinkedBy::Sku
            && sku
                .and_then(|sku| self.products.find(sku))
                .is_some_and(|other| other != entry.product)
    }

    /// An item wants a product: the better claim gets it, equal claims get nothing.
    fn propose(&mut self, product: ProductId, item: u32, rank: u8, values: Delivered) {
        let values = Delivered { item, rank, ..values };
        let slot = self.delivered[product as usize];
        let kept_elsewhere = slot.flags & Delivered::RESERVED != 0
            || (item != SELF && slot.flags & Delivered::OWN != 0);
        if rank == KEPT {
            if slot.rank == KEPT {
                self.shared.push((product, values));
                return;
            }
            self.evict(product);
            self.fill(product, values);
        } else if kept_elsewhere || slot.rank < rank {
            self.lose(product, item, values.line);
        } else if slot.rank == rank {
            self.evict(product);
            self.delivered[product as usize].flags |= Delivered::CONTESTED;
            self.delivered[product as usize].rank = rank;
            self.lose(product, item, values.line);
        } else {
            self.evict(product);
            self.fill(product, values);
        }
    }

    fn fill(&mut self, product: ProductId, values: Delivered) {
        let slot = &mut self.delivered[product as usize];
        let of_product = slot.flags & Delivered::OF_PRODUCT;
        *slot = values;
        slot.flags |= of_product;
    }

    /// Whoever has the product loses it.
    fn evict(&mut self, product: ProductId) {
        let slot = self.delivered[product as usize];
        if slot.is_linked() {
            self.lose(product, slot.item, slot.line);
        }
        let flags = slot.flags & (Delivered::OF_PRODUCT | Delivered::CONTESTED);
        self.delivered[product as usize] = Delivered { flags, ..Delivered::VACANT };
    }

    /// An item that another one has a better or an equal claim against.
    fn lose(&mut self, product: ProductId, item: u32, line: u32) {
        let sku = self.products.sku(product).to_owned();
        let id = if item == SELF { sku.clone() } else { self.item_ids.text(item).to_owned() };
        let entry = if item == SELF {
            match self.add_item(&sku, None, ItemState::Unlinked, NO_PRODUCT) {
                Ok(entry) => {
                    self.items[entry as usize].identity = identity_of(Some(&sku));
                    entry
                }
                // Only where 4 GiB of ids are full; the item stays without an entry.
                Err(_) => return,
            }
        } else {
            item
        };
        let entry = &mut self.items[entry as usize];
        entry.state = ItemState::Unlinked;
        entry.product = NO_PRODUCT;
        // What is linked by EAN may have any SKU, or none.
        let mut own_sku = (entry.linked_by == LinkedBy::Sku).then(|| sku.clone());
        if let Some(newcomer) = self.newcomers.get_mut(entry.newcomer as usize) {
            newcomer.state = NewcomerState::Ambiguous;
            own_sku = newcomer_text(&newcomer.sku);
        }
        let message = format!(
            "it fits {sku}, and so does another item that is linked to it or fits it as well; \
             it was not linked and nothing was changed. Link the right one by hand (`invsync \
             link set`)"
        );
        let about = About { item_id: Some(&id), sku: own_sku.as_deref(), line: line.into() };
        self.report(ProblemKind::Ambiguous, about, &message);
    }

    fn report_ambiguous_ean(&mut self, id: &str, sku: Option<&str>, ean: Option<&str>, line: u64) {
        let message = format!(
            "several products have the EAN {}; it was not linked and nothing was changed. Link it \
             by hand (`invsync link set`)",
            ean.unwrap_or_default()
        );
        let about = About { item_id: Some(id), sku, line };
        self.report(ProblemKind::Ambiguous, about, &message);
    }

    fn add_item(
        &mut self,
        id: &str,
        handle: Option<&str>,
        state: ItemState,
        product: ProductId,
    ) -> crate::inventory::Result<u32> {
        let item =
            self.item_ids.add(id.as_bytes()).map_err(crate::inventory::InventoryError::from)?;
        self.items.push(Item {
            product,
            state,
            linked_by: LinkedBy::Sku,
            handle: handle.map(Box::from),
            seen: true,
            identity: 0,
            newcomer: u32::MAX,
        });
        Ok(item)
    }

    /// A further row with the id of an item, but with another SKU: neither is trusted, and no link
    /// is made of either.
    fn take_impostor(&mut self, item: u32, line: u32) {
        self.counts.duplicates += 1;
        let Item { product, state, newcomer, .. } = self.items[item as usize].clone();
        if let Some(newcomer) = self.newcomers.get_mut(newcomer as usize) {
            newcomer.state = NewcomerState::Ambiguous;
        } else if product != NO_PRODUCT {
            let slot = &mut self.delivered[product as usize];
            let shared = self.shared.iter_mut().find(|(p, d)| *p == product && d.item == item);
            let delivered = match shared {
                Some((_, delivered)) => delivered,
                None => slot,
            };
            for section in Section::ALL {
                delivered.spoil(section);
            }
            if state == ItemState::New {
                let flags = delivered.flags & Delivered::OF_PRODUCT;
                *delivered = Delivered { flags, ..Delivered::VACANT };
                self.items[item as usize].state = ItemState::Unlinked;
                self.items[item as usize].product = NO_PRODUCT;
            }
        }
        let id = self.item_ids.text(item).to_owned();
        self.report_duplicate(&id, None, line);
    }

    /// A further row of an item that has the product.
    fn take_duplicate(
        &mut self,
        product: ProductId,
        values: Delivered,
        id: &str,
        sku: Option<&str>,
    ) {
        self.counts.duplicates += 1;
        let line = values.line;
        let slot = &mut self.delivered[product as usize];
        let target = if slot.item == values.item || self.shared.is_empty() {
            slot
        } else {
            match self.shared.iter_mut().find(|(p, d)| *p == product && d.item == values.item) {
                Some((_, shared)) => shared,
                None => slot,
            }
        };
        if spoil_where_unequal(target, &values) {
            self.report_duplicate(id, sku, line);
        }
    }

    fn duplicate_newcomer(
        &mut self,
        newcomer: u32,
        values: Delivered,
        id: &str,
        sku: Option<&str>,
    ) {
        self.counts.duplicates += 1;
        let line = values.line;
        let newcomer = &mut self.newcomers[newcomer as usize];
        if spoil_where_unequal(&mut newcomer.values, &values) {
            // No product is made of rows that differ.
            if newcomer.state == NewcomerState::Open {
                newcomer.state = NewcomerState::Done;
            }
            self.report_duplicate(id, sku, line);
        }
    }

    fn report_duplicate(&mut self, id: &str, sku: Option<&str>, line: u32) {
        let message = format!(
            "several rows have the id {id} and their values differ; the differing values were \
             not used. Ask the supplier which row is right, or map an item_id that tells them \
             apart"
        );
        let about = About { item_id: Some(id), sku, line: line.into() };
        self.report(ProblemKind::DuplicateSku, about, &message);
    }

    /// The row's values, checked against the price group's currency.
    fn values(&mut self, row: &RowView<'_>) -> Delivered {
        let mut values = Delivered {
            quantity: row.quantity().cell(),
            price: row.price().cell(),
            line: u32::try_from(row.line()).unwrap_or(u32::MAX),
            item: SELF,
            rank: VACANT,
            flags: 0,
        };
        if row.quantity() == Value::Invalid {
            values.spoil(Section::Stock);
        }
        if row.price() == Value::Invalid {
            values.spoil(Section::Prices);
        }
        if let (Some(delivered), Some(wanted)) = (row.currency(), self.rules.currency)
            && delivered != wanted
            && values.price.get().is_some()
        {
            values.spoil(Section::Prices);
            let message = format!(
                "its price is in {delivered}, the price group is in {wanted}; the price was left \
                 unchanged"
            );
            self.report(ProblemKind::CurrencyMismatch, about(row), &message);
        }
        values
    }

    fn take_problems(&mut self, batch: &RowBatch) {
        for problem in batch.problems() {
            let row = problem.row.and_then(|row| batch.row(row as usize));
            let about = match &row {
                Some(row) => About { line: problem.line, ..about(row) },
                None => {
                    self.counts.lost += 1;
                    About { line: problem.line, ..About::default() }
                }
            };
            self.report(problem.kind, about, &problem.message);
        }
    }

    /// Keeps a problem, unless the run is restricted to products and this one is of no such item.
    fn report(&mut self, kind: ProblemKind, about: About<'_>, message: &str) {
        let only = &self.rules.only_skus;
        let is_wanted = only.is_empty()
            || about.sku.is_some_and(|sku| only.iter().any(|wanted| wanted == sku))
            || about.item_id.is_some_and(|id| self.is_id_wanted(id));
        if is_wanted {
            self.problems.add(kind, about, message);
        }
    }

    /// Whether an item is linked to a product that the run is restricted to.
    fn is_id_wanted(&self, item_id: &str) -> bool {
        match self.item_ids.find(item_id.as_bytes()) {
            Some(item) => {
                let product = self.items[item as usize].product;
                product != NO_PRODUCT && self.is_wanted(product)
            }
            None => self.rules.only_skus.iter().any(|wanted| wanted == item_id),
        }
    }

    fn is_wanted(&self, product: ProductId) -> bool {
        self.rules.only_skus.is_empty()
            || self.rules.only_skus.iter().any(|sku| sku == self.products.sku(product))
    }
}

/// Which rows are still without a product, and what becomes of them.
impl Matcher {
    /// Ends the matching: EANs for what has no product yet, new products, reports.
    pub(super) fn finish(mut self) -> crate::inventory::Result<Matched> {
        self.link_newcomers_by_ean();
        let created = if self.rules.create { self.create_products()? } else { Vec::new() };
        self.report_unlinked();
        if self.rules.only_proposes {
            self.take_back_new_links()?;
        }
        let linked =
            self.delivered.iter().filter(|slot| slot.is_linked()).count() + self.shared.len();
        self.counts.linked = linked as u64 + self.conflicts;
        let only = (!self.rules.only_skus.is_empty()).then(|| {
            self.rules.only_skus.iter().filter_map(|sku| self.products.find(sku)).collect()
        });
        Ok(Matched {
            products: self.products,
            by_sku: self.by_sku,
            item_ids: self.item_ids,
            items: self.items,
            delivered: self.delivered,
            shared: self.shared,
            created,
            counts: self.counts,
            problems: self.problems,
            sale_bounds: self.sale_bounds,
            only,
        })
    }

    fn link_newcomers_by_ean(&mut self) {
        let Some(rank) = self.rules.link_by.iter().position(|key| *key == LinkKey::Ean) else {
            return;
        };
        for at in 0..self.newcomers.len() {
            let newcomer = &self.newcomers[at];
            let (Some(eans), Some(gtin), NewcomerState::Open) =
                (&self.eans, gtin(newcomer.ean.as_deref()), newcomer.state)
            else {
                continue;
            };
            let (item, values) = (newcomer.item, newcomer.values);
            match eans.find(gtin) {
                Ok(None) => {}
                Ok(Some(product)) if self.is_wanted(product) => {
                    self.newcomers[at].state = NewcomerState::Done;
                    self.link_newcomer(item, product, LinkedBy::Ean);
                    self.propose(product, item, rank_of(rank), values);
                }
                Ok(Some(_)) => self.newcomers[at].state = NewcomerState::Done,
                Err(()) => {
                    self.newcomers[at].state = NewcomerState::Ambiguous;
                    let (sku, ean) = (
                        newcomer_text(&self.newcomers[at].sku),
                        newcomer_text(&self.newcomers[at].ean),
                    );
                    let id = self.item_ids.text(item).to_owned();
                    let line = values.line.into();
                    self.report_ambiguous_ean(&id, sku.as_deref(), ean.as_deref(), line);
                }
            }
        }
    }

    fn link_newcomer(&mut self, item: u32, product: ProductId, linked_by: LinkedBy) {
        let entry = &mut self.items[item as usize];
        entry.product = product;
        entry.state = ItemState::New;
        entry.linked_by = linked_by;
    }

    fn create_products(&mut self) -> crate::inventory::Result<Vec<NewProduct>> {
        let mut of_sku: FxHashMap<&str, (usize, u32)> = FxHashMap::default();
        for (at, newcomer) in self.newcomers.iter().enumerate() {
            if let (Some(sku), NewcomerState::Open) = (newcomer.sku.as_deref(), newcomer.state)
                && self.products.find(sku).is_none()
                && (self.rules.only_skus.is_empty()
                    || self.rules.only_skus.iter().any(|wanted| wanted == sku))
            {
                of_sku.entry(sku).or_insert((at, 0)).1 += 1;
            }
        }
        let mut wanted: Vec<usize> =
            of_sku.values().filter(|(_, items)| *items == 1).map(|(at, _)| *at).collect();
        let contested: FxHashSet<Box<str>> = of_sku
            .iter()
            .filter(|(_, (_, items))| *items > 1)
            .map(|(sku, _)| Box::from(*sku))
            .collect();
        self.report_contested_skus(&contested);
        wanted.sort_unstable_by(|a, b| self.newcomers[*a].sku.cmp(&self.newcomers[*b].sku));
        let mut created = Vec::with_capacity(wanted.len());
        for at in wanted {
            created.push(self.create_product(at)?);
        }
        Ok(created)
    }

    fn create_product(&mut self, at: usize) -> crate::inventory::Result<NewProduct> {
        let newcomer = &mut self.newcomers[at];
        newcomer.state = NewcomerState::Done;
        let sku = newcomer.sku.take().unwrap_or_default().into_string();
        let own = |text: &mut Option<Box<str>>| text.take().map(str::into_string);
        let ean = own(&mut newcomer.ean);
        let name = own(&mut newcomer.name);
        let parent_sku = own(&mut newcomer.parent_sku);
        let (item, values) = (newcomer.item, newcomer.values);
        let id = self.products.add(&sku)?;
        self.delivered.resize(self.products.end() as usize, Delivered::VACANT);
        let is_self = self.item_ids.text(item) == sku && self.items[item as usize].handle.is_none();
        self.link_newcomer(item, id, LinkedBy::Sku);
        if is_self {
            self.items[item as usize].state = ItemState::Unlinked;
        }
        let item = if is_self { SELF } else { item };
        self.delivered[id as usize] = Delivered { item, rank: 1, ..values };
        Ok(NewProduct { id, sku, ean, name, parent_sku })
    }

    fn report_contested_skus(&mut self, contested: &FxHashSet<Box<str>>) {
        for at in 0..self.newcomers.len() {
            let newcomer = &self.newcomers[at];
            let Some(sku) = newcomer.sku.as_ref().filter(|sku| contested.contains(*sku)) else {
                continue;
            };
            if newcomer.state != NewcomerState::Open {
                continue;
            }
            let message = format!(
                "several items have the SKU {sku}; no product was made of them. Make the product \
                 and link the right item by hand (`invsync link set`)"
            );
            let id = self.item_ids.text(newcomer.item).to_owned();
            let (sku, line) = (sku.clone(), newcomer.values.line.into());
            let about = About { item_id: Some(&id), sku: Some(&sku), line };
            self.report(ProblemKind::Ambiguous, about, &message);
            self.newcomers[at].state = NewcomerState::Ambiguous;
        }
    }

    fn report_unlinked(&mut self) {
        if !self.rules.report_unlinked {
            return;
        }
        for newcomer in &self.newcomers {
            if newcomer.state == NewcomerState::Ambiguous
                || self.items[newcomer.item as usize].product != NO_PRODUCT
            {
                continue;
            }
            let is_wanted = self.rules.only_skus.is_empty()
                || newcomer
                    .sku
                    .as_ref()
                    .is_some_and(|sku| self.rules.only_skus.iter().any(|wanted| **wanted == **sku));
            if !is_wanted {
                continue;
            }
            let about = About {
                item_id: Some(self.item_ids.text(newcomer.item)),
                sku: newcomer.sku.as_deref(),
                line: newcomer.values.line.into(),
            };
            let message = match newcomer.sku.as_deref() {
                None => {
                    "it has no SKU and no product has its EAN; nothing was changed. Link it by \
                     hand (`invsync link set`)"
                }
                Some(sku) if self.products.find(sku).is_some() => {
                    "a product has this SKU, but link_by does not link by it; nothing was changed. \
                     Link it by hand (`invsync link set`)"
                }
                Some(_) if self.rules.links.is_some() => {
                    "no product has this SKU or EAN; nothing was changed. Link it by hand \
                     (`invsync link set`), or make the product (`invsync inventory import`)"
                }
                Some(_) => "",
            };
            self.problems.add(ProblemKind::Unlinked, about, message);
        }
    }
}

/// Where the links stand in a file, what fits is only a proposal.
impl Matcher {
    fn take_back_new_links(&mut self) -> crate::inventory::Result<()> {
        for product in 0..self.products.end() {
            let slot = self.delivered[product as usize];
            let is_new = match self.items.get(slot.item as usize) {
                Some(item) => item.state == ItemState::New,
                None => slot.flags & Delivered::OWN == 0,
            };
            if slot.is_linked() && is_new {
                self.take_back(product, slot)?;
            }
        }
        Ok(())
    }

    fn take_back(&mut self, product: ProductId, slot: Delivered) -> crate::inventory::Result<()> {
        let flags = slot.flags & Delivered::OF_PRODUCT;
        self.delivered[product as usize] = Delivered { flags, ..Delivered::VACANT };
        let sku = self.products.sku(product).to_owned();
        let item = match slot.item {
            SELF => self.add_item(&sku, None, ItemState::Unlinked, NO_PRODUCT)?,
            item => item,
        };
        let entry = &mut self.items[item as usize];
        entry.state = ItemState::Unlinked;
        entry.product = NO_PRODUCT;
        if !self.rules.report_unlinked {
            return Ok(());
        }
        let linked_by = entry.linked_by;
        let own_sku = match self.newcomers.get(entry.newcomer as usize) {
            Some(newcomer) => newcomer_text(&newcomer.sku),
            None => (linked_by == LinkedBy::Sku).then(|| sku.clone()),
        };
        let (name, file) = match &self.rules.links {
            Some(links) => (links.integration.as_str(), links.name.as_str()),
            None => ("NAME", "the links file"),
        };
        let message = format!(
            "link_by proposes {sku} (by {}), but {file} does not have the item; nothing was \
             changed. Write it there with `invsync link auto {name} --write`, or link it by hand \
             (`invsync link set`)",
            if linked_by == LinkedBy::Ean { "EAN" } else { "SKU" }
        );
        let id = self.item_ids.text(item).to_owned();
        let about = About { item_id: Some(&id), sku: own_sku.as_deref(), line: slot.line.into() };
        self.problems.add(ProblemKind::Unlinked, about, &message);
        Ok(())
    }
}

impl Matched {
    /// Products without any item: for the inventory's own commands.
    pub(super) fn of_products(products: Products, created: Vec<NewProduct>) -> Matched {
        Matched {
            products,
            by_sku: ProductSet::default(),
            item_ids: Keys::default(),
            items: Vec::new(),
            delivered: Vec::new(),
            shared: Vec::new(),
            created,
            counts: Counts::default(),
            problems: ProblemLog::default(),
            sale_bounds: FxHashMap::default(),
            only: None,
        }
    }

    /// What was new has been stored: from now on it is kept.
    pub(super) fn forget_new(&mut self) {
        let new = self.new_sku_links();
        for product in new.iter() {
            self.delivered[product as usize].flags |= Delivered::OWN;
        }
        self.by_sku.extend(&new);
        for item in &mut self.items {
            if item.state == ItemState::New {
                item.state = ItemState::Kept;
            }
        }
        self.created.clear();
    }

    /// The ids of the items that were delivered, have no link and may have one.
    pub(super) fn unlinked_items(&self) -> impl Iterator<Item = &str> {
        let unlinked = |item: &Item| item.seen && item.state == ItemState::Unlinked;
        let items = (0..self.item_ids.end()).zip(&self.items);
        items.filter(move |(_, item)| unlinked(item)).map(|(number, _)| self.item_ids.text(number))
    }

    /// The id of the item that delivered for a product.
    pub(super) fn item_id(&self, product: ProductId, item: u32) -> &str {
        if item == SELF { self.products.sku(product) } else { self.item_ids.text(item) }
    }

    /// What the store needs beside the id.
    pub(super) fn handle(&self, item: u32) -> Option<&str> {
        self.items.get(item as usize).and_then(|item| item.handle.as_deref())
    }

    /// How an item with an entry is linked.
    pub(super) fn linked_by(&self, item: u32) -> LinkedBy {
        self.items.get(item as usize).map_or(LinkedBy::Sku, |item| item.linked_by)
    }

    /// Everything that linked items delivered, in the order of product ids; further items of a
    /// product follow its first.
    pub(super) fn linked(&self) -> impl Iterator<Item = (ProductId, u32, &Delivered)> {
        let mut shared: FxHashMap<ProductId, Vec<&Delivered>> = FxHashMap::default();
        for (product, delivered) in &self.shared {
            shared.entry(*product).or_default().push(delivered);
        }
        let ids = 0..self.products.end();
        ids.zip(&self.delivered).filter(|(_, slot)| slot.is_linked()).flat_map(
            move |(product, slot)| {
                let more = if shared.is_empty() { None } else { shared.remove(&product) };
                let mut more = more.unwrap_or_default();
                more.sort_unstable_by_key(|delivered| delivered.item);
                std::iter::once(slot)
                    .chain(more)
                    .zip(0..)
                    .map(move |(delivered, n)| (product, n, delivered))
            },
        )
    }

    /// Whether an item was delivered that is linked to the product of a SKU, or whose id it is.
    pub(super) fn delivers(&self, sku: &str) -> bool {
        let is_linked = self.products.find(sku).is_some_and(|product| {
            self.delivered.get(product as usize).is_some_and(Delivered::is_linked)
        });
        is_linked
            || self.item_ids.find(sku.as_bytes()).is_some_and(|item| self.items[item as usize].seen)
    }

    /// The products for which a linked item was delivered.
    pub(super) fn seen(&self) -> ProductSet {
        self.products_where(Delivered::is_linked)
    }

    /// The products of kept links whose item was delivered, also where it is in conflict, and those
    /// of new links.
    pub(super) fn delivered_links(&self) -> ProductSet {
        let mut products = self.seen();
        for item in self.items.iter().filter(|item| item.state == ItemState::Conflict) {
            products.insert(item.product);
        }
        products
    }

    /// The products that a kept link leads to.
    pub(super) fn kept_links(&self) -> ProductSet {
        self.products_where(|slot| slot.flags & Delivered::OF_PRODUCT != 0)
    }

    /// Those of them whose value of a section was known.
    pub(super) fn known(&self, section: Section) -> ProductSet {
        self.products_where(|slot| slot.is_linked() && slot.value(section) != Cell::UNKNOWN)
    }

    /// Whether links or products come with it that were not there.
    pub(super) fn makes_links(&self) -> bool {
        let is_new = |item: &Item| item.state == ItemState::New && item.product != NO_PRODUCT;
        !self.created.is_empty()
            || self.items.iter().any(is_new)
            || !self.new_sku_links().is_empty()
    }

    /// The products whose link by SKU to the item with the id of that SKU is new.
    pub(super) fn new_sku_links(&self) -> ProductSet {
        self.products_where(|slot| {
            slot.is_linked() && slot.item == SELF && slot.flags & Delivered::OWN == 0
        })
    }

    fn products_where(&self, is_in: impl Fn(&Delivered) -> bool) -> ProductSet {
        (0..self.products.end())
            .zip(&self.delivered)
            .filter(|(_, slot)| is_in(slot))
            .map(|(product, _)| product)
            .collect()
    }

    /// The other new links, by item id.
    pub(super) fn new_links(&self) -> Vec<(&str, StoredLink)> {
        let mut links: Vec<_> = (0..self.item_ids.end())
            .zip(&self.items)
            .filter(|(_, item)| item.state == ItemState::New && item.product != NO_PRODUCT)
            .map(|(number, item)| {
                let link = StoredLink {
                    product: Some(item.product),
                    linked_by: item.linked_by,
                    handle: item.handle.clone(),
                };
                (self.item_ids.text(number), link)
            })
            .collect();
        links.sort_unstable_by_key(|(item_id, _)| *item_id);
        links
    }

    /// The items with a kept link that has a row of its own, by their products.
    pub(super) fn kept_items(&self) -> FxHashMap<ProductId, u32> {
        (0..self.item_ids.end())
            .zip(&self.items)
            .filter(|(_, item)| item.state == ItemState::Kept)
            .map(|(number, item)| (item.product, number))
            .collect()
    }

    /// Kept links whose item was not delivered: its id and the product's.
    pub(super) fn absent_links(&self) -> Vec<(&str, ProductId)> {
        let rows = (0..self.item_ids.end())
            .zip(&self.items)
            .filter(|(_, item)| item.state == ItemState::Kept && !item.seen)
            .map(|(number, item)| (self.item_ids.text(number), item.product));
        let own = self
            .by_sku
            .iter()
            .filter(|product| {
                self.delivered.get(*product as usize).is_some_and(|slot| slot.rank == VACANT)
            })
            .map(|product| (self.products.sku(product), product));
        rows.chain(own).collect()
    }
}

fn rank_of(position: usize) -> u8 {
    u8::try_from(position + 1).unwrap_or(VACANT - 1)
}

/// A hash of what a row says who it is.
fn identity(row: &RowView<'_>) -> u32 {
    identity_of(row.sku().or(row.ean()))
}

fn identity_of(code: Option<&str>) -> u32 {
    use std::hash::{Hash, Hasher};
    let mut hasher = rustc_hash::FxHasher::default();
    code.hash(&mut hasher);
    // The upper half is the better one.
    (hasher.finish() >> 32) as u32
}

fn gtin(ean: Option<&str>) -> Option<Gtin> {
    ean.and_then(|ean| Gtin::parse(ean.as_bytes()))
}

fn newcomer_text(text: &Option<Box<str>>) -> Option<String> {
    text.as_deref().map(str::to_owned)
}

fn about<'a>(row: &RowView<'a>) -> About<'a> {
    About { item_id: row.item_id().or(row.sku()).or(row.ean()), sku: row.sku(), line: row.line() }
}

/// Of two rows with one id a value is trusted only where they are equal. Whether a value that was
/// trusted until now is not any more.
fn spoil_where_unequal(first: &mut Delivered, second: &Delivered) -> bool {
    let mut spoiled = false;
    for section in Section::ALL {
        if first.value(section) != second.value(section) {
            spoiled |= first.value(section).get().is_some() || !first.is_bad(section);
            first.spoil(section);
        }
    }
    spoiled
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
