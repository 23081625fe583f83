//! From the shop's products and variations to items.

use std::sync::Arc;

use roaring::RoaringTreemap;
use rustc_hash::FxHashMap;

use super::api::{Product, StockAt};
use super::read::Catalogue;
use super::settings::{PriceField, ValueSettings};
use super::shop::Shop;
use crate::connector::http::Pages;
use crate::connector::loose::Loose;
use crate::connector::{
    ConnectorError, Delivery, Reader, Row, RowBatch, SaleBound, Span, Value, Want,
};
use crate::model::{Currency, ProblemKind, Section};

/// What variations take from the product that holds them together.
#[derive(Clone, Debug)]
pub(super) struct Parent {
    sku: Option<Box<str>>,
    name: Option<Box<str>>,
}

impl Parent {
    pub(super) fn of(product: &Product<'_>) -> Parent {
        let own = |text: &Loose| text.text().map(Box::from);
        Parent { sku: own(&product.sku), name: own(&product.name) }
    }
}

/// A catalogue, drained page by page.
pub(super) struct WooReader {
    pages: Pages,
    parents: FxHashMap<u64, Parent>,
    complete: bool,
    maker: RowMaker,
    /// Items that came by: a page may have been read twice.
    seen: RoaringTreemap,
    page: Vec<u8>,
    /// What is wrong with the whole shop; told with the first batch.
    shop_problems: Vec<String>,
}

impl WooReader {
    pub(super) fn new(
        catalogue: Catalogue,
        maker: RowMaker,
        shop_problems: Vec<String>,
    ) -> WooReader {
        WooReader {
            pages: catalogue.pages.into_pages(),
            parents: catalogue.parents,
            complete: catalogue.complete,
            maker,
            seen: RoaringTreemap::new(),
            page: Vec::new(),
            shop_problems,
        }
    }
}

impl Reader for WooReader {
    fn next(&mut self, rows: &mut RowBatch) -> Result<bool, ConnectorError> {
        rows.clear();
        for problem in self.shop_problems.drain(..) {
            rows.add_lost_row(ProblemKind::Config, 0, problem);
        }
        while !rows.is_full() {
            if !self.pages.next(&mut self.page)? {
                return Ok(!rows.is_empty() || !rows.problems().is_empty());
            }
            let (parent, products) = parse_block(&self.page)?;
            for product in &products {
                if product.is_container() || !self.seen.insert(product.id) {
                    continue;
                }
                let parent_id = if product.parent_id > 0 { product.parent_id } else { parent };
                let parent = self.parents.get(&parent_id);
                self.maker.add(product, parent_id, parent, rows);
            }
        }
        Ok(true)
    }

    fn finish(self: Box<Self>) -> Result<Delivery, ConnectorError> {
        if self.maker.has_fractions {
            self.maker.shop.saw_fraction();
        }
        Ok(Delivery { complete: self.complete, ..Delivery::default() })
    }
}

/// A page as it was kept: the parent's id in a line, then JSON that was read before.
fn parse_block(block: &[u8]) -> Result<(u64, Vec<Product<'_>>), ConnectorError> {
    let broken = || ConnectorError::source("what was fetched was changed on this machine's disk");
    let text = std::str::from_utf8(block).map_err(|_| broken())?;
    let (parent, json) = text.split_once('\n').ok_or_else(broken)?;
    let parent = parent.parse().map_err(|_| broken())?;
    Ok((parent, serde_json::from_str(json).map_err(|_| broken())?))
}

/// Makes items of products.
#[derive(Clone)]
pub(super) struct RowMaker {
    shop: Arc<Shop>,
    pub(super) want: Want,
    pub(super) price_field: PriceField,
    /// The shop's currency, where it is known.
    pub(super) currency: Option<Currency>,
    /// The shop's prices are not what the config says: none can be used.
    pub(super) prices_are_unusable: bool,
    pub(super) has_fractions: bool,
}

/// A value of an item as the shop has it, and the problem if there is one.
pub(super) type Found = (Value, Option<(ProblemKind, String)>);

impl RowMaker {
    pub(super) fn new(
        shop: &Arc<Shop>,
        want: Want,
        values: &ValueSettings,
        currency: Option<Currency>,
    ) -> RowMaker {
        RowMaker {
            shop: Arc::clone(shop),
            want,
            price_field: values.price_field,
            currency,
            prices_are_unusable: false,
            has_fractions: false,
        }
    }

    /// Adds the item that a product or variation is.
    fn add(
        &mut self,
        product: &Product<'_>,
        parent_id: u64,
        parent: Option<&Parent>,
        rows: &mut RowBatch,
    ) {
        let (quantity, price) = (self.quantity(product, parent_id), self.price(product));
        if let Value::Known(quantity) = quantity.0 {
            self.has_fractions |= quantity.floor(0) != Some(quantity);
        }
        let add = |rows: &mut RowBatch, text: Option<&str>| {
            text.map_or(Span::ABSENT, |text| rows.add_text(text))
        };
        // A variation without a SKU of its own shows its parent's.
        let inherited = parent.and_then(|parent| parent.sku.as_deref());
        let sku = product.sku.text().filter(|sku| Some(*sku) != inherited);
        let has_parent = parent_id > 0;
        let name = self.want.names.then(|| name_of(product, parent)).flatten();
        let row = Row {
            item_id: rows.add_text(&product.id.to_string()),
            sku: add(rows, sku),
            ean: add(rows, product.global_unique_id.text()),
            name: add(rows, name.as_deref()),
            parent_sku: add(rows, inherited.filter(|_| self.want.names)),
            handle: if has_parent { rows.add_text(&parent_id.to_string()) } else { Span::ABSENT },
            quantity: quantity.0,
            price: price.0,
            currency: self.currency.filter(|_| matches!(price.0, Value::Known(_))),
            line: 0,
        };
        for (kind, message) in quantity.1.into_iter().chain(price.1) {
            rows.add_problem(kind, 0, message);
        }
        rows.add_row(row);
        if let Some(bound) = self.sale_bound(product).filter(|_| self.want.prices) {
            rows.bound_price_of_last(bound);
        }
    }

    /// The value of a section, where the shop has it at this item.
    pub(super) fn value(&self, section: Section, product: &Product<'_>, parent_id: u64) -> Found {
        match section {
            Section::Prices => self.price(product),
            _ => self.quantity(product, parent_id),
        }
    }

    fn quantity(&self, product: &Product<'_>, parent_id: u64) -> Found {
        if !self.want.stock {
            return (Value::Unknown, None);
        }
        let why = match product.stock_at() {
            StockAt::Item => return self.number(&product.stock_quantity, "stock_quantity"),
            StockAt::Parent => format!(
                "the store counts its stock at the product {parent_id}, for all its variations \
                 together; its quantity is unknown and none is sent. Switch on \"Track stock\" at \
                 the variation to have its own"
            ),
            StockAt::Nobody => "the store does not count its stock; its quantity is unknown and \
                                none is sent. Switch on \"Track stock quantity\" at the product"
                .to_owned(),
        };
        (Value::Invalid, Some((ProblemKind::NotManaged, why)))
    }

    fn price(&self, product: &Product<'_>) -> Found {
        if !self.want.prices {
            return (Value::Unknown, None);
        }
        if self.prices_are_unusable {
            return (Value::Invalid, None);
        }
        self.number(self.price_text(product), self.price_field.name())
    }

    /// A number of the shop; what is none is named.
    fn number(&self, text: &Loose, field: &str) -> Found {
        match text.number() {
            Ok(number) => (number.map_or(Value::Unknown, Value::Known), None),
            Err(text) => {
                let shown: String = self.shop.client.scrub(text).chars().take(40).collect();
                let why = format!(
                    "`{}` in {field} is no number that fits; it was left unchanged",
                    shown.escape_debug()
                );
                (Value::Invalid, Some((ProblemKind::InvalidValue, why)))
            }
        }
    }

    fn price_text<'p>(&self, product: &'p Product<'_>) -> &'p Loose {
        match self.price_field {
            PriceField::Regular => &product.regular_price,
            PriceField::Sale => &product.sale_price,
        }
    }

    /// What the price must stay clear of: a sale ends when it is no cheaper than the regular price.
    pub(super) fn sale_bound(&self, product: &Product<'_>) -> Option<SaleBound> {
        let price = |text: &Loose| text.number().ok().flatten();
        match self.price_field {
            PriceField::Regular => price(&product.sale_price).map(SaleBound::Above),
            PriceField::Sale => price(&product.regular_price).map(SaleBound::Below),
        }
    }
}

/// A variation's name is often but what tells it from the others.
fn name_of(product: &Product<'_>, parent: Option<&Parent>) -> Option<String> {
    let own = product.name.text();
    let family = parent.and_then(|parent| parent.name.as_deref());
    match (own, family) {
        (Some(own), Some(family)) if !own.starts_with(family) => Some(format!("{family} – {own}")),
        (own, family) => own.or(family).map(str::to_owned),
    }
}
