//! What a pass would change: data that can be shown, counted, refused, applied. No I/O.

use rustc_hash::{FxHashMap, FxHashSet};

use super::guards::{Limits, PriceVerdict};
use super::matching::{Delivered, Matched, SELF};
use super::problem_log::{About, ProblemLog};
use crate::config::{OnDrift, SectionSettings};
use crate::connector::SaleBound;
use crate::inventory::{Column, ProductId, ProductSet};
use crate::model::{
    Cell, ChangeStatus, Currency, Decimal, Direction, Guard, ProblemKind, Section, SectionHeading,
    StorePlaces,
};

/// Where a section's values stand in the inventory.
#[derive(Clone, Debug)]
pub(super) struct PlaceRef {
    /// `None` in a dry run on an inventory that does not know it yet.
    pub id: Option<i64>,
    pub key: String,
    pub currency: Option<Currency>,
    pub revision: i64,
    /// Where they stand at the other side.
    pub at_store: StorePlaces,
}

/// One value that would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub product: ProductId,
    /// The item's entry, or [`SELF`].
    pub item: u32,
    pub before: Cell,
    pub after: Cell,
    /// Its message in the plan's list; `NO_MESSAGE`: none.
    message: u32,
    /// Counts the items that share a product.
    pub n: u16,
    pub status: ChangeStatus,
}

const NO_MESSAGE: u32 = u32::MAX;

/// What a section's guards are held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stats {
    /// Linked items that already had a value.
    pub had_value: u64,
    /// Those of them whose value changes.
    pub changed: u64,
    /// Linked items with stock.
    pub with_stock: u64,
    /// Those of them that would drop to 0.
    pub zeroed: u64,
    /// Linked items whose value was known in the last delivery.
    pub was_known: u64,
    /// Those of them whose value is unknown now.
    pub now_unknown: u64,
}

/// The changes of one section, in the order of product ids.
pub(super) struct SectionPlan {
    pub section: Section,
    pub direction: Direction,
    pub place: PlaceRef,
    pub changes: Vec<Change>,
    messages: Vec<Box<str>>,
    pub stats: Stats,
    /// Prices held back, by guard: how many, and the largest actual.
    pub held: Vec<(Guard, String)>,
    /// The factor by which most prices moved, where there is one.
    pub same_factor: Option<String>,
    /// A guard stopped the section: nothing of it is applied.
    pub stopped: bool,
    /// Of a push: items whose value was read equal to ours, and was not the confirmed one.
    pub confirmed: Vec<(ProductId, u32, Decimal)>,
}

impl SectionPlan {
    pub(super) fn new(section: Section, direction: Direction, place: PlaceRef) -> SectionPlan {
        SectionPlan {
            section,
            direction,
            place,
            changes: Vec::new(),
            messages: Vec::new(),
            stats: Stats::default(),
            held: Vec::new(),
            same_factor: None,
            stopped: false,
            confirmed: Vec::new(),
        }
    }

    pub(super) fn message(&self, change: &Change) -> Option<&str> {
        self.messages.get(change.message as usize).map(AsRef::as_ref)
    }

    pub(super) fn heading(&self) -> SectionHeading {
        SectionHeading {
            section: self.section,
            direction: self.direction,
            place: self.place.key.clone(),
            location: self.place.at_store.location().map(str::to_owned),
            currency: self.place.currency,
        }
    }

    pub(super) fn count(&self, status: ChangeStatus) -> u64 {
        self.changes.iter().filter(|change| change.status == status).count() as u64
    }

    /// Sets what became of a change, and why.
    pub(super) fn settle(&mut self, at: usize, status: ChangeStatus, why: Option<String>) {
        let message = why.map(|why| self.keep_message(why));
        if let Some(change) = self.changes.get_mut(at) {
            change.status = status;
            change.message = message.unwrap_or(change.message);
        }
    }

    /// Everything that is still planned becomes applied.
    pub(super) fn mark_applied(&mut self) {
        for change in &mut self.changes {
            if change.status == ChangeStatus::Planned {
                change.status = ChangeStatus::Applied;
            }
        }
    }

    pub(super) fn push(&mut self, product: ProductId, after: Cell, before: Cell) {
        self.add(product, SELF, 0, before, after);
    }

    /// Sets what became of the change that was added last, and why.
    pub(super) fn settle_last(&mut self, status: ChangeStatus, why: String) {
        if let Some(at) = self.changes.len().checked_sub(1) {
            self.settle(at, status, Some(why));
        }
    }

    pub(super) fn add(&mut self, product: ProductId, item: u32, n: u32, before: Cell, after: Cell) {
        self.changes.push(Change {
            product,
            item,
            before,
            after,
            message: NO_MESSAGE,
            n: u16::try_from(n).unwrap_or(u16::MAX),
            status: ChangeStatus::Planned,
        });
    }

    fn keep_message(&mut self, message: String) -> u32 {
        let at = u32::try_from(self.messages.len()).unwrap_or(NO_MESSAGE);
        self.messages.push(message.into_boxed_str());
        at
    }

    fn hold(&mut self, guard: Guard, actual: String, why: String) {
        let message = self.keep_message(why);
        if let Some(change) = self.changes.last_mut() {
            change.status = ChangeStatus::HeldBack;
            change.message = message;
        }
        self.note_held(guard, actual);
    }

    fn note_held(&mut self, guard: Guard, actual: String) {
        if !self.held.iter().any(|(held, _)| *held == guard) {
            self.held.push((guard, actual));
        }
    }
}

/// What planning a section depends on.
pub(super) struct Rules<'a> {
    pub limits: &'a Limits<'a>,
    /// The products whose value was known in the last delivery.
    pub was_known: Option<&'a ProductSet>,
}

/// Plans a section whose integration is superior. `absent`: linked products that a complete
/// delivery lacks and whose stock this integration wrote last, with `missing = "zero"`.
pub(super) fn pull(
    mut plan: SectionPlan,
    matched: &Matched,
    column: &Column,
    rules: &Rules<'_>,
    absent: &[ProductId],
    problems: &mut ProblemLog,
) -> SectionPlan {
    let section = plan.section;
    let disputed = disputed(matched, section, problems);
    let mut largest = PriceVerdict::default();
    for product in 0..matched.products.end() {
        let slot = &matched.delivered[product as usize];
        if !slot.is_linked() || is_left_out(matched, product) {
            continue;
        }
        let (before, after) = (column.get(product), slot.value(section));
        count(&mut plan.stats, before, after, product, rules.was_known);
        if after == Cell::UNKNOWN || before == after || disputed.contains_key(&product) {
            continue;
        }
        plan.add(product, slot.item, 0, before, after);
        judge_price(&mut plan, before, after, rules.limits, &mut largest);
    }
    let items = if absent.is_empty() { FxHashMap::default() } else { matched.kept_items() };
    for product in absent {
        let before = column.get(*product);
        if before.get().is_some_and(|value| value > Decimal::ZERO)
            && !is_left_out(matched, *product)
        {
            count(&mut plan.stats, before, Decimal::ZERO.into(), *product, None);
            let item = items.get(product).copied().unwrap_or(SELF);
            plan.add(*product, item, 0, before, Decimal::ZERO.into());
        }
    }
    plan.changes.sort_by_key(|change| change.product);
    finish_held(&mut plan, &largest);
    plan
}

/// What sending a section depends on, beside [`Rules`].
pub(super) struct SendRules<'a> {
    pub settings: &'a SectionSettings,
    /// Decimals that the store can hold; `None`: as many as it takes.
    pub decimals: Option<u32>,
    /// The values last confirmed at the store, by item id.
    pub confirmed: &'a FxHashMap<String, Decimal>,
    pub allow_drift: bool,
    /// What this run leaves alone.
    pub elsewhere: &'a Elsewhere,
}

/// Items that a value was sent to without an answer, and that were found to have another value than
/// ours and than before.
pub(super) type Elsewhere = FxHashSet<(Section, String)>;

/// Plans a section where the inventory is superior.
pub(super) fn send(
    mut plan: SectionPlan,
    matched: &Matched,
    column: &Column,
    rules: &Rules<'_>,
    send: &SendRules<'_>,
    problems: &mut ProblemLog,
) -> SectionPlan {
    let mut largest = PriceVerdict::default();
    for (product, n, slot) in matched.linked() {
        if is_left_out(matched, product) || slot.is_bad(plan.section) {
            continue;
        }
        let Some(ours) = as_the_store_holds(column.get(product).get(), plan.section, send) else {
            continue;
        };
        let (before, after) = (slot.value(plan.section), Cell::from(ours));
        count(&mut plan.stats, before, after, product, None);
        let item_id = matched.item_id(product, slot.item);
        let confirmed = send.confirmed.get(item_id).copied();
        if before == after {
            if confirmed != Some(ours) {
                plan.confirmed.push((product, slot.item, ours));
            }
            continue;
        }
        plan.add(product, slot.item, n, before, after);
        let about =
            About { item_id: Some(item_id), sku: Some(matched.products.sku(product)), line: 0 };
        if !send.elsewhere.is_empty()
            && send.elsewhere.contains(&(plan.section, item_id.to_owned()))
        {
            let why = "somebody else changed it at the store while the answer to our write was \
                       missing; it was left alone, the next push decides by on_drift";
            plan.settle_last(ChangeStatus::Skipped, why.to_owned());
            problems.add(ProblemKind::ChangedElsewhere, about, why);
            continue;
        }
        judge_price(&mut plan, before, after, rules.limits, &mut largest);
        judge_sale(&mut plan, ours, matched.sale_bounds.get(item_id), rules.limits);
        let drifted = confirmed.zip(before.get()).filter(|(last, now)| last != now);
        if let Some((last, now)) = drifted {
            judge_drift(&mut plan, last, now, send, about, problems);
        }
    }
    finish_held(&mut plan, &largest);
    plan
}

fn is_left_out(matched: &Matched, product: ProductId) -> bool {
    matched.only.as_ref().is_some_and(|only| !only.contains(product))
}

/// Stock rounded down, prices half up, to the decimals that the store can hold.
fn as_the_store_holds(
    value: Option<Decimal>,
    section: Section,
    send: &SendRules<'_>,
) -> Option<Decimal> {
    let value = value?;
    match (send.decimals, section) {
        (None, _) => Some(value),
        (Some(places), Section::Prices) => value.round_half_up(places),
        (Some(places), _) => value.floor(places),
    }
}

fn count(
    stats: &mut Stats,
    before: Cell,
    after: Cell,
    product: ProductId,
    was_known: Option<&ProductSet>,
) {
    if was_known.is_some_and(|known| known.contains(product)) {
        stats.was_known += 1;
        stats.now_unknown += u64::from(after == Cell::UNKNOWN);
    }
    let Some(value) = before.get() else { return };
    stats.had_value += 1;
    stats.changed += u64::from(after != Cell::UNKNOWN && before != after);
    if value > Decimal::ZERO {
        stats.with_stock += 1;
        stats.zeroed += u64::from(after.get().is_some_and(|after| after <= Decimal::ZERO));
    }
}

/// Holds the price that was just planned back where a guard says so.
fn judge_price(
    plan: &mut SectionPlan,
    before: Cell,
    after: Cell,
    limits: &Limits<'_>,
    largest: &mut PriceVerdict,
) {
    if plan.section != Section::Prices {
        return;
    }
    let Some(price) = after.get() else { return };
    if let Some((guard, why)) = limits.judge_price(before.get(), price, largest) {
        plan.hold(guard, String::new(), why);
    }
}

/// Holds the price that was just planned back where the store would end a sale on it.
fn judge_sale(
    plan: &mut SectionPlan,
    price: Decimal,
    bound: Option<&SaleBound>,
    limits: &Limits<'_>,
) {
    let is_held = |change: &Change| change.status != ChangeStatus::Planned;
    if plan.section != Section::Prices || plan.changes.last().is_none_or(is_held) {
        return;
    }
    let Some(why) = bound.and_then(|bound| bound.objection(price)) else { return };
    let guard = Guard::WouldEndSale;
    if limits.allow.contains(&guard) {
        plan.note_held(guard, price.to_string());
    } else {
        let word = guard.word();
        let why = format!("{why}; it is held back ({word}). Accept it with --allow {word}");
        plan.hold(guard, price.to_string(), why);
    }
}

fn finish_held(plan: &mut SectionPlan, largest: &PriceVerdict) {
    plan.same_factor = largest.same_factor();
    for (guard, actual) in largest.actuals() {
        match plan.held.iter_mut().find(|(held, _)| *held == guard) {
            Some((_, text)) => *text = actual,
            None => plan.held.push((guard, actual)),
        }
    }
}

/// Reports what the store has and what is neither ours nor what was last confirmed there.
pub(super) fn drifted(
    matched: &Matched,
    section: Section,
    column: &Column,
    send: &SendRules<'_>,
    problems: &mut ProblemLog,
) {
    for (product, _, slot) in matched.linked() {
        if is_left_out(matched, product) {
            continue;
        }
        let ours = as_the_store_holds(column.get(product).get(), section, send);
        let item_id = matched.item_id(product, slot.item);
        let last = send.confirmed.get(item_id).copied();
        let (Some(ours), Some(now), Some(last)) = (ours, slot.value(section).get(), last) else {
            continue;
        };
        if now != ours && now != last {
            let sku = Some(matched.products.sku(product));
            let about = About { item_id: Some(item_id), sku, line: 0 };
            let message = drift_in_words(now, last, send);
            problems.add(ProblemKind::ChangedElsewhere, about, &message);
        }
    }
}

fn drift_in_words(now: Decimal, last: Decimal, send: &SendRules<'_>) -> String {
    let is_held = send.settings.on_drift == OnDrift::Hold && !send.allow_drift;
    format!(
        "the store has {now}, last confirmed there was {last}: somebody else changed it; {}",
        if is_held {
            "our value was held back. Accept it with --allow on_drift"
        } else {
            "our value overwrites it"
        }
    )
}

fn judge_drift(
    plan: &mut SectionPlan,
    last: Decimal,
    now: Decimal,
    send: &SendRules<'_>,
    about: About<'_>,
    problems: &mut ProblemLog,
) {
    let hold = send.settings.on_drift == OnDrift::Hold;
    let message = drift_in_words(now, last, send);
    problems.add(ProblemKind::ChangedElsewhere, about, &message);
    if hold && send.allow_drift {
        plan.note_held(Guard::OnDrift, now.to_string());
    } else if hold {
        plan.hold(Guard::OnDrift, now.to_string(), message);
    }
}

/// Products that several items by hand deliver different values for: none of them is trusted.
pub(super) fn disputed(
    matched: &Matched,
    section: Section,
    problems: &mut ProblemLog,
) -> FxHashMap<ProductId, ()> {
    let mut disputed = FxHashMap::default();
    for (product, other) in &matched.shared {
        let first: &Delivered = &matched.delivered[*product as usize];
        if first.value(section) != other.value(section) && disputed.insert(*product, ()).is_none() {
            let sku = matched.products.sku(*product);
            let message = format!(
                "several items are linked to {sku} and their {} differ; it was left unchanged. \
                 Remove one of the links (`invsync link remove`)",
                if section == Section::Stock { "quantities" } else { "prices" }
            );
            let about = About {
                item_id: Some(matched.item_id(*product, other.item)),
                sku: Some(sku),
                line: 0,
            };
            problems.add(ProblemKind::DuplicateSku, about, &message);
        }
    }
    disputed
}
