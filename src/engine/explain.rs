//! `explain`: where each value of a product came from, and what the next runs would do with it.
//!
//! The first half is what was recorded. The second is a dry run of each direction, looked on: the
//! same plan that the real run makes, and why it is so. It plans everything, not the product alone:
//! guards of a section or a delivery judge the whole.

use std::sync::{Mutex, PoisonError};

use super::matching::{Delivered, Matched, SELF};
use super::plan::{Change, SectionPlan};
use super::products::unknown_sku;
use super::read::Reading;
use super::run::RunError;
use super::saved::{Look, Onlooker};
use super::{Options, Session};
use crate::config::Integration;
use crate::inventory::{ProductId, RecordedValue, Tx};
use crate::model::{
    ChangeStatus, Command, Decimal, Direction, Exit, Guard, GuardVerdict, LinkedBy, RunStatus,
    Section,
};
use crate::report::{Explained, Origin, Step, WrittenBy};

/// Explains one product. With the option `offline` nobody is contacted, and the next runs stay out.
pub(super) fn explain(
    session: &Session<'_>,
    which: &[&Integration],
    sku: &str,
) -> anyhow::Result<(Explained, Exit)> {
    let mut explained = recorded(session, sku)?;
    let mut exit = Exit::Done;
    if session.options.offline {
        return Ok((explained, exit));
    }
    let options = Options { dry_run: true, skus: Vec::new(), ..session.options.clone() };
    let session = Session { options, ..session.clone() };
    for integration in which {
        for (direction, command) in
            [(Direction::Download, Command::Pull), (Direction::Send, Command::Push)]
        {
            if !super::has(&session, integration, direction) {
                continue;
            }
            let (steps, ended) = next(&session, integration, command, sku)?;
            explained.next.extend(steps);
            exit = exit.max(ended);
        }
        explained.next.extend(switched_off(&session, integration));
    }
    Ok((explained, exit))
}

/// The product, its values and the runs that wrote them.
fn recorded(session: &Session<'_>, sku: &str) -> anyhow::Result<Explained> {
    let inventory = session.open_to_read()?;
    session.check_places(&inventory)?;
    let tx = inventory.begin_read()?;
    let Some(product) = tx.product_id(sku)? else {
        return Err(unknown_sku(&tx.products()?, sku).into());
    };
    let texts = tx.product_texts(product)?.unwrap_or_default();
    let mut values = Vec::new();
    for (section, places) in session.declared_places() {
        if session.options.only.is_some_and(|only| only != section) {
            continue;
        }
        for declared in places {
            let stored = session.stored_place(&tx, section, &declared.key)?;
            let stored = stored.map(|stored| stored.id);
            let (value, written_by) = match stored {
                Some(place) => (
                    tx.value(section, place, product)?.get(),
                    written_by(&tx, section, place, &declared.key, product)?,
                ),
                None => (None, None),
            };
            let (place, currency) = (declared.key.clone(), declared.currency);
            values.push(Origin { section, place, currency, value, written_by });
        }
    }
    Ok(Explained {
        sku: sku.to_owned(),
        ean: texts.ean,
        name: texts.name,
        values,
        next: Vec::new(),
    })
}

/// The run that wrote a value, and what the value was before, where that is still on record.
fn written_by(
    tx: &Tx<'_>,
    section: Section,
    place: i64,
    key: &str,
    product: ProductId,
) -> anyhow::Result<Option<WrittenBy>> {
    let Some(id) = tx.run_that_wrote(section, place, product)? else { return Ok(None) };
    let Some(run) = tx.run_summary(id)? else { return Ok(None) };
    let mut change = None;
    tx.each_change_of::<anyhow::Error>(product, &mut |found| {
        if (found.run_id, found.section, found.place.as_str()) == (id, section, key) {
            change = Some(found.clone());
        }
        Ok(found.run_id <= id)
    })?;
    let before = change.as_ref().map(|change| match change.before {
        RecordedValue::Number(before) => before,
        RecordedValue::Sku(_) => None,
    });
    Ok(Some(WrittenBy {
        run_id: id,
        at: run.finished_at.unwrap_or(run.started_at),
        command: run.command,
        integration: run.integration,
        item_id: change.and_then(|change| change.item_id),
        before,
    }))
}

/// Sections that the config has and switched off.
fn switched_off(session: &Session<'_>, integration: &Integration) -> Vec<Step> {
    super::pull::sections(session, integration, Direction::Off)
        .into_iter()
        .map(|(section, settings)| Step {
            section: Some(section),
            place: Some(settings.place.clone()).filter(|place| !place.is_empty()),
            location: settings.places.location().map(str::to_owned),
            ..Step::nothing(&integration.name, "direction = \"off\": no run touches it")
        })
        .collect()
}

/// What the next run of one direction would do.
fn next(
    session: &Session<'_>,
    integration: &Integration,
    command: Command,
    sku: &str,
) -> anyhow::Result<(Vec<Step>, Exit)> {
    let explainer = Explainer { integration, command, sku, steps: Mutex::default() };
    let session = Session { onlooker: Onlooker::of(&explainer), ..session.clone() };
    let (mut failure, mut guards) = (None, Vec::new());
    let mut sink = |report: &crate::report::RunReport<'_>| {
        let summary = &report.summary;
        guards.clone_from(&summary.guards);
        if matches!(summary.status, RunStatus::Failed | RunStatus::Interrupted) {
            failure.clone_from(&summary.error);
        }
        Ok(())
    };
    let ended = match command {
        Command::Push => super::push(&session, &[integration], &mut sink),
        _ => super::pull(&session, &[integration], &mut sink),
    };
    // What one integration lacks, a secret perhaps, says nothing against the others.
    let exit = ended.unwrap_or_else(|error| {
        failure = Some(format!("{error:#}"));
        super::exit_of(&error)
    });
    let mut steps = explainer.steps.into_inner().unwrap_or_else(PoisonError::into_inner);
    for step in &mut steps {
        if let Some(stop) = guards.iter().find(|verdict| stops(verdict, step)) {
            step.why = why_stopped(stop, &step.why);
        }
    }
    let Some(error) = failure else { return Ok((steps, Exit::Done)) };
    steps.push(Step {
        command: Some(command),
        is_failure: true,
        ..Step::nothing(&integration.name, &error)
    });
    Ok((steps, exit))
}

/// Whether a guard stops what the step would change.
fn stops(verdict: &GuardVerdict, step: &Step) -> bool {
    let is_of_it = match (&verdict.section, step.section) {
        (Some(section), Some(of)) => section == of.word(),
        (section, _) => section.is_none(),
    };
    let stops = Guard::from_word(&verdict.guard).is_none_or(Guard::stops_section);
    step.status == Some(ChangeStatus::Planned) && is_of_it && stops && !verdict.allowed
}

fn why_stopped(verdict: &GuardVerdict, why: &str) -> String {
    let GuardVerdict { guard, section, limit, actual, .. } = verdict;
    let what = section.as_deref().unwrap_or("everything");
    format!(
        "{why}, but the guard {guard} would stop {what}: {actual} (limit {limit}). Accept it with \
         --allow {guard}"
    )
}

/// Writes down what a run would do with one product.
struct Explainer<'e> {
    integration: &'e Integration,
    command: Command,
    sku: &'e str,
    steps: Mutex<Vec<Step>>,
}

impl Look for Explainer<'_> {
    fn look(&self, reading: &Reading, plans: &[SectionPlan]) -> Result<(), RunError> {
        let matched = &reading.matched;
        let Some(product) = matched.products.find(self.sku) else { return Ok(()) };
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let slots: Vec<&Delivered> =
            matched.linked().filter(|(id, ..)| *id == product).map(|(.., slot)| slot).collect();
        for plan in plans {
            let ours = reading.column(plan.section).and_then(|column| column.get(product).get());
            if slots.is_empty() {
                steps.push(self.without_item(matched, product, plan, ours));
            }
            for slot in &slots {
                steps.push(self.with_item(matched, product, plan, slot, ours));
            }
        }
        Ok(())
    }
}

impl Explainer<'_> {
    fn step(&self, plan: &SectionPlan, why: String) -> Step {
        Step {
            command: Some(self.command),
            section: Some(plan.section),
            place: Some(plan.place.key.clone()),
            location: plan.place.at_store.location().map(str::to_owned),
            currency: plan.place.currency,
            ..Step::nothing(&self.integration.name, &why)
        }
    }

    fn with_item(
        &self,
        matched: &Matched,
        product: ProductId,
        plan: &SectionPlan,
        slot: &Delivered,
        ours: Option<Decimal>,
    ) -> Step {
        let item_id = matched.item_id(product, slot.item);
        let of_item = |change: &&Change| change.product == product && change.item == slot.item;
        let theirs = slot.value(plan.section).get();
        let change = plan.changes.iter().find(of_item);
        let (before, after) = match (change, plan.direction) {
            (Some(change), _) => (change.before.get(), change.after.get()),
            (None, Direction::Send) => (theirs, ours),
            (None, _) => (ours, theirs),
        };
        let why = match change {
            Some(change) => self.why_changed(plan, change),
            None => self.why_not_changed(matched, item_id, plan, slot, ours),
        };
        let status = change.map(|change| change.status);
        Step {
            item_id: Some(item_id.to_owned()),
            linked_by: Some(linked_by(matched, slot)),
            before,
            after,
            status,
            ..self.step(plan, why)
        }
    }

    fn why_changed(&self, plan: &SectionPlan, change: &Change) -> String {
        let name = &self.integration.name;
        if let Some(message) = plan.message(change) {
            return message.to_owned();
        }
        match plan.direction {
            Direction::Send => "the inventory is superior".to_owned(),
            _ => format!("{name} is superior"),
        }
    }

    fn why_not_changed(
        &self,
        matched: &Matched,
        item_id: &str,
        plan: &SectionPlan,
        slot: &Delivered,
        ours: Option<Decimal>,
    ) -> String {
        let name = &self.integration.name;
        let theirs = slot.value(plan.section).get();
        let told = self.told(matched, Some(item_id));
        match (theirs, ours, plan.direction) {
            (None, ..) if slot.is_bad(plan.section) => {
                told.unwrap_or_else(|| format!("{name} has a value that cannot be used"))
            }
            (None, _, Direction::Download) => {
                told.unwrap_or_else(|| format!("unknown at {name}: the inventory keeps its value"))
            }
            (_, None, Direction::Send) => {
                "unknown in the inventory: there is nothing to send".to_owned()
            }
            (Some(theirs), Some(ours), Direction::Download) if theirs != ours => {
                told.unwrap_or_else(|| "the values of its items differ".to_owned())
            }
            (Some(theirs), Some(ours), Direction::Send) if theirs != ours => {
                format!("as {name} can hold it, {ours} is {theirs}: equal")
            }
            _ => "equal: there is nothing to change".to_owned(),
        }
    }

    /// A product that nothing was delivered for.
    fn without_item(
        &self,
        matched: &Matched,
        product: ProductId,
        plan: &SectionPlan,
        ours: Option<Decimal>,
    ) -> Step {
        let name = &self.integration.name;
        let kept = matched.absent_links().into_iter().find(|(_, linked)| *linked == product);
        let zeroes = self
            .integration
            .sections(plan.direction)
            .find(|(section, own)| (*section, &own.places) == (plan.section, &plan.place.at_store))
            .is_some_and(|(section, own)| own.guard.zero_missing && section == Section::Stock);
        let why = match kept {
            Some((item_id, _)) if plan.direction == Direction::Send => {
                format!("linked to item {item_id}, which {name} does not have any more")
            }
            Some((item_id, _)) if zeroes => format!(
                "linked to item {item_id}, which {name} does not deliver: missing = \"zero\" makes \
                 the stock 0 where {name} wrote it last and the delivery is complete"
            ),
            Some((item_id, _)) => {
                format!("linked to item {item_id}, which {name} does not deliver: the value stays")
            }
            None => self.told(matched, None).unwrap_or_else(|| {
                let keys = match self.integration.link_by.as_slice() {
                    [] => "link_by is empty: link it by hand (`invsync link set`)",
                    _ => "no item has its SKU or EAN (link_by), and none is linked by hand",
                };
                format!("not linked: {keys}")
            }),
        };
        let (before, after) = match plan.direction {
            Direction::Send => (None, ours),
            _ => (ours, None),
        };
        Step { before, after, ..self.step(plan, why) }
    }

    /// What was told as a problem of the product or of its item.
    fn told(&self, matched: &Matched, item_id: Option<&str>) -> Option<String> {
        let is_of_it = |problem: &crate::model::Problem| {
            problem.sku.as_deref() == Some(self.sku)
                || (item_id.is_some() && problem.item_id.as_deref() == item_id)
        };
        let found = matched.problems.iter().find(is_of_it)?;
        Some(format!("{}: {}", found.kind.word(), found.message))
    }
}

/// How the item of a slot is linked.
fn linked_by(matched: &Matched, slot: &Delivered) -> LinkedBy {
    if slot.item == SELF { LinkedBy::Sku } else { matched.linked_by(slot.item) }
}

impl Step {
    /// A step at which nothing is done.
    fn nothing(integration: &str, why: &str) -> Step {
        Step {
            integration: integration.to_owned(),
            command: None,
            section: None,
            place: None,
            location: None,
            currency: None,
            item_id: None,
            linked_by: None,
            before: None,
            after: None,
            status: None,
            is_failure: false,
            why: why.to_owned(),
        }
    }
}
