//! Sending quantities and prices: batches of products, and batches of variations of whatever
//! parents, compared with what the shop echoes.
//!
//! A batch answers 200 even where items failed, casts what it does not understand, and leaves out
//! what it does not want: only the echo of each item says what became of it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::api::Product;
use super::diagnose;
use super::read::{fields, rows};
use super::rows::RowMaker;
use super::shop::{PAGE, Shop};
use crate::connector::http::{HttpError, HttpErrorKind};
use crate::connector::{
    ConnectorError, Current, Limits, Outcome, SaleBound, Sent, Value, Want, Write, Writer,
};
use crate::model::{Decimal, Guard, Section};

/// How long what was read counts as what the shop has: it sells meanwhile.
const FRESH: Duration = Duration::from_secs(60);
/// A batch that takes longer makes the next ones smaller: servers end requests after half a minute.
const SLOW: Duration = Duration::from_secs(10);
/// The smallest batch that slowness leads to.
const LEAST: usize = 10;

/// The decimals that the shop can hold; `None`: as many as it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimals {
    pub(super) stock: Option<u32>,
    pub(super) prices: u32,
}

/// Writes to a shop.
pub(super) struct WooWriter {
    shop: Arc<Shop>,
    maker: RowMaker,
    decimals: Decimals,
    /// Items in one batch: fewer where the shop is slow.
    batch: AtomicUsize,
    /// Whether variations go to the shop parent by parent, for it does not heed `product_id`.
    by_parent: AtomicBool,
}

/// An item of a batch and the writes that it is made of.
struct Item<'w> {
    id: u64,
    /// The product that it is a variation of.
    parent: Option<u64>,
    writes: &'w [Write],
}

/// The answer to a batch.
#[derive(Deserialize)]
struct Echo<'a> {
    #[serde(borrow, default)]
    update: Vec<Product<'a>>,
}

impl WooWriter {
    pub(super) fn new(shop: Arc<Shop>, maker: RowMaker, decimals: Decimals) -> WooWriter {
        WooWriter {
            shop,
            maker,
            decimals,
            batch: AtomicUsize::new(PAGE),
            by_parent: AtomicBool::new(false),
        }
    }

    /// Sends items in one request; in halves where the shop refuses them together.
    fn send_items(&self, items: &[Item<'_>]) -> Sent {
        let Some(first) = items.first() else { return Vec::new().into() };
        let path = match first.parent {
            None => "products/batch".to_owned(),
            // Each item names its own parent; the one in the path stands for all.
            Some(parent) => format!("products/{parent}/variations/batch"),
        };
        let started = Instant::now();
        let answer = self.shop.write::<Box<RawValue>>(&path, &self.body(items));
        match answer {
            Ok(answer) => {
                self.learn(started.elapsed() < SLOW);
                match serde_json::from_str::<Echo<'_>>(answer.value.get()) {
                    Ok(echo) => {
                        let outcomes = self.compare(items, &echo.update);
                        self.send_misplaced(items, &echo.update, outcomes)
                    }
                    Err(_) => uncertain(items, "the answer holds no list of items").into(),
                }
            }
            Err(error) => self.failed(items, error),
        }
    }

    /// Variations that the shop looked for at the parent in the path, although they name their own:
    /// from now on each goes to its own parent, and these go there once more.
    fn send_misplaced(
        &self,
        items: &[Item<'_>],
        echoes: &[Product<'_>],
        outcomes: Vec<Outcome>,
    ) -> Sent {
        let path = items.first().and_then(|item| item.parent);
        let is_misplaced = |item: &Item<'_>, echo: &Product<'_>| {
            let is_unknown = echo
                .error
                .as_ref()
                .is_some_and(|error| error.code == "woocommerce_rest_product_variation_invalid_id");
            item.parent != path && (is_unknown || Some(echo.parent_id) == path)
        };
        let mut sent = Sent::from(Vec::new());
        let mut rest = outcomes.into_iter();
        for (at, item) in items.iter().enumerate() {
            let own: Vec<Outcome> = rest.by_ref().take(item.writes.len()).collect();
            if echoes.get(at).is_none_or(|echo| !is_misplaced(item, echo)) || sent.stop.is_some() {
                sent.outcomes.extend(own);
                continue;
            }
            self.by_parent.store(true, Ordering::Relaxed);
            let again = self.send_items(std::slice::from_ref(item));
            sent.outcomes.extend(again.outcomes);
            sent.stop = again.stop;
        }
        sent
    }

    /// Sends items in one request, or in one for each parent.
    fn send_by_parent(&self, items: &[Item<'_>]) -> Sent {
        if !self.by_parent.load(Ordering::Relaxed) {
            return self.send_items(items);
        }
        self.send_pieces(items.chunk_by(|a, b| a.parent == b.parent))
    }

    /// Sends pieces one after the other, until nothing more can be sent.
    fn send_pieces<'p, 'w: 'p>(&self, pieces: impl Iterator<Item = &'p [Item<'w>]>) -> Sent {
        let mut all = Sent::from(Vec::new());
        for piece in pieces {
            let sent = match all.stop {
                None => self.send_items(piece),
                Some(_) => vec![Outcome::NotSent; writes_in(piece)].into(),
            };
            all.outcomes.extend(sent.outcomes);
            all.stop = all.stop.or(sent.stop);
        }
        all
    }

    fn failed(&self, items: &[Item<'_>], error: HttpError) -> Sent {
        let writes = writes_in(items);
        match (error.kind, error.status) {
            (HttpErrorKind::Uncertain, _) => {
                self.learn(false);
                uncertain(items, &error.message).into()
            }
            (HttpErrorKind::Status, Some(401 | 403 | 404 | 405 | 501)) => {
                Sent::nothing(writes, diagnose::explain_write(&self.shop, error))
            }
            (HttpErrorKind::Status, Some(status)) => {
                if status == 413 {
                    self.learn(false);
                }
                self.bisect(items, &error)
            }
            _ => Sent::nothing(writes, diagnose::explain_write(&self.shop, error)),
        }
    }

    /// A refused batch is cut until the item that it is refused for stands alone.
    fn bisect(&self, items: &[Item<'_>], error: &HttpError) -> Sent {
        if items.len() > 1 {
            let (first, second) = items.split_at(items.len() / 2);
            return self.send_pieces([first, second].into_iter());
        }
        vec![Outcome::Refused(diagnose::words(error)); writes_in(items)].into()
    }

    /// Smaller batches while the shop is slow or fails, larger ones when it has recovered.
    fn learn(&self, is_well: bool) {
        let next = |size: usize| match is_well {
            true => (size * 2).min(PAGE),
            false => (size / 2).max(LEAST),
        };
        let _ = self.batch.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| Some(next(n)));
    }

    /// Quantities as numbers, prices as texts with a point, nothing else: what is not there is not
    /// touched.
    fn body(&self, items: &[Item<'_>]) -> String {
        let mut body = "{\"update\":[".to_owned();
        for (at, item) in items.iter().enumerate() {
            let _ = write!(body, "{}{{\"id\":{}", if at == 0 { "" } else { "," }, item.id);
            if let Some(parent) = item.parent {
                let _ = write!(body, ",\"product_id\":{parent}");
            }
            for write in item.writes {
                let _ = match write.section {
                    Section::Prices => {
                        let price = write.after.with_decimals(self.decimals.prices);
                        write!(body, ",\"{}\":\"{price}\"", self.maker.price_field.name())
                    }
                    _ => write!(body, ",\"stock_quantity\":{}", write.after),
                };
            }
            // Keeps the answer to a tenth; of variations the shop does not heed it.
            if item.parent.is_none() {
                body.push_str(
                    ",\"_fields\":\"id,manage_stock,stock_quantity,regular_price,sale_price\"",
                );
            }
            body.push('}');
        }
        body.push_str("]}");
        body
    }

    /// What became of each write, by the echo of its item. Answers keep the order of the request.
    fn compare(&self, items: &[Item<'_>], echoes: &[Product<'_>]) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let of_item = |echo: &&Product<'_>| echo.id == item.id || echo.error.is_some();
            let echo = echoes.get(at).filter(of_item);
            for write in item.writes {
                outcomes.push(match echo {
                    Some(echo) => self.outcome(item, write, echo),
                    None => Outcome::Uncertain("the answer has nothing of this item".to_owned()),
                });
            }
        }
        outcomes
    }

    fn outcome(&self, item: &Item<'_>, write: &Write, echo: &Product<'_>) -> Outcome {
        if let Some(error) = &echo.error {
            let words = format!("{}: {}", error.code, error.message);
            return Outcome::Refused(self.shop.client.scrub(&words));
        }
        if let Some(parent) = item.parent.filter(|parent| ![0, *parent].contains(&echo.parent_id)) {
            return Outcome::Refused(format!(
                "the store has it under the product {} now, not under {parent}; look at it there",
                echo.parent_id
            ));
        }
        let (now, problem) = self.maker.value(write.section, echo, echo.parent_id);
        match (now.cell().get(), problem) {
            (Some(now), _) if now == write.after => Outcome::Applied,
            (None, Some((_, problem))) => Outcome::Refused(problem),
            (now, _) => Outcome::Refused(format!(
                "the store took {} and has {} instead",
                write.after,
                shown(now)
            )),
        }
    }

    /// Items as they are now, by id.
    fn read_items(
        &self,
        ids: &[(u64, Option<u64>)],
        take: &mut dyn FnMut(&Product<'_>, u64),
    ) -> Result<(), ConnectorError> {
        let (products, variations): (Vec<_>, Vec<_>) =
            ids.iter().copied().partition(|(_, parent)| parent.is_none());
        let only_ids = |list: &[(u64, Option<u64>)]| list.iter().map(|(id, _)| *id).collect();
        self.list("products", 0, only_ids(&products), take)?;
        if self.shop.lists_variations() != Some(false) {
            return self.list("variations", 0, only_ids(&variations), take);
        }
        let mut by_parent: FxHashMap<u64, Vec<u64>> = FxHashMap::default();
        for (id, parent) in variations {
            by_parent.entry(parent.unwrap_or_default()).or_default().push(id);
        }
        for (parent, ids) in by_parent {
            self.list(&format!("products/{parent}/variations"), parent, ids, take)?;
        }
        Ok(())
    }

    fn list(
        &self,
        path: &str,
        parent: u64,
        ids: Vec<u64>,
        take: &mut dyn FnMut(&Product<'_>, u64),
    ) -> Result<(), ConnectorError> {
        let want = Want { stock: true, prices: true, names: false };
        let fields = fields(want, path != "products");
        for ids in ids.chunks(PAGE) {
            let include: Vec<_> = ids.iter().map(u64::to_string).collect();
            let (include, per_page) = (include.join(","), PAGE.to_string());
            let query = [
                ("include", include.as_str()),
                ("per_page", &per_page),
                ("orderby", "id"),
                ("order", "asc"),
                ("_fields", &fields),
            ];
            let answer = self.shop.read::<Box<RawValue>>(path, &query);
            let answer = answer.map_err(|error| diagnose::explain(&self.shop, error))?;
            // A filter that a shop does not know is ignored: then it lists what nobody asked for.
            for row in rows(&self.shop, &answer)?.iter().filter(|row| ids.contains(&row.id)) {
                take(row, if row.parent_id > 0 { row.parent_id } else { parent });
            }
        }
        Ok(())
    }
}

impl Writer for WooWriter {
    fn limits(&self) -> Limits {
        Limits {
            batch: Some(self.batch.load(Ordering::Relaxed)),
            concurrency: self.shop.client.concurrency(),
            fresh_for: Some(FRESH),
            price_decimals: Some(self.decimals.prices),
            quantity_decimals: self.decimals.stock,
        }
    }

    /// Products and variations have endpoints of their own.
    fn group(&self, _: &str, handle: Option<&str>) -> u32 {
        u32::from(handle.is_some())
    }

    fn send(&self, batch: &[Write]) -> Sent {
        match items_of(batch) {
            Ok(items) => self.send_by_parent(&items),
            Err(why) => vec![Outcome::Refused(why); batch.len()].into(),
        }
    }

    fn read_back(&self, batch: &[Write]) -> Result<Vec<Current>, ConnectorError> {
        let items = items_of(batch).map_err(ConnectorError::source)?;
        let ids: Vec<_> = items.iter().map(|item| (item.id, item.parent)).collect();
        let mut found: FxHashMap<u64, Now> = FxHashMap::default();
        self.read_items(&ids, &mut |product, parent| {
            found.insert(product.id, self.now(product, parent));
        })?;
        let current = items.iter().flat_map(|item| {
            let now = found.get(&item.id);
            item.writes.iter().map(move |write| current(item, write, now))
        });
        Ok(current.collect())
    }

    fn pause(&self, attempt: u32) -> bool {
        self.shop.client.pause(attempt)
    }
}

impl WooWriter {
    fn now(&self, product: &Product<'_>, parent: u64) -> Now {
        let value = |section| {
            let (value, problem) = self.maker.value(section, product, parent);
            match (value, problem) {
                (Value::Invalid, Some((_, problem))) => Err(problem),
                (value, _) => Ok(value.cell().get()),
            }
        };
        let sale_bound = self.maker.sale_bound(product);
        Now { parent, stock: value(Section::Stock), price: value(Section::Prices), sale_bound }
    }
}

/// What an item is now; the errors say why a value can be neither read nor written.
struct Now {
    parent: u64,
    stock: Result<Option<Decimal>, String>,
    price: Result<Option<Decimal>, String>,
    sale_bound: Option<SaleBound>,
}

/// What the shop has in place of a write.
fn current(item: &Item<'_>, write: &Write, now: Option<&Now>) -> Current {
    let Some(now) = now else {
        return Current::Gone("the store does not list it any more".to_owned());
    };
    if let Some(parent) = item.parent.filter(|parent| now.parent != 0 && now.parent != *parent) {
        let why = format!("it moved from the product {parent} to {} meanwhile", now.parent);
        return Current::Gone(why);
    }
    let value = match write.section {
        Section::Prices => &now.price,
        _ => &now.stock,
    };
    let objection = now.sale_bound.filter(|_| write.section == Section::Prices);
    match (value, objection.and_then(|bound| bound.objection(write.after))) {
        (Ok(value), _) if *value == Some(write.after) => Current::Value(*value),
        (Ok(_), Some(why)) => {
            let word = Guard::WouldEndSale.word();
            Current::Held(format!("{why}; it is held back ({word})"))
        }
        (Ok(value), None) => Current::Value(*value),
        (Err(why), _) => Current::Gone(why.clone()),
    }
}

/// The items of a batch: the writes of one item stand side by side.
fn items_of(batch: &[Write]) -> Result<Vec<Item<'_>>, String> {
    batch
        .chunk_by(|a, b| a.item_id == b.item_id && a.handle == b.handle)
        .map(|writes| {
            let number = |text: &str| {
                text.parse::<u64>().map_err(|_| {
                    format!("`{}` is no id of a WooCommerce product", text.escape_debug())
                })
            };
            let id = number(&writes[0].item_id)?;
            let parent = writes[0].handle.as_deref().map(number).transpose()?;
            Ok(Item { id, parent, writes })
        })
        .collect()
}

fn writes_in(items: &[Item<'_>]) -> usize {
    items.iter().map(|item| item.writes.len()).sum()
}

fn uncertain(items: &[Item<'_>], why: &str) -> Vec<Outcome> {
    vec![Outcome::Uncertain(why.to_owned()); writes_in(items)]
}

fn shown(value: Option<Decimal>) -> Cow<'static, str> {
    value.map_or(Cow::Borrowed("no value"), |value| Cow::Owned(value.to_string()))
}
