//! Looking without touching: an integration's items, and what is wrong with mappings and links.

use super::problem_log::{About, ProblemLog};
use super::pull::check_not_empty;
use super::read::{Opened, match_rules, read};
use super::run::RunError;
use super::{Checked, Session};
use crate::config::{Integration, Unlinked};
use crate::connector::{Connector, ErrorKind, RowBatch, RowView, Want};
use crate::inventory::{Inventory, InventoryErrorKind};
use crate::model::{Direction, Exit, Problem, ProblemKind, Section};

const EVERYTHING: Want = Want { stock: true, prices: true, names: true };

/// The integration's items, past the inventory.
pub(super) fn list(
    session: &Session<'_>,
    integration: &Integration,
    each: &mut dyn FnMut(&RowView<'_>) -> anyhow::Result<bool>,
    problem: &mut dyn FnMut(&Problem) -> anyhow::Result<()>,
) -> anyhow::Result<Exit> {
    let connector = session.connect(integration)?;
    let named = |error| -> anyhow::Error {
        let error = RunError::from(error);
        RunError::new(error.exit, format!("{}: {}", integration.name, error.message)).into()
    };
    let mut reader = connector.open(EVERYTHING).map_err(named)?;
    let mut batch = RowBatch::default();
    let (mut items, mut exit) = (0_u64, Exit::Done);
    loop {
        batch.clear();
        let more = reader.next(&mut batch).map_err(named)?;
        for row in batch.rows() {
            items += 1;
            let skus = &session.options.skus;
            if !skus.is_empty() && !skus.iter().any(|sku| row.sku() == Some(sku)) {
                continue;
            }
            if !each(&row)? {
                return Ok(exit);
            }
        }
        for found in problems_of(&batch) {
            if found.kind.makes_partial() {
                exit = Exit::Partial;
            }
            problem(&found)?;
        }
        session.check_interrupted()?;
        if !more {
            break;
        }
    }
    reader.finish().map_err(named)?;
    if items == 0 && !integration.allow_empty {
        let message = format!("{}: the source holds no items at all", integration.name);
        return Err(RunError::new(Exit::Failed, message).into());
    }
    Ok(exit)
}

fn problems_of(batch: &RowBatch) -> impl Iterator<Item = Problem> + '_ {
    batch.problems().iter().map(|problem| {
        let row = problem.row.and_then(|row| batch.row(row as usize));
        let own = |text: Option<&str>| text.map(str::to_owned);
        Problem {
            kind: problem.kind,
            item_id: row.and_then(|row| own(row.item_id().or(row.sku()))),
            sku: row.and_then(|row| own(row.sku())),
            line: Some(problem.line).filter(|line| *line > 0),
            message: problem.message.clone(),
        }
    })
}

/// What is wrong with an integration's mapping and links.
pub(super) fn check(
    session: &Session<'_>,
    integration: &Integration,
    connector: &dyn Connector,
) -> anyhow::Result<Checked> {
    let inventory = match session.open_to_read() {
        Ok(inventory) => inventory,
        Err(error) if is_missing(&error) => empty_inventory(session)?,
        Err(error) => return Err(error),
    };
    session.check_places(&inventory)?;
    let mut checked = Checked {
        integration: integration.name.clone(),
        items: 0,
        linked: 0,
        problems: Vec::new(),
        error: None,
    };
    match find_problems(session, integration, connector, &inventory, &mut checked) {
        Ok(problems) => checked.problems = problems.iter().collect(),
        Err(error) => {
            let message = format!("{}: {}", integration.name, error.message);
            checked.error = Some((message, error.exit));
        }
    }
    Ok(checked)
}

fn is_missing(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<crate::inventory::InventoryError>()
        .is_some_and(|error| error.kind == InventoryErrorKind::Missing)
}

/// Where there is no inventory yet, the check is against what the seed would make of it.
fn empty_inventory(session: &Session<'_>) -> anyhow::Result<Inventory> {
    let inventory = Inventory::in_memory()?;
    super::products::seed(session, &inventory)?;
    Ok(inventory)
}

fn find_problems(
    session: &Session<'_>,
    integration: &Integration,
    connector: &dyn Connector,
    inventory: &Inventory,
    checked: &mut Checked,
) -> Result<ProblemLog, RunError> {
    let want = Want {
        stock: integration.stock.is_some(),
        prices: integration.prices.is_some(),
        names: false,
    };
    let opened = Opened::by(connector, want);
    let opened = match opened {
        Err(error) if error.kind == ErrorKind::Mapping => {
            let mut problems = ProblemLog::default();
            problems.add(ProblemKind::Config, About::default(), &error.message);
            return Ok(problems);
        }
        opened => opened?,
    };
    let tx = inventory.begin_read()?;
    let integration_id = tx.integration(&integration.name)?;
    let mut places = Vec::new();
    for (section, settings) in integration.sections(Direction::Send) {
        let stored = session.stored_place(&tx, section, &settings.place)?;
        places.push((section, stored.map(|place| place.id)));
    }
    let mut rules = match_rules(session, integration, false);
    // Items that a pull will make into products are no problem.
    rules.report_unlinked &= integration.unlinked == Unlinked::Report;
    let mut reading = read(session, &tx, integration_id, rules, &places, opened)?;
    check_not_empty(integration, &reading)?;
    connector.check(integration.sections(Direction::Send).next().is_some())?;
    let matched = &mut reading.matched;
    checked.items = matched.counts.items;
    checked.linked = matched.counts.linked;
    let mut problems = std::mem::take(&mut matched.problems);
    if reading.delivery.complete {
        for (item_id, product) in matched.absent_links() {
            let sku = matched.products.sku(product);
            let about = About { item_id: Some(item_id), sku: Some(sku), line: 0 };
            let message = "it is linked, but the integration does not have it any more. Remove \
                           the link (`invsync link remove`), or put the item back";
            problems.add(ProblemKind::BrokenLink, about, message);
        }
    }
    for (section, _) in integration.sections(Direction::Download) {
        super::plan::disputed(&reading.matched, section, &mut problems);
    }
    report_not_listed(&reading, &mut problems, &places);
    Ok(problems)
}

/// Products with a value to send that have no item.
fn report_not_listed(
    reading: &super::read::Reading,
    problems: &mut ProblemLog,
    places: &[(Section, Option<i64>)],
) {
    let matched = &reading.matched;
    if places.is_empty() || !reading.delivery.complete {
        return;
    }
    let absent: rustc_hash::FxHashSet<_> =
        matched.absent_links().into_iter().map(|(_, product)| product).collect();
    for product in matched.products.by_sku() {
        let has_value = reading.columns.iter().any(|column| column.get(product).get().is_some());
        let is_linked = matched.delivered[product as usize].is_linked();
        if has_value && !is_linked && !absent.contains(&product) {
            let about = About { item_id: None, sku: Some(matched.products.sku(product)), line: 0 };
            let message = "it has a value to send, but no item of the store is linked to it";
            problems.add(ProblemKind::NotListed, about, message);
        }
    }
}
