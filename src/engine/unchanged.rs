//! `unchanged`: what a source had when it was applied last is not read again.
//!
//! That holds only as long as nothing else moved that a pull depends on: the config, the links,
//! the products, the values of the places that it writes. Else the source is read in full, so that
//! what is wrong is named again.

use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::part::Source;
use super::pull::empty_plan;
use super::run::{OpenRun, RunError};
use super::{Session, guards};
use crate::config::{Integration, SectionSettings};
use crate::connector::{Delivery, Validators};
use crate::inventory::{KeptValidators, Tx};
use crate::model::{Direction, RunStatus, Section, SectionHeading, Timestamp};

/// The sections that a pull works on.
type Sections<'i> = [(Section, &'i SectionSettings)];

/// Whether a source still has what was applied last, and nothing else moved.
pub(super) fn is_unchanged(
    session: &Session<'_>,
    integration: &Integration,
    source: &Source<'_>,
    run: &OpenRun<'_>,
) -> Result<bool, RunError> {
    let known = {
        let tx = run.inventory.begin_read()?;
        known(session, integration, &tx, run, source)?
    };
    let validators = known.and_then(|kept| serde_json::from_str(&kept.validators).ok());
    let Some::<Validators>(validators) = validators else { return Ok(false) };
    let Some(origin) = source.connector.if_unchanged(&validators)? else { return Ok(false) };
    let sections = source.sections(session, integration, Direction::Download);
    let now = SystemTime::now();
    let made = match (validators.generated, origin.modified) {
        // Of joined files one may tell its own time, and another have only that of its source.
        (Some(own), Some(modified)) if !validators.joined.is_empty() => Some(own.min(modified)),
        (own, modified) => own.or(modified),
    };
    if sections.iter().any(|(_, settings)| guards::is_too_old(settings, made, now)) {
        return Ok(false);
    }
    let words = words(&sections);
    session.progress.detail(&format!("{}: {words}: nothing new", integration.name));
    Ok(true)
}

/// What the source said when it was applied last, where that still stands.
fn known(
    session: &Session<'_>,
    integration: &Integration,
    tx: &Tx<'_>,
    run: &OpenRun<'_>,
    source: &Source<'_>,
) -> Result<Option<KeptValidators>, RunError> {
    let Some(id) = run.integration_id.filter(|_| may_be_skipped(session)) else { return Ok(None) };
    let sections = source.sections(session, integration, Direction::Download);
    let part = &source.part.key;
    let Some(kept) = tx.kept_validators(id, part, &words(&sections))? else { return Ok(None) };
    let still_stands = kept.conditions == conditions(session, integration, tx, &sections)?
        && tx.is_quiet_since(kept.run, id, run.summary.run_id)?
        && !absences_count(tx, id, part, &sections)?;
    Ok(Some(kept).filter(|_| still_stands))
}

/// Whether a run like this tells all that there is to tell.
fn may_be_skipped(session: &Session<'_>) -> bool {
    let options = &session.options;
    !session.onlooker.is_there() && options.skus.is_empty() && options.allow.is_empty()
}

/// Whether another delivery without some item would make its stock 0.
fn absences_count(
    tx: &Tx<'_>,
    id: i64,
    part: &str,
    sections: &Sections<'_>,
) -> Result<bool, RunError> {
    let Some(after) = sections
        .iter()
        .filter(|(section, settings)| *section == Section::Stock && settings.guard.zero_missing)
        .map(|(_, settings)| settings.guard.missing_after)
        .next()
    else {
        return Ok(false);
    };
    let memory = tx.memory(id, part)?;
    let mut absences = memory.iter().flat_map(|memory| &memory.absences);
    Ok(absences.any(|(_, times)| u64::from(*times) < after))
}

/// Keeps what the source says of what a run applied, where the run was `ok`.
pub(super) fn keep(
    session: &Session<'_>,
    integration: &Integration,
    tx: &Tx<'_>,
    run: &OpenRun<'_>,
    source: &Source<'_>,
    delivery: &Delivery,
) -> Result<(), RunError> {
    let Some((run_id, id)) = may_be_kept(session, tx, run)? else { return Ok(()) };
    let Some(origin) = source.connector.origin() else { return Ok(()) };
    let sections = &source.sections(session, integration, Direction::Download);
    let validators = Validators { generated: delivery.generated, ..origin.validators };
    let Ok(validators) = serde_json::to_string(&validators) else { return Ok(()) };
    let conditions = conditions(session, integration, tx, sections)?;
    let kept = KeptValidators { run: run_id, conditions, validators };
    Ok(tx.keep_validators(id, &source.part.key, &words(sections), &kept)?)
}

/// Keeps on what a source said that had nothing new, while another one was read: where it still
/// stands, it is as if this run had applied it.
pub(super) fn keep_on(
    session: &Session<'_>,
    integration: &Integration,
    tx: &Tx<'_>,
    run: &OpenRun<'_>,
    source: &Source<'_>,
) -> Result<(), RunError> {
    let Some((run_id, id)) = may_be_kept(session, tx, run)? else { return Ok(()) };
    // What moved while the others were fetched and applied must be seen by the next run.
    let Some(kept) = known(session, integration, tx, run, source)? else { return Ok(()) };
    let sections = source.sections(session, integration, Direction::Download);
    let kept = KeptValidators { run: run_id, ..kept };
    Ok(tx.keep_validators(id, &source.part.key, &words(&sections), &kept)?)
}

/// The run and its integration, where the run was `ok` and whole.
fn may_be_kept(
    session: &Session<'_>,
    tx: &Tx<'_>,
    run: &OpenRun<'_>,
) -> Result<Option<(i64, i64)>, RunError> {
    let ids = run.summary.run_id.zip(run.integration_id);
    let is_whole = run.summary.status == RunStatus::Ok && may_be_skipped(session);
    // What somebody else is just writing would be missed.
    match ids.filter(|_| is_whole) {
        Some((run_id, _)) if tx.is_another_run_under_way(run_id)? => Ok(None),
        ids => Ok(ids),
    }
}

/// Everything that decides what a delivery does, hashed.
fn conditions(
    session: &Session<'_>,
    integration: &Integration,
    tx: &Tx<'_>,
    sections: &Sections<'_>,
) -> Result<String, RunError> {
    let mut all = format!("{} {integration:?}", env!("CARGO_PKG_VERSION"));
    for (section, settings) in sections {
        let place = session.stored_place(tx, *section, &settings.place)?;
        let place = place.map(|place| (place.id, place.revision));
        let declared = session.config.price_group(&settings.place);
        all += &format!(" {place:?} {declared:?}");
    }
    if let Some(links) = session.links_file(integration)? {
        all += &format!(" {}", links.digest);
    }
    all += &format!(" {:?}", tx.products_mark()?);
    Ok(Sha256::digest(all).iter().map(|byte| format!("{byte:02x}")).collect())
}

fn words(sections: &Sections<'_>) -> String {
    let words: Vec<_> = sections.iter().map(|(section, _)| section.word()).collect();
    words.join(",")
}

/// What a run says of sections that it did not read.
pub(super) fn headings(
    session: &Session<'_>,
    tx: &Tx<'_>,
    sections: &Sections<'_>,
) -> Result<Vec<SectionHeading>, RunError> {
    let mut headings = Vec::new();
    for (section, settings) in sections {
        let plan = empty_plan(session, tx, *section, settings)?;
        headings.push(plan.heading());
    }
    Ok(headings)
}

/// Records a run in which no source had anything new.
pub(super) fn record(
    session: &Session<'_>,
    integration: &Integration,
    run: &mut OpenRun<'_>,
) -> Result<(), RunError> {
    let tx = session.begin(run.inventory)?;
    let sections = super::pull::sections(session, integration, Direction::Download);
    run.summary.sections = headings(session, &tx, &sections)?;
    run.summary.status = RunStatus::Unchanged;
    run.summary.finished_at = Some(Timestamp::now());
    if let Some(id) = run.summary.run_id {
        tx.finish_run(id, &run.summary)?;
        tx.commit()?;
    }
    Ok(())
}
