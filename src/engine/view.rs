//! Changes on their way to a report: from a plan, or from the record.

use rustc_hash::FxHashMap;

use super::matching::Matched;
use super::plan::{Change, SectionPlan};
use crate::inventory::{Inventory, NewProduct, ProductId, RecordedChange, RecordedValue, Tx};
use crate::model::{ChangeRow, Section, Value};
use crate::report::{Changes, EachChange};

/// No changes.
pub(super) struct NoChanges;

impl Changes for NoChanges {
    fn each(&self, _each: EachChange<'_>) -> anyhow::Result<()> {
        Ok(())
    }
}

/// The changes of plans, by section and SKU; names are looked up as they are shown.
pub(super) struct PlanChanges<'a> {
    pub inventory: &'a Inventory,
    pub matched: &'a Matched,
    pub plans: &'a [SectionPlan],
    /// Whether the changes belong to items, or to the inventory's own commands.
    pub has_items: bool,
}

impl Changes for PlanChanges<'_> {
    fn each(&self, each: EachChange<'_>) -> anyhow::Result<()> {
        self.stream(self.plans.iter(), each)
    }

    fn each_of(&self, section: Section, each: EachChange<'_>) -> anyhow::Result<()> {
        self.stream(self.plans.iter().filter(|plan| plan.section == section), each)
    }

    fn count_of(&self, section: Section) -> anyhow::Result<u64> {
        let plans = self.plans.iter().filter(|plan| plan.section == section);
        Ok(plans.map(|plan| plan.changes.len() as u64).sum())
    }
}

impl PlanChanges<'_> {
    fn stream<'p>(
        &self,
        plans: impl Iterator<Item = &'p SectionPlan>,
        each: EachChange<'_>,
    ) -> anyhow::Result<()> {
        let tx = self.inventory.begin_read()?;
        let new: FxHashMap<ProductId, &NewProduct> =
            self.matched.created.iter().map(|product| (product.id, product)).collect();
        for plan in plans {
            for at in in_sku_order(self.matched, plan) {
                let change = &plan.changes[at as usize];
                let name = match new.get(&change.product) {
                    Some(product) => product.name.clone(),
                    None => tx.product_texts(change.product)?.and_then(|texts| texts.name),
                };
                let item = self.matched.item_id(change.product, change.item);
                let item = self.has_items.then_some(item);
                if !each(&row(self.matched, plan, change, item, name.as_deref()))? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// A planned change as a report shows it.
pub(super) fn row<'r>(
    matched: &'r Matched,
    plan: &'r SectionPlan,
    change: &Change,
    item: Option<&'r str>,
    name: Option<&'r str>,
) -> ChangeRow<'r> {
    ChangeRow {
        section: plan.section,
        item_id: item,
        sku: Some(matched.products.sku(change.product)),
        name,
        place: Some(&plan.place.key),
        location: plan.place.at_store.location(),
        currency: plan.place.currency,
        before: change.before.get().into(),
        after: change.after.get().into(),
        status: change.status,
        message: plan.message(change),
    }
}

/// The places of a plan's changes in the order of their SKUs.
pub(super) fn in_sku_order(matched: &Matched, plan: &SectionPlan) -> Vec<u32> {
    let products = &matched.products;
    if plan.changes.len() >= products.end() as usize / 8 {
        let places = by_walking_products(matched, plan);
        // An undo may change products that are not there any more, or not yet again.
        if places.len() == plan.changes.len() {
            return places;
        }
    }
    let count = u32::try_from(plan.changes.len()).unwrap_or(u32::MAX);
    let mut places: Vec<u32> = (0..count).collect();
    places.sort_by_key(|at| products.sku(plan.changes[*at as usize].product));
    places
}

/// Of many changes: the products are walked in order instead of sorting the changes.
fn by_walking_products(matched: &Matched, plan: &SectionPlan) -> Vec<u32> {
    let products = &matched.products;
    let count = u32::try_from(plan.changes.len()).unwrap_or(u32::MAX);
    let mut first = vec![u32::MAX; products.end() as usize];
    for at in (0..count).rev() {
        first[plan.changes[at as usize].product as usize] = at;
    }
    let mut places = Vec::with_capacity(plan.changes.len());
    for product in products.by_sku() {
        let start = first[product as usize];
        places.extend((start..count).take_while(|at| {
            plan.changes.get(*at as usize).is_some_and(|change| change.product == product)
        }));
    }
    places
}

/// The changes of a recorded run.
pub(super) struct RecordedChanges<'a> {
    pub tx: &'a Tx<'a>,
    pub run: i64,
}

impl Changes for RecordedChanges<'_> {
    fn each(&self, each: EachChange<'_>) -> anyhow::Result<()> {
        self.tx.each_change::<anyhow::Error>(self.run, &mut |change| Ok(each(&row_of(change))?))
    }
}

/// A recorded change as a report shows it.
pub(super) fn row_of(change: &RecordedChange) -> ChangeRow<'_> {
    let value = |value: &'_ RecordedValue| match value {
        RecordedValue::Number(number) => (*number).into(),
        RecordedValue::Sku(_) => Value::None,
    };
    let (before, after) = match (&change.before, &change.after) {
        (RecordedValue::Sku(before), RecordedValue::Sku(after)) => {
            (before.as_deref().into(), after.as_deref().into())
        }
        (before, after) => (value(before), value(after)),
    };
    ChangeRow {
        section: change.section,
        item_id: change.item_id.as_deref(),
        sku: change.sku.as_deref(),
        name: change.name.as_deref(),
        place: (change.section != Section::Links).then_some(change.place.as_str()),
        location: change.at_store.location(),
        currency: change.currency,
        before,
        after,
        status: change.status,
        message: change.message.as_deref(),
    }
}
