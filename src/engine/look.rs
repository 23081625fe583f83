//! Looking without touching: an integration's items, and what is wrong with mappings and links.

use std::collections::BTreeMap;

use super::part::Source;
use super::problem_log::{About, ProblemLog};
use super::pull::check_not_empty;
use super::read::{Opened, match_rules, read};
use super::run::RunError;
use super::{Checked, Session};
use crate::config::{Integration, Unlinked};
use crate::connector::{ErrorKind, RowBatch, RowView, Want};
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
    let (mut items, mut exit) = (0, Exit::Done);
    let sources = session.connect_all(integration)?;
    // Of several locations each shows all items, with what is there.
    let has_several = sources.iter().enumerate().any(|(at, source)| {
        let earlier: Vec<&Source<'_>> = sources[..at].iter().collect();
        source.repeats(&earlier)
    });
    for source in sources {
        if has_several {
            let Some(location) = source.part.places.location() else { continue };
            session.progress.note(&format!("{}: the items at {location}", integration.name));
        }
        let (listed, ended) = list_one(session, integration, &source, each, problem)?;
        items += listed.items;
        exit = exit.max(ended);
        if listed.is_cut {
            return Ok(exit);
        }
    }
    if items == 0 && !integration.allow_empty {
        let message = format!("{}: the source holds no items at all", integration.name);
        return Err(RunError::new(Exit::Failed, message).into());
    }
    Ok(exit)
}

/// How far the listing of a source went.
struct Listed {
    items: u64,
    /// Nobody reads on.
    is_cut: bool,
}

fn list_one(
    session: &Session<'_>,
    integration: &Integration,
    source: &Source<'_>,
    each: &mut dyn FnMut(&RowView<'_>) -> anyhow::Result<bool>,
    problem: &mut dyn FnMut(&Problem) -> anyhow::Result<()>,
) -> anyhow::Result<(Listed, Exit)> {
    let named = |error| -> anyhow::Error {
        let error = RunError::from(error);
        RunError::new(error.exit, format!("{}: {}", integration.name, error.message)).into()
    };
    let mut reader = source.connector.open(EVERYTHING).map_err(named)?;
    let mut batch = RowBatch::default();
    let (mut listed, mut exit) = (Listed { items: 0, is_cut: false }, Exit::Done);
    loop {
        batch.clear();
        let more = reader.next(&mut batch).map_err(named)?;
        for row in batch.rows() {
            listed.items += 1;
            let skus = &session.options.skus;
            if !skus.is_empty() && !skus.iter().any(|sku| row.sku() == Some(sku)) {
                continue;
            }
            if !each(&row)? {
                listed.is_cut = true;
                return Ok((listed, exit));
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
    Ok((listed, exit))
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
    sources: &[Source<'_>],
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
    let mut look = Look { session, integration, inventory: &inventory, absent: Absent::new() };
    let (mut complete, mut logs, mut earlier) = (0, Vec::new(), Vec::new());
    for source in sources {
        let counts = (checked.items, checked.linked);
        match look.at(source, &mut checked) {
            Ok((mut problems, is_complete)) => {
                if source.repeats(&earlier) {
                    problems.drop_what_is_in(logs.iter());
                    (checked.items, checked.linked) = counts;
                }
                checked.problems.extend(problems.iter());
                logs.push(problems);
                earlier.push(source);
                complete += usize::from(is_complete);
            }
            Err(error) => {
                let message = format!("{}: {}", integration.name, error.message);
                checked.error = Some((message, error.exit));
                return Ok(checked);
            }
        }
    }
    // Only what every source lacks is gone.
    if complete == integration.parts.len() {
        let gone = look.absent.iter().filter(|(_, (_, times))| *times == complete);
        checked.problems.extend(gone.map(|(item_id, (sku, _))| broken_link(item_id, sku)));
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

/// The linked items that sources lack, with their SKUs and how many sources lack them.
type Absent = BTreeMap<String, (String, usize)>;

/// A look at all the sources of one integration.
struct Look<'l> {
    session: &'l Session<'l>,
    integration: &'l Integration,
    inventory: &'l Inventory,
    absent: Absent,
}

impl Look<'_> {
    /// What is wrong with one source, and whether it was complete.
    fn at(
        &mut self,
        source: &Source<'_>,
        checked: &mut Checked,
    ) -> Result<(ProblemLog, bool), RunError> {
        let (session, integration) = (self.session, self.integration);
        let fed = || {
            let all = integration.all_sections();
            all.filter(|(section, settings)| source.part.feeds(*section, settings))
        };
        let has = |wanted| fed().any(|(section, _)| section == wanted);
        let (stock, prices) = (has(Section::Stock), has(Section::Prices));
        let want = Want { stock, prices, names: false };
        let opened = match Opened::by(source.connector.as_ref(), want) {
            Err(error) if error.kind == ErrorKind::Mapping => {
                let mut problems = ProblemLog::default();
                problems.add(ProblemKind::Config, About::default(), &error.message);
                return Ok((problems, false));
            }
            opened => opened?,
        };
        let tx = self.inventory.begin_read()?;
        let integration_id = tx.integration(&integration.name)?;
        let mut places = Vec::new();
        for (section, settings) in fed().filter(|(_, s)| s.direction == Direction::Send) {
            let stored = session.stored_place(&tx, section, &settings.place)?;
            places.push((section, stored.map(|place| place.id)));
        }
        let mut rules = match_rules(session, integration, false);
        // Items that a pull will make into products are no problem.
        rules.report_unlinked &= integration.unlinked == Unlinked::Report;
        let mut reading = read(session, &tx, integration_id, rules, &places, opened)?;
        check_not_empty(integration, &reading)?;
        source.connector.check(!places.is_empty())?;
        let matched = &mut reading.matched;
        checked.items += matched.counts.items;
        checked.linked += matched.counts.linked;
        let mut problems = std::mem::take(&mut matched.problems);
        for (item_id, product) in matched.absent_links() {
            let sku = matched.products.sku(product).to_owned();
            self.absent.entry(item_id.to_owned()).or_insert((sku, 0)).1 += 1;
        }
        for (section, _) in fed().filter(|(_, s)| s.direction == Direction::Download) {
            super::plan::disputed(&reading.matched, section, &mut problems);
        }
        report_not_listed(&reading, &mut problems, &places);
        Ok((problems, reading.delivery.complete))
    }
}

fn broken_link(item_id: &str, sku: &str) -> Problem {
    Problem {
        kind: ProblemKind::BrokenLink,
        item_id: Some(item_id.to_owned()),
        sku: Some(sku.to_owned()),
        line: None,
        message: "it is linked, but the integration does not have it any more. Remove the link \
                  (`invsync link remove`), or put the item back"
            .to_owned(),
    }
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
