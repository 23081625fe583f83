//! Sending quantities and prices: levels of one location, prices of variants or of a price list,
//! each kind in a request of its own, compared with what the shop echoes.
//!
//! A request is applied whole or not at all. Where the shop names what it stumbles over, that is
//! refused and the rest sent again; where it does not, the request is cut in halves.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustc_hash::FxHashMap;
use serde_json::value::RawValue;

use super::api::{LevelEcho, Price, PriceEcho, Variant, VariantEcho, VariantPage};
use super::diagnose;
use super::prices::text;
use super::read::{fields, list_prices};
use super::rows::{Known, Memory, RowMaker};
use super::settings::QuantityField;
use super::store::{PriceTarget, Store};
use crate::connector::http::{HttpError, HttpErrorKind};
use crate::connector::loose::Loose;
use crate::connector::{
    ConnectorError, Current, Limits, Outcome, Sent, Value, Want, Write, Writer,
};
use crate::model::{Decimal, Section};

/// How long what was read counts as what the shop has: it sells meanwhile, and a variant's prices
/// are sent back all together.
const FRESH: Duration = Duration::from_secs(10);
/// Items of one batch: bodies of more than 2 MB are refused.
const BATCH: usize = 500;
/// Variants that are asked for at once by their ids, which stand in the address.
const IDS: usize = 100;

/// Writes to a shop.
pub(super) struct MedusaWriter {
    store: Arc<Store>,
    memory: Arc<Memory>,
    maker: RowMaker,
    quantity_field: QuantityField,
    /// Whether the variants of each product go out by themselves, for the shop looks at the product
    /// in the address.
    by_product: AtomicBool,
}

/// What goes out in one kind of request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind<'t> {
    Stock { location: &'t str },
    Prices(&'t PriceTarget),
    ListPrices { target: &'t PriceTarget, list: &'t str },
}

/// A request that is ready to go.
struct Ready {
    path: String,
    fields: Option<&'static str>,
    /// What stands under `update` and under `create`, each with the write that it is of.
    update: Vec<(usize, String)>,
    create: Vec<(usize, String)>,
}

impl Ready {
    fn new(path: impl Into<String>) -> Ready {
        Ready { path: path.into(), fields: None, update: Vec::new(), create: Vec::new() }
    }

    fn body(&self) -> String {
        let list = |entries: &[(usize, String)]| {
            let texts: Vec<&str> = entries.iter().map(|(_, text)| text.as_str()).collect();
            texts.join(",")
        };
        let mut body = format!("{{\"update\":[{}]", list(&self.update));
        if !self.create.is_empty() {
            let _ = write!(body, ",\"create\":[{}]", list(&self.create));
        }
        body.push('}');
        body
    }

    /// The writes that an error names by their places: `'update, 12, stocked_quantity'`.
    fn named_by_place(&self, message: &str) -> Vec<usize> {
        let lists = [("update, ", &self.update), ("create, ", &self.create)];
        let named = lists.iter().flat_map(|(word, entries)| {
            message.split(word).skip(1).filter_map(|rest| {
                let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                let at: usize = rest[..digits].parse().ok()?;
                entries.get(at).map(|(write, _)| *write)
            })
        });
        named.collect()
    }
}

/// Why a request brought no outcomes.
enum Failed {
    /// Nothing more can be sent.
    Stop(ConnectorError),
    /// It may have been applied.
    Uncertain(String),
    /// Surely not applied, in the shop's words, which name these writes.
    Refused { words: String, named: Vec<usize> },
}

impl MedusaWriter {
    pub(super) fn new(
        store: Arc<Store>,
        memory: Arc<Memory>,
        maker: RowMaker,
        quantity_field: QuantityField,
    ) -> MedusaWriter {
        let by_product = AtomicBool::new(false);
        MedusaWriter { store, memory, maker, quantity_field, by_product }
    }

    fn kind_of(&self, section: Section) -> Option<Kind<'_>> {
        if section != Section::Prices {
            return self.maker.location.as_deref().map(|location| Kind::Stock { location });
        }
        let target = self.maker.target.as_ref()?;
        Some(match &target.list {
            Some(list) => Kind::ListPrices { target, list },
            None => Kind::Prices(target),
        })
    }

    /// Sends the writes of one section, in as many pieces as it takes.
    fn deliver(&self, section: Section, batch: &[Write], open: Vec<usize>, sent: &mut Sent) {
        let Some(kind) = self.kind_of(section) else {
            let why = "the store's places do not say where to; see `invsync check`";
            open.iter().for_each(|at| sent.outcomes[*at] = Outcome::Refused(why.to_owned()));
            return;
        };
        let mut pieces = VecDeque::from(self.cut(kind, batch, open));
        while let Some(piece) = pieces.pop_front() {
            let writes: Vec<&Write> = piece.iter().map(|at| &batch[*at]).collect();
            match self.post(kind, &writes) {
                Ok(outcomes) => {
                    for (at, outcome) in piece.iter().zip(outcomes) {
                        sent.outcomes[*at] = outcome;
                    }
                }
                Err(Failed::Stop(why)) => {
                    sent.stop = Some(why);
                    return;
                }
                Err(Failed::Uncertain(why)) => {
                    for at in piece {
                        sent.outcomes[at] = Outcome::Uncertain(why.clone());
                    }
                }
                Err(Failed::Refused { words, named }) => {
                    match self.after_refusal(kind, batch, piece, &named) {
                        Ok((refused, rest)) => {
                            let why = || Outcome::Refused(words.clone());
                            refused.iter().for_each(|at| sent.outcomes[*at] = why());
                            rest.into_iter().rev().for_each(|piece| pieces.push_front(piece));
                        }
                        Err(why) => {
                            sent.stop = Some(why);
                            return;
                        }
                    }
                }
            }
        }
    }

    /// The pieces that go out one by one.
    fn cut(&self, kind: Kind<'_>, batch: &[Write], open: Vec<usize>) -> Vec<Vec<usize>> {
        if open.is_empty() {
            return Vec::new();
        }
        if !matches!(kind, Kind::Prices(_)) || !self.by_product.load(Ordering::Relaxed) {
            return vec![open];
        }
        let memory = self.memory.lock();
        let product = |at: &usize| memory.get(batch[*at].item_id.as_str()).map(|own| &own.product);
        let mut open = open;
        open.sort_by_key(|at| product(at));
        open.chunk_by(|a, b| product(a) == product(b)).map(<[usize]>::to_vec).collect()
    }

    /// Which of a refused piece are refused for good, and the pieces in which the rest goes out.
    fn after_refusal(
        &self,
        kind: Kind<'_>,
        batch: &[Write],
        piece: Vec<usize>,
        named: &[usize],
    ) -> Result<(Vec<usize>, Vec<Vec<usize>>), ConnectorError> {
        let named: Vec<usize> = named.iter().map(|at| piece[*at]).collect();
        let may_be_misplaced =
            matches!(kind, Kind::Prices(_)) && !self.by_product.load(Ordering::Relaxed);
        if may_be_misplaced && !named.is_empty() {
            let writes: Vec<&Write> = named.iter().map(|at| &batch[*at]).collect();
            if !self.fetch(&self.maker, &writes, &mut |_| {})?.is_empty() {
                self.by_product.store(true, Ordering::Relaxed);
                return Ok((Vec::new(), self.cut(kind, batch, piece)));
            }
        }
        if !named.is_empty() {
            let rest: Vec<usize> = piece.into_iter().filter(|at| !named.contains(at)).collect();
            return Ok((named, if rest.is_empty() { Vec::new() } else { vec![rest] }));
        }
        if piece.len() > 1 {
            let (first, second) = piece.split_at(piece.len() / 2);
            return Ok((Vec::new(), vec![first.to_vec(), second.to_vec()]));
        }
        Ok((piece, Vec::new()))
    }

    /// Sends writes in one request: one outcome each.
    fn post(&self, kind: Kind<'_>, writes: &[&Write]) -> Result<Vec<Outcome>, Failed> {
        let known = self.known(kind, writes).map_err(Failed::Stop)?;
        let ready = match kind {
            Kind::Stock { location } => self.levels(location, writes, &known),
            Kind::Prices(target) => prices(target, writes, &known),
            Kind::ListPrices { target, list } => list_entries(target, list, writes, &known),
        };
        match self.store.write(&ready.path, ready.fields, ready.body()) {
            Ok(answer) => Ok(match kind {
                Kind::Stock { location } => {
                    self.compare_levels(location, writes, &known, &answer.value)
                }
                Kind::Prices(target) => self.compare_prices(target, writes, &answer.value),
                Kind::ListPrices { target, .. } => {
                    self.compare_listed(target, writes, &answer.value)
                }
            }),
            Err(error) => Err(self.failed(error, kind, &ready, writes)),
        }
    }

    fn failed(&self, error: HttpError, kind: Kind<'_>, ready: &Ready, writes: &[&Write]) -> Failed {
        match (error.kind, error.status) {
            (HttpErrorKind::Uncertain, _) => Failed::Uncertain(error.message),
            // Two transactions met, and this one was not done.
            (HttpErrorKind::Status, Some(409)) => Failed::Uncertain(error.message),
            (HttpErrorKind::Status, Some(401 | 403 | 405 | 501)) => {
                Failed::Stop(diagnose::explain(error))
            }
            (HttpErrorKind::Status, Some(404)) if error.code.is_none() => {
                Failed::Stop(diagnose::explain(error))
            }
            (HttpErrorKind::Status, Some(_)) => {
                let words = error.code.as_ref().map(|own| own.message.as_str()).unwrap_or_default();
                let mut named = ready.named_by_place(words);
                let is_named = |write: &&&Write| words.contains(shop_id(kind, write));
                let by_id = writes.iter().enumerate().filter(|(_, write)| is_named(write));
                named.extend(by_id.map(|(at, _)| at));
                Failed::Refused { words: diagnose::words(&error), named }
            }
            _ => Failed::Stop(diagnose::explain(error)),
        }
    }

    /// What is known of the variants of these writes; what is not is read.
    fn known(
        &self,
        kind: Kind<'_>,
        writes: &[&Write],
    ) -> Result<FxHashMap<String, Known>, ConnectorError> {
        let needs_none =
            matches!(kind, Kind::Stock { .. }) && self.quantity_field == QuantityField::Stocked;
        let mut known = FxHashMap::default();
        if needs_none {
            return Ok(known);
        }
        let mut missing = Vec::new();
        {
            let memory = self.memory.lock();
            for write in writes {
                match memory.get(write.item_id.as_str()) {
                    Some(own) => drop(known.insert(write.item_id.clone(), own.clone())),
                    None => missing.push(*write),
                }
            }
        }
        if !missing.is_empty() {
            let maker = self.maker_for(writes)?;
            let found = self.fetch(&maker, &missing, &mut |_| {})?;
            known.extend(found);
        }
        Ok(known)
    }

    /// What makes values of what is read again: with the price list as it is now.
    fn maker_for(&self, writes: &[&Write]) -> Result<RowMaker, ConnectorError> {
        let has = |section| writes.iter().any(|write| write.section == section);
        let mut maker = self.maker.clone();
        maker.want =
            Want { stock: has(Section::Stock), prices: has(Section::Prices), names: false };
        if let Some(target) =
            maker.target.as_ref().filter(|target| maker.want.prices && target.list.is_some())
        {
            let listed = list_prices(&self.store, target)?;
            maker.take_listed(listed);
        }
        Ok(maker)
    }

    /// Reads the variants of writes, by their ids, and remembers what it sees.
    fn fetch(
        &self,
        maker: &RowMaker,
        writes: &[&Write],
        take: &mut dyn FnMut(&Variant<'_>),
    ) -> Result<FxHashMap<String, Known>, ConnectorError> {
        let mut ids: Vec<&str> = writes.iter().map(|write| write.item_id.as_str()).collect();
        ids.dedup();
        let (fields, limit) = (fields(maker.want), IDS.to_string());
        let mut found = FxHashMap::default();
        for ids in ids.chunks(IDS) {
            let mut query = vec![("limit", limit.as_str()), ("fields", &fields)];
            query.extend(ids.iter().map(|id| ("id[]", *id)));
            let answer = self.store.read::<Box<RawValue>>("product-variants", &query)?;
            let page: VariantPage<'_> = serde_json::from_str(answer.value.get()).map_err(|_| {
                ConnectorError::temporary("the shop answered JSON that is no list of variants")
            })?;
            let mut memory = self.memory.lock();
            for variant in page.variants.iter().filter(|one| ids.contains(&one.id.as_ref())) {
                take(variant);
                let known = memory.entry(variant.id.as_ref().into()).or_default();
                known.update(maker.known(variant), maker.want);
                found.insert(variant.id.to_string(), known.clone());
            }
        }
        Ok(found)
    }

    /// Levels of one location. What has none gets one: the location is one that the shop has.
    fn levels(&self, location: &str, writes: &[&Write], known: &FxHashMap<String, Known>) -> Ready {
        let mut ready = Ready::new("inventory-items/location-levels/batch");
        for (at, write) in writes.iter().enumerate() {
            let item = text(write.handle.as_deref().unwrap_or_default());
            let (location, quantity) = (text(location), self.to_stock(write, known));
            let entry = format!(
                "{{\"inventory_item_id\":{item},\"location_id\":{location},\
                 \"stocked_quantity\":{quantity}}}"
            );
            match write.before {
                Some(_) => ready.update.push((at, entry)),
                None => ready.create.push((at, entry)),
            }
        }
        ready
    }

    /// What is to lie on the shelf: with what is reserved, where the quantity is what is free.
    fn to_stock(&self, write: &Write, known: &FxHashMap<String, Known>) -> Decimal {
        if self.quantity_field == QuantityField::Stocked {
            return write.after;
        }
        let reserved = known.get(&write.item_id).map_or(Decimal::ZERO, |own| own.reserved);
        write.after.checked_add(reserved).unwrap_or(write.after)
    }

    fn compare_levels(
        &self,
        location: &str,
        writes: &[&Write],
        known: &FxHashMap<String, Known>,
        answer: &RawValue,
    ) -> Vec<Outcome> {
        let Ok(echo) = serde_json::from_str::<LevelEcho<'_>>(answer.get()) else {
            return no_list(writes);
        };
        let levels = echo.updated.iter().chain(&echo.created);
        let levels = levels.filter(|level| level.location_id == location);
        let stocked: FxHashMap<&str, &Loose> = levels
            .map(|level| (level.inventory_item_id.as_ref(), &level.stocked_quantity))
            .collect();
        let of = |write: &Write| {
            let now = stocked.get(write.handle.as_deref().unwrap_or_default());
            outcome(self.to_stock(write, known), now.copied())
        };
        writes.iter().map(|write| of(write)).collect()
    }

    fn compare_prices(
        &self,
        target: &PriceTarget,
        writes: &[&Write],
        answer: &RawValue,
    ) -> Vec<Outcome> {
        let Ok(echo) = serde_json::from_str::<VariantEcho<'_>>(answer.get()) else {
            self.forget(writes);
            return no_list(writes);
        };
        let variants: FxHashMap<&str, &Variant<'_>> =
            echo.updated.iter().map(|variant| (variant.id.as_ref(), variant)).collect();
        let mut memory = self.memory.lock();
        let mut of = |write: &Write| {
            let prices = variants.get(write.item_id.as_str()).and_then(|variant| variant.prices);
            let Some(prices) = prices else { return outcome(write.after, None) };
            if let Some(known) = memory.get_mut(write.item_id.as_str()) {
                known.prices = prices.get().into();
            }
            let prices: Vec<Price<'_>> = serde_json::from_str(prices.get()).unwrap_or_default();
            let now = target.pick(&prices).ok().flatten().map(|price| amount_of(price));
            outcome(write.after, now.as_ref())
        };
        writes.iter().map(|write| of(write)).collect()
    }

    fn compare_listed(
        &self,
        target: &PriceTarget,
        writes: &[&Write],
        answer: &RawValue,
    ) -> Vec<Outcome> {
        // What is created gets an id that only the next reading shows.
        self.forget(writes);
        let Ok(echo) = serde_json::from_str::<PriceEcho<'_>>(answer.get()) else {
            return no_list(writes);
        };
        let mut amounts: FxHashMap<&str, Loose> = FxHashMap::default();
        for price in echo.updated.iter().chain(&echo.created).filter(|price| target.is_of(price)) {
            let set = price.price_set.as_ref();
            if let Some(variant) = set.and_then(|set| set.variant.as_ref()) {
                amounts.insert(variant.id.as_ref(), amount_of(price));
            }
        }
        let of = |write: &Write| outcome(write.after, amounts.get(write.item_id.as_str()));
        writes.iter().map(|write| of(write)).collect()
    }

    fn forget(&self, writes: &[&Write]) {
        let mut memory = self.memory.lock();
        for write in writes {
            memory.remove(write.item_id.as_str());
        }
    }
}

/// The name that errors have for what a write changes.
fn shop_id<'w>(kind: Kind<'_>, write: &'w Write) -> &'w str {
    match kind {
        Kind::Stock { .. } => write.handle.as_deref().unwrap_or(&write.item_id),
        _ => &write.item_id,
    }
}

/// All prices of each variant, one of them changed.
fn prices(target: &PriceTarget, writes: &[&Write], known: &FxHashMap<String, Known>) -> Ready {
    let product = writes.iter().find_map(|write| known.get(&write.item_id));
    let product = product.map_or("any", |own| own.product.as_ref());
    let mut ready = Ready::new(format!("products/{product}/variants/batch"));
    ready.fields = Some(
        "id,prices.id,prices.amount,prices.currency_code,prices.min_quantity,prices.max_quantity,\
         prices.price_rules.attribute,prices.price_rules.value",
    );
    for (at, write) in writes.iter().enumerate() {
        let prices = known.get(&write.item_id).map_or("[]", |own| own.prices.as_ref());
        let prices: Vec<Price<'_>> = serde_json::from_str(prices).unwrap_or_default();
        let set = target.set_with(&prices, &write.after.to_string());
        ready.update.push((at, format!("{{\"id\":{},\"prices\":{set}}}", text(&write.item_id))));
    }
    ready
}

/// Prices of a price list: by their ids, for the list takes a second one of a kind without a word.
fn list_entries(
    target: &PriceTarget,
    list: &str,
    writes: &[&Write],
    known: &FxHashMap<String, Known>,
) -> Ready {
    let mut ready = Ready::new(format!("price-lists/{list}/prices/batch"));
    for (at, write) in writes.iter().enumerate() {
        let (variant, amount) = (text(&write.item_id), write.after);
        match known.get(&write.item_id).and_then(|own| own.listed.as_deref()) {
            Some(id) => {
                let id = text(id);
                let entry = format!("{{\"id\":{id},\"variant_id\":{variant},\"amount\":{amount}}}");
                ready.update.push((at, entry));
            }
            None => {
                let (code, rules) = (text(&target.code()), target.rules());
                let entry = format!(
                    "{{\"variant_id\":{variant},\"currency_code\":{code},\"amount\":{amount},\
                     \"rules\":{rules}}}"
                );
                ready.create.push((at, entry));
            }
        }
    }
    ready
}

fn amount_of(price: &Price<'_>) -> Loose {
    serde_json::from_str(price.amount.get()).unwrap_or_default()
}

/// What became of a write, by what the shop says that it has now.
fn outcome(wanted: Decimal, now: Option<&Loose>) -> Outcome {
    let Some(now) = now else {
        return Outcome::Uncertain("the answer has nothing of this item".to_owned());
    };
    match now.binary_number() {
        Ok(Some(now)) if now == wanted => Outcome::Applied,
        Ok(now) => Outcome::Refused(format!(
            "the store took {wanted} and has {} instead",
            now.map_or_else(|| "no value".to_owned(), |now| now.to_string())
        )),
        Err(_) => Outcome::Uncertain("the answer has no number for this item".to_owned()),
    }
}

fn no_list(writes: &[&Write]) -> Vec<Outcome> {
    vec![Outcome::Uncertain("the answer holds no list of items".to_owned()); writes.len()]
}

impl Writer for MedusaWriter {
    fn limits(&self) -> Limits {
        Limits {
            batch: Some(BATCH),
            // Several at once are no faster, and two of one variant's prices leave duplicates.
            concurrency: 1,
            fresh_for: Some(FRESH),
            price_decimals: self.maker.target.as_ref().map(|target| target.decimals),
            quantity_decimals: None,
        }
    }

    fn send(&self, batch: &[Write]) -> Sent {
        let mut sent = Sent::from(vec![Outcome::NotSent; batch.len()]);
        let (prices, stock): (Vec<usize>, Vec<usize>) =
            (0..batch.len()).partition(|at| batch[*at].section == Section::Prices);
        for (section, open) in [(Section::Stock, stock), (Section::Prices, prices)] {
            if sent.stop.is_none() && !open.is_empty() {
                self.deliver(section, batch, open, &mut sent);
            }
        }
        sent
    }

    fn read_back(&self, batch: &[Write]) -> Result<Vec<Current>, ConnectorError> {
        let writes: Vec<&Write> = batch.iter().collect();
        let maker = self.maker_for(&writes)?;
        let mut now: FxHashMap<String, [Current; 2]> = FxHashMap::default();
        self.fetch(&maker, &writes, &mut |variant| {
            let values = [Section::Stock, Section::Prices];
            let values = values.map(|section| current(maker.value(section, variant)));
            now.insert(variant.id.to_string(), values);
        })?;
        let of = |write: &Write| match (now.get(&write.item_id), write.section) {
            (Some([_, price]), Section::Prices) => price.clone(),
            (Some([stock, _]), _) => stock.clone(),
            (None, _) => Current::Gone("the store does not list it any more".to_owned()),
        };
        Ok(batch.iter().map(of).collect())
    }

    fn pause(&self, attempt: u32) -> bool {
        self.store.client.pause(attempt)
    }
}

fn current((value, problem): super::rows::Found) -> Current {
    match (value, problem) {
        (Value::Invalid, Some((_, why))) => Current::Gone(why),
        (value, _) => Current::Value(value.cell().get()),
    }
}
