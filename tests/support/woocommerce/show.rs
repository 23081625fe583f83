//! How items are shown: rows of JSON with what is computed from other things.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::catalogue::{Catalogue, Item, Kind};
use super::fields::Fields;
use super::settings::Settings;

/// The catalogue as it is when a request is answered.
pub(super) struct View<'a> {
    catalogue: &'a Catalogue,
    settings: &'a Settings,
    /// The variations by their parents, where many rows are shown.
    index: Option<BTreeMap<u64, Vec<&'a Item>>>,
}

impl<'a> View<'a> {
    pub(super) fn new(catalogue: &'a Catalogue, settings: &'a Settings) -> View<'a> {
        View { catalogue, settings, index: None }
    }

    /// For many rows.
    pub(super) fn indexed(mut self) -> View<'a> {
        let mut index: BTreeMap<u64, Vec<&Item>> = BTreeMap::new();
        for item in self.catalogue.items().filter(|item| item.kind == Kind::Variation) {
            index.entry(item.parent).or_default().push(item);
        }
        self.index = Some(index);
        self
    }

    /// An item as it is shown, cut to the fields.
    pub(super) fn row(&self, item: &Item, fields: Option<&Fields>) -> Value {
        let mut row = self.facts(item);
        if fields.is_none_or(|fields| fields.names_other_than(&row)) {
            row.extend(rest(item));
        }
        let row = Value::Object(row);
        match fields {
            Some(fields) => fields.cut(&row),
            None => row,
        }
    }

    /// What a sync may look at.
    fn facts(&self, item: &Item) -> Map<String, Value> {
        let (sale, regular) = (shown_sale(item), item.regular_price.as_str());
        let has_prices = !matches!(item.kind, Kind::Variable | Kind::Grouped);
        object(json!({
            "id": item.id,
            "parent_id": item.parent,
            "type": item.kind.word(),
            "status": item.status,
            "sku": self.sku(item),
            "global_unique_id": item.global_unique_id,
            "name": item.name,
            "price": self.price(item),
            "regular_price": if has_prices { regular } else { "" },
            "sale_price": if has_prices { sale } else { "" },
            "on_sale": has_prices && is_on_sale(item),
            "manage_stock": self.manage_stock(item),
            "stock_quantity": self.quantity(item),
            "stock_status": self.stock_status(item),
            "backorders": self.stock_keeper(item).map_or("no", |keeper| keeper.backorders),
            "downloadable": item.downloadable,
            "variations": self.children(item).iter().map(|child| child.id).collect::<Vec<_>>(),
            "date_modified_gmt": date(item.modified),
        }))
    }

    /// The variations of a product that are not in the trash.
    fn children(&self, parent: &Item) -> Vec<&'a Item> {
        if parent.kind != Kind::Variable {
            return Vec::new();
        }
        let mut children: Vec<_> = match &self.index {
            Some(index) => index.get(&parent.id).cloned().unwrap_or_default(),
            None => self.catalogue.variations(parent.id).collect(),
        };
        children.retain(|item| !self.catalogue.is_trashed(item));
        children
    }

    /// A variation without a SKU of its own shows its parent's.
    fn sku(&self, item: &'a Item) -> &'a str {
        match self.catalogue.parent(item) {
            Some(parent) if item.sku.is_empty() => &parent.sku,
            _ => &item.sku,
        }
    }

    /// The item whose stock counts for this one; `None` where nobody counts it.
    fn stock_keeper(&self, item: &'a Item) -> Option<&'a Item> {
        let parent = || self.catalogue.parent(item).filter(|parent| parent.manages_stock);
        if item.manages_stock { Some(item) } else { parent() }
    }

    fn manage_stock(&self, item: &'a Item) -> Value {
        match self.stock_keeper(item) {
            Some(keeper) if self.settings.manage_stock && keeper.id != item.id => json!("parent"),
            Some(_) => json!(self.settings.manage_stock),
            None => json!(false),
        }
    }

    /// Without a plugin for decimals what is behind the point is not shown, though it is stored.
    fn quantity(&self, item: &'a Item) -> Value {
        let stored = self.stock_keeper(item).and_then(|keeper| keeper.quantity.as_deref());
        let Some(number) = stored.and_then(|text| text.parse::<f64>().ok()) else {
            return Value::Null;
        };
        number_shown(if self.settings.decimal_stock { number } else { number.trunc() })
    }

    /// Computed while stock is managed; of a variable product it is the best of its variations.
    fn stock_status(&self, item: &'a Item) -> &'a str {
        if let Some(keeper) = self.stock_keeper(item).filter(|_| self.settings.manage_stock) {
            return self.managed_status(keeper);
        }
        if item.kind != Kind::Variable {
            return &item.stock_status;
        }
        let children = self.children(item).into_iter();
        // The alphabet has them in this order: instock, onbackorder, outofstock.
        children.map(|child| self.stock_status(child)).min().unwrap_or("outofstock")
    }

    fn managed_status(&self, keeper: &Item) -> &'static str {
        if number(keeper.quantity.as_deref().unwrap_or("0")) > self.settings.no_stock_amount as f64
        {
            "instock"
        } else if keeper.backorders == "no" {
            "outofstock"
        } else {
            "onbackorder"
        }
    }

    /// The active price: of a variable product its lowest.
    fn price(&self, item: &'a Item) -> String {
        match item.kind {
            Kind::Variable => {
                let prices = self.children(item).into_iter().map(active_price);
                let known = prices.filter(|price| !price.is_empty());
                known.min_by(|a, b| number(a).total_cmp(&number(b))).unwrap_or("").to_owned()
            }
            Kind::Grouped => String::new(),
            _ => active_price(item).to_owned(),
        }
    }
}

/// A number as PHP writes it: without a point where it is whole.
fn number_shown(number: f64) -> Value {
    if number.fract() == 0.0 { json!(number as i64) } else { json!(number) }
}

/// A stored text as a number; what is none counts as 0.
pub(super) fn number(text: &str) -> f64 {
    text.parse().unwrap_or(0.0)
}

/// A sale price of 0 is taken for none when it is shown, not when it is charged.
fn shown_sale(item: &Item) -> &str {
    if number(&item.sale_price) == 0.0 { "" } else { &item.sale_price }
}

fn is_on_sale(item: &Item) -> bool {
    let is_lower = number(&item.sale_price) < number(&item.regular_price);
    item.sale_runs && !item.sale_price.is_empty() && is_lower
}

fn active_price(item: &Item) -> &str {
    if is_on_sale(item) { &item.sale_price } else { &item.regular_price }
}

/// A time for a count of saves.
fn date(saves: i64) -> String {
    let time = Timestamp::from_second(1_764_000_000 + saves).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The rest of a full row, which is what makes it large.
fn rest(item: &Item) -> Map<String, Value> {
    let mut rest = descriptions(item);
    rest.extend(selling(item));
    rest
}

fn descriptions(item: &Item) -> Map<String, Value> {
    let text = "<p>Lorem ipsum dolor sit amet, “consectetur” adipiscing elit.</p>\n".repeat(8);
    let site = "https://shop.example";
    object(json!({
        "slug": format!("product-{}", item.id),
        "permalink": format!("{site}/product/product-{}/", item.id),
        "date_created": date(0),
        "date_modified": date(item.modified),
        "featured": false,
        "catalog_visibility": "visible",
        "description": text,
        "short_description": "<p>Zażółć gęślą jaźń.</p>\n",
        "categories": [{"id": 15, "name": "Uncategorized", "slug": "uncategorized"}],
        "tags": [],
        "images": [{"id": 7, "src": format!("{site}/wp-content/uploads/7.jpg"), "alt": ""}],
        "attributes": [],
        "default_attributes": [],
        "grouped_products": [],
        "menu_order": 0,
        "meta_data": [{"id": 1, "key": "_example", "value": {"a": [1, 2.5, null]}}],
        "brands": [],
        "_links": {"self": [{"href": format!("{site}/wp-json/wc/v3/products/{}", item.id)}]},
    }))
}

fn selling(item: &Item) -> Map<String, Value> {
    object(json!({
        "date_on_sale_from": null,
        "date_on_sale_to": null,
        "purchasable": !item.regular_price.is_empty(),
        "total_sales": 0,
        "virtual": false,
        "downloads": [],
        "download_limit": -1,
        "tax_status": "taxable",
        "tax_class": "",
        "backorders_allowed": item.backorders != "no",
        "low_stock_amount": null,
        "sold_individually": false,
        "weight": "0.4",
        "dimensions": {"length": "10", "width": "9", "height": "8"},
        "shipping_class": "",
        "reviews_allowed": true,
        "average_rating": "0.00",
        "related_ids": [item.id + 1, item.id + 2],
        "price_html": "<span class=\"woocommerce-Price-amount amount\"><bdi>&euro;</bdi></span>",
    }))
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { return Map::new() };
    object
}
