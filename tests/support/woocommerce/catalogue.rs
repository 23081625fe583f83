//! What the shop sells, as its database has it: raw texts, one row an item, variations too.

use std::collections::BTreeMap;

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Simple,
    Variable,
    Grouped,
    External,
    Variation,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Simple => "simple",
            Kind::Variable => "variable",
            Kind::Grouped => "grouped",
            Kind::External => "external",
            Kind::Variation => "variation",
        }
    }
}

/// A product or a variation. Prices and quantities are texts as they are stored.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) id: u64,
    /// The product that a variation is of; 0 for products.
    pub(crate) parent: u64,
    pub(crate) kind: Kind,
    pub(crate) status: &'static str,
    /// A variation's own SKU; blank, it shows its parent's.
    pub(crate) sku: String,
    pub(crate) global_unique_id: String,
    pub(crate) name: String,
    pub(crate) regular_price: String,
    pub(crate) sale_price: String,
    /// Whether today is inside the sale's dates.
    pub(crate) sale_runs: bool,
    /// Whether the item's own stock is managed.
    pub(crate) manages_stock: bool,
    pub(crate) quantity: Option<String>,
    pub(crate) backorders: &'static str,
    /// Counts where stock is not managed; else it is computed.
    pub(crate) stock_status: String,
    pub(crate) downloadable: bool,
    /// The code and message with which saving this item fails, as a plugin makes it.
    pub(crate) refusal: Option<(&'static str, &'static str)>,
    /// When it was saved last: a count, not a time.
    pub(crate) modified: i64,
    variations: Vec<Item>,
}

impl Item {
    fn new(id: u64, kind: Kind, sku: &str) -> Item {
        Item {
            id,
            parent: 0,
            kind,
            status: "publish",
            sku: sku.to_owned(),
            global_unique_id: String::new(),
            name: format!("Product {id}"),
            regular_price: String::new(),
            sale_price: String::new(),
            sale_runs: true,
            manages_stock: false,
            quantity: None,
            backorders: "no",
            stock_status: "instock".to_owned(),
            downloadable: false,
            refusal: None,
            modified: 0,
            variations: Vec::new(),
        }
    }

    /// A simple product without price or managed stock.
    pub(crate) fn simple(id: u64, sku: &str) -> Item {
        Item::new(id, Kind::Simple, sku)
    }

    pub(crate) fn variable(id: u64, sku: &str) -> Item {
        Item::new(id, Kind::Variable, sku)
    }

    /// Adds a variation to a variable product.
    pub(crate) fn variation(mut self, id: u64, sku: &str, with: impl Fn(Item) -> Item) -> Item {
        self.variations.push(with(Item::new(id, Kind::Variation, sku)));
        self
    }

    /// Manages its stock, which is this.
    pub(crate) fn stock(mut self, quantity: &str) -> Item {
        self.manages_stock = true;
        self.quantity = Some(quantity.to_owned());
        self
    }

    /// Its regular price.
    pub(crate) fn price(mut self, price: &str) -> Item {
        self.regular_price = price.to_owned();
        self
    }

    /// Its sale price, in a sale that runs.
    pub(crate) fn sale(mut self, price: &str) -> Item {
        self.sale_price = price.to_owned();
        self
    }

    pub(crate) fn name(mut self, name: &str) -> Item {
        self.name = name.to_owned();
        self
    }

    pub(crate) fn gtin(mut self, global_unique_id: &str) -> Item {
        self.global_unique_id = global_unique_id.to_owned();
        self
    }

    /// `draft`, `pending`, `private`, `future`, `trash`.
    pub(crate) fn status(mut self, status: &'static str) -> Item {
        self.status = status;
        self
    }

    /// Anything else of it.
    pub(crate) fn with(mut self, change: impl Fn(&mut Item)) -> Item {
        change(&mut self);
        self
    }
}

/// Everything that the shop has, by id.
#[derive(Clone, Default)]
pub(crate) struct Catalogue {
    items: BTreeMap<u64, Item>,
    saves: i64,
}

impl Catalogue {
    pub(crate) fn new() -> Catalogue {
        Catalogue::default()
    }

    /// Adds a simple product.
    pub(crate) fn simple(self, id: u64, sku: &str, with: impl Fn(Item) -> Item) -> Catalogue {
        self.item(with(Item::simple(id, sku)))
    }

    /// Adds simple products with the SKUs `SKU-00001`, `SKU-00002` …, by their ids.
    pub(crate) fn simples(
        self,
        ids: impl IntoIterator<Item = u64>,
        with: impl Fn(Item) -> Item,
    ) -> Catalogue {
        let items = ids.into_iter().map(|id| with(Item::simple(id, &format!("SKU-{id:05}"))));
        items.fold(self, Catalogue::item)
    }

    /// Adds a variable product with its variations.
    pub(crate) fn variable(self, id: u64, sku: &str, with: impl Fn(Item) -> Item) -> Catalogue {
        self.item(with(Item::variable(id, sku)))
    }

    /// Adds a product that groups others.
    pub(crate) fn grouped(self, id: u64, sku: &str) -> Catalogue {
        self.item(Item::new(id, Kind::Grouped, sku))
    }

    /// Adds a product that another shop sells.
    pub(crate) fn external(self, id: u64, sku: &str, with: impl Fn(Item) -> Item) -> Catalogue {
        self.item(with(Item::new(id, Kind::External, sku)))
    }

    /// Adds a product with its variations.
    pub(crate) fn item(mut self, item: Item) -> Catalogue {
        self.add(item);
        self
    }

    /// Adds a product with its variations, or replaces it.
    pub(crate) fn add(&mut self, mut item: Item) {
        for mut variation in std::mem::take(&mut item.variations) {
            variation.parent = item.id;
            variation.name = format!("{} - {}", item.name, variation.id);
            self.items.insert(variation.id, variation);
        }
        self.items.insert(item.id, item);
    }

    /// Deletes an item for good, and the variations of a product with it.
    pub(crate) fn remove(&mut self, id: u64) {
        self.items.retain(|_, item| item.id != id && item.parent != id);
    }

    /// An item; to be there is the test's business.
    pub(crate) fn get(&self, id: u64) -> &Item {
        self.find(id).unwrap_or_else(|| panic!("the fake has no item {id}"))
    }

    /// Changes an item, as a hand in the shop does.
    pub(crate) fn change(&mut self, id: u64, change: impl FnOnce(&mut Item)) {
        change(self.items.get_mut(&id).unwrap_or_else(|| panic!("the fake has no item {id}")));
        self.touch(id);
    }

    /// Sets a stock, as a sale or a hand does.
    pub(crate) fn set_stock(&mut self, id: u64, quantity: &str) {
        self.change(id, |item| *item = item.clone().stock(quantity));
    }

    /// Sets a regular price.
    pub(crate) fn set_price(&mut self, id: u64, price: &str) {
        self.change(id, |item| *item = item.clone().price(price));
    }

    pub(super) fn find(&self, id: u64) -> Option<&Item> {
        self.items.get(&id)
    }

    pub(super) fn find_mut(&mut self, id: u64) -> Option<&mut Item> {
        self.items.get_mut(&id)
    }

    /// Every item, by id.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    pub(super) fn parent(&self, item: &Item) -> Option<&Item> {
        (item.kind == Kind::Variation).then(|| self.find(item.parent)).flatten()
    }

    pub(super) fn variations(&self, parent: u64) -> impl Iterator<Item = &Item> {
        self.items().filter(move |item| item.kind == Kind::Variation && item.parent == parent)
    }

    /// Whether it is in the trash. Trashing a product trashes its variations.
    pub(super) fn is_trashed(&self, item: &Item) -> bool {
        let own = item.status == "trash";
        own || self.parent(item).is_some_and(|parent| parent.status == "trash")
    }

    /// Notes that an item was saved. Saving a variation saves its parent as well.
    pub(super) fn touch(&mut self, id: u64) {
        self.saves += 1;
        let saves = self.saves;
        let parent = self.find(id).map_or(0, |item| item.parent);
        for id in [id, parent] {
            if let Some(item) = self.find_mut(id) {
                item.modified = saves;
            }
        }
    }
}
