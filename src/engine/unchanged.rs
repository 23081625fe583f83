//! `unchanged`: what a source had when it was applied last is not read again.
//!
//! That holds only as long as nothing else moved that a pull depends on: the config, the links,
//! the products, the values of the places that it writes. Else the source is read in full, so that
//! what is wrong is named again.

use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::pull::empty_plan;
use super::run::{OpenRun, RunError};
use super::{Session, guards};
use crate::config::{Integration, SectionSettings};
use crate::connector::{Connector, Origin, Validators};
use crate::inventory::{KeptValidators, Tx};
use crate::model::{RunStatus, Section, Timestamp};

/// The sections that a pull works on.
type Sections<'i> = [(Section, &'i SectionSettings)];

/// Whether the source still has what was applied last, and nothing else moved. The run is then
/// recorded as unchanged.
pub(super) fn is_unchanged(
    session: &Session<'_>,
    integration: &Integration,
    connector: &dyn Connector,
    run: &mut OpenRun<'_>,
    sections: &Sections<'_>,
) -> Result<bool, RunError> {
    let Some(known) = known(session, integration, run, sections)? else { return Ok(false) };
    let Some(origin) = connector.if_unchanged(&known)? else { return Ok(false) };
    let now = SystemTime::now();
    if sections.iter().any(|(_, settings)| guards::is_too_old(settings, origin.modified, now)) {
        return Ok(false);
    }
    session.check_interrupted()?;
    record(session, run, sections)?;
    Ok(true)
}

/// What the source said when it was applied last, where that still stands.
fn known(
    session: &Session<'_>,
    integration: &Integration,
    run: &OpenRun<'_>,
    sections: &Sections<'_>,
) -> Result<Option<Validators>, RunError> {
    let options = &session.options;
    let Some(id) = run.integration_id.filter(|_| may_be_skipped(options)) else { return Ok(None) };
    let tx = run.inventory.begin_read()?;
    let Some(kept) = tx.kept_validators(id, &words(sections))? else { return Ok(None) };
    if kept.conditions != conditions(session, integration, &tx, sections)?
        || !tx.is_quiet_since(kept.run, id, run.summary.run_id)?
        || absences_count(&tx, id, sections)?
    {
        return Ok(None);
    }
    Ok(serde_json::from_str(&kept.validators).ok())
}

/// Whether a run like this tells all that there is to tell.
fn may_be_skipped(options: &super::Options) -> bool {
    options.skus.is_empty() && options.allow.is_empty()
}

/// Whether another delivery without some item would make its stock 0.
fn absences_count(tx: &Tx<'_>, id: i64, sections: &Sections<'_>) -> Result<bool, RunError> {
    let Some(after) = sections
        .iter()
        .filter(|(section, settings)| *section == Section::Stock && settings.guard.zero_missing)
        .map(|(_, settings)| settings.guard.missing_after)
        .next()
    else {
        return Ok(false);
    };
    let memory = tx.memory(id, "")?;
    let mut absences = memory.iter().flat_map(|memory| &memory.absences);
    Ok(absences.any(|(_, times)| u64::from(*times) < after))
}

/// Keeps what the source says of what a run applied, where the run was `ok`.
pub(super) fn keep(
    session: &Session<'_>,
    integration: &Integration,
    tx: &Tx<'_>,
    run: &OpenRun<'_>,
    sections: &Sections<'_>,
    origin: Option<&Origin>,
) -> Result<(), RunError> {
    let (Some(run_id), Some(id), Some(origin)) = (run.summary.run_id, run.integration_id, origin)
    else {
        return Ok(());
    };
    let is_whole = run.summary.status == RunStatus::Ok && may_be_skipped(&session.options);
    // What somebody else is just writing would be missed.
    if !is_whole || tx.is_another_run_under_way(run_id)? {
        return Ok(());
    }
    let Ok(validators) = serde_json::to_string(&origin.validators) else { return Ok(()) };
    let conditions = conditions(session, integration, tx, sections)?;
    let kept = KeptValidators { run: run_id, conditions, validators };
    Ok(tx.keep_validators(id, &words(sections), &kept)?)
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
    all += &format!(" {:?}", tx.products_mark()?);
    Ok(Sha256::digest(all).iter().map(|byte| format!("{byte:02x}")).collect())
}

fn words(sections: &Sections<'_>) -> String {
    let words: Vec<_> = sections.iter().map(|(section, _)| section.word()).collect();
    words.join(",")
}

fn record(
    session: &Session<'_>,
    run: &mut OpenRun<'_>,
    sections: &Sections<'_>,
) -> Result<(), RunError> {
    let tx = session.begin(run.inventory)?;
    let mut headings = Vec::new();
    for (section, settings) in sections {
        let plan = empty_plan(session, &tx, *section, &settings.place, settings.direction)?;
        headings.push(plan.heading());
    }
    run.summary.sections = headings;
    run.summary.status = RunStatus::Unchanged;
    run.summary.finished_at = Some(Timestamp::now());
    if let Some(id) = run.summary.run_id {
        tx.finish_run(id, &run.summary)?;
        tx.commit()?;
    }
    Ok(())
}
