//! Link commands: links by hand, from a file, by reading the integration; all of them recorded.

use super::links_copy;
use super::links_file::LinksFile;
use super::matching::Matched;
use super::part;
use super::problem_log::{About, ProblemLog};
use super::products::{clean, open_csv, unknown_sku, unreadable};
use super::pull::check_not_empty;
use super::read::{Opened, match_rules, read};
use super::run::{Ending, IfMissing, OpenRun, RunError, Start, in_run};
use super::{LinkOrder, LinkRow, LinkTo, Options, Session, Sink, UsageError};
use crate::config::Integration;
use crate::connector::Want;
use crate::inventory::{LinkChange, LinkState, Products, Purpose, StoredLink, Tx};
use crate::model::{
    ChangeRow, ChangeStatus, Command, Exit, LinkedBy, ProblemKind, Section, Timestamp,
};
use crate::report::{Changes, EachChange, RunReport};
use std::path::Path;

/// Where the links of a link command come from.
pub(super) enum Source<'a> {
    /// By hand or from a file.
    Orders { orders: Vec<LinkOrder>, strict: bool },
    /// `link remove`.
    Remove(&'a str),
    /// What fits, by reading the integration.
    Auto(&'a [part::Source<'a>]),
}

/// Reads the orders of a `link import` file.
pub(super) fn read_orders(file: &Path) -> anyhow::Result<(Vec<LinkOrder>, ProblemLog)> {
    let mut reader = open_csv(file)?;
    let header = reader.headers().map_err(|why| unreadable(file, &why))?.clone();
    let column = |name: &str| header.iter().position(|cell| clean(cell) == name);
    let (Some(item_id), Some(sku)) = (column("item_id"), column("sku")) else {
        return Err(UsageError(format!(
            "{}: the first line must name the columns item_id,sku",
            file.display()
        ))
        .into());
    };
    let (mut orders, mut problems) = (Vec::new(), ProblemLog::default());
    for record in reader.records() {
        let record = record.map_err(|why| unreadable(file, &why))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: usize| record.get(at).map(clean).unwrap_or_default();
        if cell(item_id).is_empty() {
            let about = About { item_id: None, sku: Some(cell(sku)), line };
            problems.add(ProblemKind::InvalidValue, about, "the row has no item_id");
            continue;
        }
        orders.push(LinkOrder {
            item_id: cell(item_id).to_owned(),
            sku: Some(cell(sku)).filter(|sku| !sku.is_empty()).map(str::to_owned),
            line: Some(line),
        });
    }
    Ok((orders, problems))
}

/// `link auto`.
pub(super) fn auto(
    session: &Session<'_>,
    integration: &Integration,
    to: LinkTo,
    sink: Sink<'_>,
) -> anyhow::Result<Exit> {
    let name = &integration.name;
    let mut session = session.clone();
    match (to, &integration.links) {
        (LinkTo::File, None) => {
            return Err(UsageError(format!(
                "--write is for an integration with a links file, and {name} has none: write \
                 links = \"links/{name}.csv\" into [integrations.{name}], or leave --write out to \
                 link in the inventory"
            ))
            .into());
        }
        (LinkTo::File, Some(_)) => drop(session.links_file_to_write(integration)?),
        (LinkTo::Inventory, None) => {}
        (LinkTo::Inventory, Some(_)) => {
            if let Some(file) = session.links_file_to_write(integration)? {
                let file = &file.name;
                session.progress.note(&format!(
                    "{name}: its links stand in {file}; --write writes what is proposed there"
                ));
            }
            session.options = Options { dry_run: true, ..session.options };
        }
    }
    let sources = session.connect_all(integration)?;
    link(&session, integration, Source::Auto(&sources), ProblemLog::default(), sink)
}

/// Runs a link command.
pub(super) fn link(
    session: &Session<'_>,
    integration: &Integration,
    source: Source<'_>,
    problems: ProblemLog,
    sink: Sink<'_>,
) -> anyhow::Result<Exit> {
    session.links_file_to_write(integration)?;
    // What reads the integration can be the first command of all, as a pull can.
    let if_missing = match source {
        Source::Auto(_) => IfMissing::Create,
        Source::Orders { .. } | Source::Remove(_) => IfMissing::Refuse,
    };
    let inventory = session.open(if_missing)?;
    if let Source::Orders { orders, strict: true } = &source {
        let tx = inventory.begin_read()?;
        for sku in orders.iter().filter_map(|order| order.sku.as_ref()) {
            if tx.product_id(sku)?.is_none() {
                return Err(unknown_sku(&tx.products()?, sku).into());
            }
        }
    }
    let start = Start {
        inventory: &inventory,
        integration: Some(&integration.name),
        command: Command::Link,
        purpose: &Purpose::default(),
        state: "No link was changed",
    };
    let work = |run: &mut OpenRun<'_>| run_link(session, integration, source, problems, run);
    in_run(session, start, sink, work, |summary, linked, sink| {
        sink(&RunReport {
            summary: summary.clone(),
            changes: Box::new(LinkChanges { products: &linked.products, changes: &linked.changes }),
            problems: Box::new(linked.problems),
        })?;
        Ok(linked.exit)
    })
}

struct Linked {
    products: Products,
    changes: Vec<LinkChange>,
    problems: ProblemLog,
    exit: Exit,
}

fn run_link(
    session: &Session<'_>,
    integration: &Integration,
    source: Source<'_>,
    mut problems: ProblemLog,
    run: &mut OpenRun<'_>,
) -> Result<Linked, RunError> {
    // Nobody else edits it from now on: this run has the lock.
    let file = session.links_file_to_write(integration)?;
    let file = file.as_deref();
    if let Source::Auto(sources) = source {
        return link_auto(session, integration, sources, file, run);
    }
    let tx = session.begin(run.inventory)?;
    let products = tx.products()?;
    let mut state = tx.link_state(run.integration_id)?;
    if let Some(file) = file {
        state = file.state(&products, &state)?;
    }
    let mut changes = match source {
        Source::Orders { orders, .. } => {
            run.summary.items = orders.len() as u64;
            changes_of(&orders, &products, &state, &mut problems)
        }
        Source::Remove(item_id) => {
            let before = state.find(item_id, |sku| products.find(sku));
            before.map(|before| removal(item_id, before)).into_iter().collect()
        }
        Source::Auto(_) => Vec::new(),
    };
    store(session, &tx, run, file, &products, &mut changes)?;
    let changes = finish(session, tx, run, changes, &problems)?;
    let exit = exit_of(session, run, &problems);
    Ok(Linked { products, changes, problems, exit })
}

/// Taking a link away leaves the mark that says never, or the next run would make it again. Taking
/// that mark away leaves nothing.
fn removal(item_id: &str, before: StoredLink) -> LinkChange {
    let never = StoredLink { product: None, linked_by: LinkedBy::Never, handle: None };
    let after = Some(never).filter(|never| before.linked_by != never.linked_by);
    LinkChange {
        item_id: item_id.to_owned(),
        before: Some(before),
        after,
        status: ChangeStatus::Planned,
    }
}

/// Reads the integration and keeps the links that fit; no value moves.
fn link_auto(
    session: &Session<'_>,
    integration: &Integration,
    sources: &[part::Source<'_>],
    file: Option<&LinksFile>,
    run: &mut OpenRun<'_>,
) -> Result<Linked, RunError> {
    let want = Want { stock: false, prices: false, names: false };
    session.progress.begin(&format!("reading {}", integration.name), None);
    let mut others: Vec<&part::Source<'_>> = Vec::new();
    for source in sources {
        if !source.repeats(&others) {
            others.push(source);
        }
    }
    let open = |source: &part::Source<'_>| Opened::by(source.connector.as_ref(), want);
    let opened: Result<Vec<_>, _> = others.iter().map(|source| open(source)).collect();
    let tx = session.begin(run.inventory)?;
    let mut linked = Linked {
        products: Products::default(),
        changes: Vec::new(),
        problems: ProblemLog::default(),
        exit: Exit::Done,
    };
    for opened in opened? {
        let mut rules = match_rules(session, integration, false)?;
        rules.only_proposes = false;
        let mut reading = read(session, &tx, run.integration_id, rules, &[], opened)?;
        check_not_empty(integration, &reading)?;
        linked.changes.extend(new_links_of(&reading.matched));
        if let (false, Some(id), Some(integration), None) =
            (session.options.dry_run, run.summary.run_id, run.integration_id, file)
        {
            super::pull::apply_links(&tx, id, integration, &reading)?;
        }
        let counts = reading.matched.counts;
        run.summary.items += counts.items;
        run.summary.duplicates += counts.duplicates;
        run.summary.linked += counts.linked;
        run.summary.unlinked += (counts.items - counts.duplicates).saturating_sub(counts.linked);
        linked.problems.append(std::mem::take(&mut reading.matched.problems));
        linked.products = reading.matched.products;
    }
    session.progress.end();
    linked.changes.sort_by(|a, b| a.item_id.cmp(&b.item_id));
    // In a dry run the second source does not know what the first one would have linked.
    linked.changes.dedup_by(|a, b| a.item_id == b.item_id);
    if let Some(file) = file {
        let only = &session.options.skus;
        file.report(Some(&linked.products), only, &mut linked.problems);
        store(session, &tx, run, Some(file), &linked.products, &mut linked.changes)?;
    } else if let (false, Some(id)) = (session.options.dry_run, run.summary.run_id) {
        for (n, change) in linked.changes.iter().enumerate() {
            // The links are stored already; this records them.
            tx.record_link(id, n, &LinkChange { status: ChangeStatus::Applied, ..change.clone() })?;
        }
    }
    linked.changes = finish(session, tx, run, linked.changes, &linked.problems)?;
    linked.exit = exit_of(session, run, &linked.problems);
    Ok(linked)
}

/// The links that a reading makes, as changes.
pub(super) fn new_links_of(matched: &Matched) -> Vec<LinkChange> {
    let own = matched.new_sku_links();
    let own = own.iter().map(|product| {
        let link = StoredLink { product: Some(product), linked_by: LinkedBy::Sku, handle: None };
        (matched.products.sku(product), link)
    });
    let change = |(item_id, link): (&str, StoredLink)| LinkChange {
        item_id: item_id.to_owned(),
        before: None,
        after: Some(link),
        status: ChangeStatus::Planned,
    };
    own.chain(matched.new_links()).map(change).collect()
}

/// What orders change; an unknown SKU is a problem with its line.
fn changes_of(
    orders: &[LinkOrder],
    products: &Products,
    state: &LinkState,
    problems: &mut ProblemLog,
) -> Vec<LinkChange> {
    let mut changes = Vec::new();
    for order in orders {
        let product = match &order.sku {
            None => None,
            Some(sku) => match products.find(sku) {
                Some(product) => Some(product),
                None => {
                    let about = About {
                        item_id: Some(&order.item_id),
                        sku: Some(sku),
                        line: order.line.unwrap_or_default(),
                    };
                    let UsageError(message) = unknown_sku(products, sku);
                    problems.add(ProblemKind::InvalidValue, about, &message);
                    continue;
                }
            },
        };
        let before = state.find(&order.item_id, |sku| products.find(sku));
        let linked_by = if product.is_some() { LinkedBy::Hand } else { LinkedBy::Never };
        // A file says which link there is, a hand also that it stays whatever the item's SKU.
        let is_there = before.as_ref().is_some_and(|before| {
            before.product == product && (order.line.is_some() || before.linked_by == linked_by)
        });
        if is_there {
            continue;
        }
        changes.push(LinkChange {
            item_id: order.item_id.clone(),
            before,
            after: Some(StoredLink { product, linked_by, handle: None }),
            status: ChangeStatus::Planned,
        });
    }
    changes
}

/// Stores changes where the links stand: in the file, or else in the inventory.
fn store(
    session: &Session<'_>,
    tx: &Tx<'_>,
    run: &OpenRun<'_>,
    file: Option<&LinksFile>,
    products: &Products,
    changes: &mut [LinkChange],
) -> Result<(), RunError> {
    if session.options.dry_run {
        return Ok(());
    }
    if let Some(file) = file {
        return links_copy::edit(file, tx, run, products, changes);
    }
    if let Some((id, integration)) = run.summary.run_id.zip(run.integration_id) {
        tx.change_links(id, id, integration, changes)?;
    }
    Ok(())
}

fn finish(
    session: &Session<'_>,
    tx: Tx<'_>,
    run: &mut OpenRun<'_>,
    mut changes: Vec<LinkChange>,
    problems: &ProblemLog,
) -> Result<Vec<LinkChange>, RunError> {
    if !session.options.dry_run {
        for change in &mut changes {
            change.status = ChangeStatus::Applied;
        }
    }
    run.summary.changed.links = changes.len() as u64;
    run.summary.invalid = problems.count_of(ProblemKind::InvalidValue);
    run.summary.status = Ending::of(&[], false, problems).status();
    run.summary.finished_at = Some(Timestamp::now());
    if let Some(id) = run.summary.run_id {
        tx.record_problems(id, &mut problems.iter(), &problems.counts())?;
        tx.finish_run(id, &run.summary)?;
        tx.commit()?;
    }
    Ok(changes)
}

fn exit_of(session: &Session<'_>, run: &OpenRun<'_>, problems: &ProblemLog) -> Exit {
    let differs = session.options.exit_code && run.summary.changed.total() > 0;
    let exit = Ending::of(&[], false, problems).exit();
    exit.max(if differs { Exit::Differences } else { Exit::Done })
}

/// The changes of a link command.
pub(super) struct LinkChanges<'a> {
    pub products: &'a Products,
    pub changes: &'a [LinkChange],
}

impl Changes for LinkChanges<'_> {
    fn each(&self, each: EachChange<'_>) -> anyhow::Result<()> {
        let sku = |link: &Option<StoredLink>| {
            link.as_ref().and_then(|link| link.product).map(|product| self.products.sku(product))
        };
        for change in self.changes {
            let (before, after) = (sku(&change.before), sku(&change.after));
            let never = change.after.as_ref().is_some_and(|l| l.linked_by == LinkedBy::Never);
            let row = ChangeRow {
                section: Section::Links,
                item_id: Some(&change.item_id),
                sku: if never { None } else { after.or(before) },
                name: None,
                place: None,
                location: None,
                currency: None,
                before: before.into(),
                after: after.into(),
                status: change.status,
                message: None,
            };
            if !each(&row)? {
                break;
            }
        }
        Ok(())
    }

    fn count_of(&self, section: Section) -> anyhow::Result<u64> {
        Ok(if section == Section::Links { self.changes.len() as u64 } else { 0 })
    }
}

/// Streams an integration's links.
pub(super) fn list(
    session: &Session<'_>,
    integration: &Integration,
    each: &mut dyn FnMut(&LinkRow<'_>) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let inventory = session.open_to_read()?;
    let tx = inventory.begin_read()?;
    let Some(id) = tx.integration(&integration.name)? else { return Ok(()) };
    tx.each_link::<anyhow::Error>(id, |item_id, sku, linked_by| {
        let skus = &session.options.skus;
        let is_wanted = skus.is_empty() || sku.is_some_and(|sku| skus.iter().any(|s| s == sku));
        if is_wanted { each(&LinkRow { item_id, sku, linked_by }) } else { Ok(true) }
    })
}
