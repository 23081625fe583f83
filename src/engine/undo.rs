//! Taking a run back: every value that is still that run's, its links, the products that it made.
//!
//! What a run wrote into the inventory is put back in one transaction. What a push sent is put
//! back at the store, the way a push goes. An undo is a run of its own and can be undone itself.

use super::links::LinkChanges;
use super::matching::{Matched, SELF};
use super::plan::{PlaceRef, SectionPlan};
use super::problem_log::ProblemLog;
use super::pull::record_of;
use super::read::Reading;
use super::run::{Ending, IfMissing, OpenRun, RunError, Start, in_run};
use super::view::PlanChanges;
use super::{Session, Sink, UsageError};
use crate::inventory::{
    AppliedChange, LinkChange, ProductId, Products, Purpose, Side, Standing, StoredPlace, Tx,
};
use crate::model::{ChangeStatus, Command, Direction, Exit, RunSummary, Section, Timestamp};
use crate::report::{Changes, EachChange, RunReport};

/// `undo ID`.
pub(super) fn undo(session: &Session<'_>, id: i64, sink: Sink<'_>) -> anyhow::Result<Exit> {
    let inventory = session.open(IfMissing::Refuse)?;
    let (undone, purpose) = {
        let tx = inventory.begin_read()?;
        let Some(summary) = tx.run_summary(id)? else {
            let message = format!("there is no run {id}; `invsync runs` lists them");
            return Err(UsageError(message).into());
        };
        (summary, tx.purpose(id)?)
    };
    for sku in &session.options.skus {
        super::products::check_sku(&inventory, sku)?;
    }
    if purpose.pruned {
        let message = format!(
            "the changes of run {id} are not on record any more, so it cannot be put back; \
             keep_runs under [inventory] says how long they are kept"
        );
        return Err(UsageError(message).into());
    }
    if purpose.at_store {
        return super::push::undo(session, &inventory, id, &undone, sink);
    }
    if undone.command == Command::Link && links_stand_in_file(session, &undone) {
        let name = undone.integration.as_deref().unwrap_or_default();
        let message = format!(
            "the links of {name} stand in its links file, which an undo does not touch: take run \
             {id} back there (by git, `invsync link set {name}` or `invsync link remove {name}`)"
        );
        return Err(UsageError(message).into());
    }
    let purpose = Purpose { undoes: Some(id), ..purpose };
    let start = Start {
        inventory: &inventory,
        integration: undone.integration.as_deref(),
        command: Command::Undo,
        purpose: &purpose,
        state: "Nothing was put back",
    };
    let work = |run: &mut OpenRun<'_>| put_back(session, run, id, &undone);
    in_run(session, start, sink, work, |summary, undoing, sink| {
        warn(session, &undone, &undoing.plans);
        sink(&RunReport {
            summary: summary.clone(),
            changes: Box::new(UndoChanges {
                values: PlanChanges {
                    inventory: &inventory,
                    matched: &undoing.reading.matched,
                    plans: &undoing.plans,
                    has_items: undone.integration.is_some(),
                },
                links: LinkChanges {
                    products: &undoing.reading.matched.products,
                    changes: &undoing.links,
                },
            }),
            problems: Box::new(ProblemLog::default()),
        })?;
        Ok(undoing.exit)
    })
}

struct Undoing {
    reading: Reading,
    plans: Vec<SectionPlan>,
    links: Vec<LinkChange>,
    exit: Exit,
}

fn put_back(
    session: &Session<'_>,
    run: &mut OpenRun<'_>,
    id: i64,
    undone: &RunSummary,
) -> Result<Undoing, RunError> {
    let tx = session.begin(run.inventory)?;
    let matched = Matched::of_products(tx.products()?, Vec::new());
    let mut reading = Reading::of_products(matched, Vec::new());
    let mut plans = plan_values(session, &tx, id, &mut reading)?;
    // What is restricted to some products or to one section leaves links and products alone.
    let whole = session.options.skus.is_empty() && session.options.only.is_none();
    let mut links = match (whole, run.integration_id) {
        (true, Some(integration)) => plan_links(&tx, id, integration, undone)?,
        _ => Vec::new(),
    };
    if !links.is_empty() && links_stand_in_file(session, undone) {
        links.clear();
        session.progress.note(&format!(
            "{}: its links stand in its links file; they were left as they are",
            undone.integration.as_deref().unwrap_or_default()
        ));
    }
    if let (false, Some(undo)) = (session.options.dry_run, run.summary.run_id) {
        apply_values(&tx, undo, &mut plans, &reading)?;
        if let Some(integration) = run.integration_id {
            // Links that come back are again those of the run that made them.
            let writer = maker_of(&tx, undo)?.unwrap_or(undo);
            tx.change_links(undo, writer, integration, &mut links)?;
        }
        if whole {
            run.summary.created = tx.bring_back_products(id)?;
            remove_products(session, &tx, id, undo)?;
        }
    }
    let exit = finish(session, run, &plans, &links);
    if let Some(undo) = run.summary.run_id {
        tx.finish_run(undo, &run.summary)?;
        tx.commit()?;
    }
    Ok(Undoing { reading, plans, links, exit })
}

/// Whether the next run would bring back whatever an undo did to the links.
fn links_stand_in_file(session: &Session<'_>, undone: &RunSummary) -> bool {
    let integration =
        undone.integration.as_deref().and_then(|name| session.config.integration(name));
    integration.is_some_and(|integration| integration.links.is_some())
}

/// What is still the run's is planned, what is not is skipped, what is put back already is left
/// out.
fn plan_values(
    session: &Session<'_>,
    tx: &Tx<'_>,
    id: i64,
    reading: &mut Reading,
) -> Result<Vec<SectionPlan>, RunError> {
    let mut plans: Vec<SectionPlan> = Vec::new();
    for change in tx.applied_changes(id)? {
        if is_left_out(session, &change, &reading.matched.products) {
            continue;
        }
        let standing = tx.standing(id, Side::Inventory, &change)?;
        if standing == Standing::Undone {
            continue;
        }
        let at = plan_of(tx, &mut plans, &change)?;
        let item = item_of(&mut reading.matched, change.item_id.as_deref())?;
        let now = tx.value(change.section, change.place, change.product)?;
        plans[at].add(change.product, item, change.n, now, change.before);
        if let Standing::ChangedBy(later) = standing {
            let why = format!("run {later} changed it since; it was left as it is");
            plans[at].settle_last(ChangeStatus::Skipped, why);
        }
    }
    Ok(plans)
}

pub(super) fn is_left_out(
    session: &Session<'_>,
    change: &AppliedChange,
    products: &Products,
) -> bool {
    let skus = &session.options.skus;
    session.options.only.is_some_and(|only| only != change.section)
        || !(skus.is_empty() || skus.iter().any(|sku| products.find(sku) == Some(change.product)))
}

/// The plan of a change's place, new where there is none yet.
pub(super) fn plan_of(
    tx: &Tx<'_>,
    plans: &mut Vec<SectionPlan>,
    change: &AppliedChange,
) -> Result<usize, RunError> {
    let found = plans
        .iter()
        .position(|plan| plan.section == change.section && plan.place.id == Some(change.place));
    if let Some(at) = found {
        return Ok(at);
    }
    let stored = tx.places(change.section)?.into_iter().find(|place| place.id == change.place);
    let StoredPlace { id, key, currency, revision } = stored.ok_or_else(|| {
        RunError::new(Exit::Failed, "the inventory lacks a warehouse or price group of this run")
    })?;
    let at_store = change.at_store.clone();
    let place = PlaceRef { id: Some(id), key, currency, revision, at_store };
    plans.push(SectionPlan::new(change.section, Direction::Off, place));
    Ok(plans.len() - 1)
}

/// The entry of an item, new where there is none yet.
fn item_of(matched: &mut Matched, item_id: Option<&str>) -> Result<u32, RunError> {
    let Some(item_id) = item_id else { return Ok(SELF) };
    if let Some(item) = matched.item_ids.find(item_id.as_bytes()) {
        return Ok(item);
    }
    let added = matched.item_ids.add(item_id.as_bytes());
    Ok(added.map_err(crate::inventory::InventoryError::from)?)
}

fn apply_values(
    tx: &Tx<'_>,
    undo: i64,
    plans: &mut [SectionPlan],
    reading: &Reading,
) -> Result<(), RunError> {
    for plan in plans {
        let Some(place) = plan.place.id else { continue };
        plan.mark_applied();
        let applied = plan.changes.iter().filter(|c| c.status == ChangeStatus::Applied);
        let values = applied.map(|change| (change.product, change.after));
        tx.write_values(undo, plan.section, place, values)?;
        let records = plan.changes.iter().map(|change| record_of(plan, change, reading));
        tx.record_changes(undo, plan.section, place, records)?;
    }
    Ok(())
}

/// The links that the run made or changed, put back where nobody touched them since.
fn plan_links(
    tx: &Tx<'_>,
    id: i64,
    integration: i64,
    undone: &RunSummary,
) -> Result<Vec<LinkChange>, RunError> {
    let mut plan: Vec<LinkChange> = Vec::new();
    let recorded = tx.link_changes_of(id)?;
    let state = tx.link_state(Some(integration))?;
    let products = tx.products()?;
    let maker = maker_of(tx, id)?;
    for change in recorded {
        let now = state.find(&change.item_id, |sku| products.find(sku));
        let same = |a: &Option<_>, b: &Option<_>| {
            let link = |link: &Option<crate::inventory::StoredLink>| {
                link.as_ref().map(|link| (link.product, link.linked_by))
            };
            link(a) == link(b)
        };
        let writer = tx.link_writer(integration, &change.item_id)?;
        let is_still_ours =
            same(&now, &change.after) && writer.is_none_or(|run| run == id || Some(run) == maker);
        if same(&now, &change.before) {
            continue;
        }
        let status = if is_still_ours { ChangeStatus::Planned } else { ChangeStatus::Skipped };
        plan.push(LinkChange {
            item_id: change.item_id,
            before: now,
            after: change.before,
            status,
        });
    }
    if undone.command != Command::Link && undone.command != Command::Undo {
        for (item_id, link) in tx.links_made_by(id, integration)? {
            plan.push(LinkChange {
                item_id,
                before: Some(link),
                after: None,
                status: ChangeStatus::Planned,
            });
        }
    }
    Ok(plan)
}

fn remove_products(session: &Session<'_>, tx: &Tx<'_>, id: i64, undo: i64) -> Result<(), RunError> {
    let Some(maker) = maker_of(tx, id)? else { return Ok(()) };
    let linked = tx.products_linked_by_sku()?;
    let unused: Vec<ProductId> = tx
        .untouched_products_of(maker, undo)?
        .into_iter()
        .filter(|product| !linked.contains(*product))
        .collect();
    tx.remove_products(undo, &unused)?;
    if !unused.is_empty() {
        session
            .progress
            .note(&format!("took away {} products that run {id} had made", unused.len()));
    }
    let kept = tx.products_made_by(maker)?;
    if kept > 0 {
        session.progress.note(&format!(
            "{kept} products that run {id} had made stay: somebody has touched them since"
        ));
    }
    Ok(())
}

/// The run that made the products that this run made or brought back: itself, or at the end of an
/// even chain of undos. An odd one took them away.
fn maker_of(tx: &Tx<'_>, id: i64) -> Result<Option<i64>, RunError> {
    let (mut maker, mut is_back) = (id, true);
    while let Some(undone) = tx.purpose(maker)?.undoes {
        (maker, is_back) = (undone, !is_back);
    }
    Ok(is_back.then_some(maker))
}

fn finish(
    session: &Session<'_>,
    run: &mut OpenRun<'_>,
    plans: &[SectionPlan],
    links: &[LinkChange],
) -> Exit {
    let done = match session.options.dry_run {
        true => ChangeStatus::Planned,
        false => ChangeStatus::Applied,
    };
    let mut ending = Ending::of(plans, false, &ProblemLog::default());
    ending.skipped += links.iter().filter(|c| c.status == ChangeStatus::Skipped).count() as u64;
    let summary = &mut run.summary;
    for plan in plans {
        *summary.changed.of(plan.section) += plan.count(done);
    }
    summary.changed.links = links.iter().filter(|change| change.status == done).count() as u64;
    summary.sections = plans.iter().map(SectionPlan::heading).collect();
    summary.status = ending.status();
    summary.finished_at = Some(Timestamp::now());
    let differs = session.options.exit_code && summary.changed.total() > 0;
    ending.exit().max(if differs { Exit::Differences } else { Exit::Done })
}

/// Says where the superior side will bring the values back.
fn warn(session: &Session<'_>, undone: &RunSummary, plans: &[SectionPlan]) {
    let Some(name) = &undone.integration else { return };
    let Some(integration) = session.config.integration(name) else { return };
    for plan in plans.iter().filter(|plan| !plan.changes.is_empty()) {
        let pulls_it = integration
            .sections(Direction::Download)
            .any(|(section, s)| section == plan.section && s.place == plan.place.key);
        if pulls_it {
            session.progress.note(&format!(
                "{name} is superior for {} in {}: its next pull brings these values back, unless \
                 they are put right there or the section's direction is \"off\"",
                plan.section.word(),
                plan.place.key
            ));
        }
    }
}

/// The changes of an undo: values, then links.
struct UndoChanges<'a> {
    values: PlanChanges<'a>,
    links: LinkChanges<'a>,
}

impl Changes for UndoChanges<'_> {
    fn each(&self, each: EachChange<'_>) -> anyhow::Result<()> {
        let mut goes_on = true;
        self.values.each(&mut |change| {
            goes_on = each(change)?;
            Ok(goes_on)
        })?;
        if goes_on { self.links.each(each) } else { Ok(()) }
    }

    fn each_of(&self, section: Section, each: EachChange<'_>) -> anyhow::Result<()> {
        match section {
            Section::Links => self.links.each(each),
            _ => self.values.each_of(section, each),
        }
    }

    fn count_of(&self, section: Section) -> anyhow::Result<u64> {
        match section {
            Section::Links => self.links.count_of(section),
            _ => self.values.count_of(section),
        }
    }
}
