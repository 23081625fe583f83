//! How the sections stand, by what was recorded of their runs. Contacts nobody.

use std::time::Duration;

use super::Session;
use super::due::{Attempts, Rhythm, command_of, if_there};
use super::record::settle_status;
use crate::config::{Integration, SectionSettings};
use crate::inventory::{Inventory, InventoryError, Lock, Tx, Uncertain, lock_path};
use crate::model::{
    Direction, Guard, GuardVerdict, RunStatus, RunSummary, Section, StorePlaces, Timestamp,
};
use crate::report::{SectionStatus, Status};

/// A section is overdue when its last success is older than so many times its `every`, and its
/// `jitter`: one attempt may fail without anybody being called.
const EVERY_ALLOWED: u32 = 2;

/// How these integrations stand.
pub(super) fn status(session: &Session<'_>, which: &[&Integration]) -> anyhow::Result<Status> {
    let inventory = if_there(session.open_to_read())?;
    let mut status = Status {
        at: Timestamp::now(),
        inventory: session.inventory_path()?.display().to_string(),
        inventory_bytes: inventory.as_ref().map(Inventory::bytes),
        sections: Vec::new(),
    };
    for integration in which {
        let recorded = match &inventory {
            Some(inventory) => Recorded::of(inventory, integration)?,
            None => None,
        };
        let directions = [Direction::Download, Direction::Send];
        let of = |direction| super::pull::sections(session, integration, direction);
        let mut sections: Vec<_> = directions.into_iter().flat_map(of).collect();
        sections.sort_by_key(|(section, _)| *section);
        for (section, settings) in sections {
            let past = match &recorded {
                Some(recorded) => recorded.past(section, settings)?,
                None => Past::default(),
            };
            status.sections.push(section_status(integration, section, settings, past, status.at));
        }
    }
    Ok(status)
}

fn section_status(
    integration: &Integration,
    section: Section,
    settings: &SectionSettings,
    past: Past,
    now: Timestamp,
) -> SectionStatus {
    let rhythm = Rhythm::of(integration, section, settings);
    SectionStatus {
        integration: integration.name.clone(),
        section,
        direction: settings.direction,
        place: settings.place.clone(),
        location: settings.places.location().map(str::to_owned),
        every: settings.every,
        jitter: settings.jitter,
        due_at: rhythm.and_then(|rhythm| rhythm.due_at(&past.attempts)),
        is_overdue: is_overdue(settings.every, settings.jitter, past.last_success, now),
        last_success: past.last_success,
        last_run: past.last_run,
        last_error: past.last_error,
        failures: past.attempts.failures,
        uncertain: past.uncertain,
    }
}

/// Whether somebody should look: what never went well is overdue from the start.
fn is_overdue(
    every: Option<Duration>,
    jitter: Duration,
    last_success: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    let Some(every) = every else { return false };
    let allowed = every.saturating_mul(EVERY_ALLOWED).saturating_add(jitter);
    last_success.is_none_or(|last| last.later_by(allowed) < now)
}

/// What the inventory has of one integration.
struct Recorded<'i> {
    integration: &'i Integration,
    inventory: &'i Inventory,
    tx: Tx<'i>,
    id: i64,
    uncertain: Vec<Uncertain>,
}

impl<'i> Recorded<'i> {
    fn of(
        inventory: &'i Inventory,
        integration: &'i Integration,
    ) -> Result<Option<Recorded<'i>>, InventoryError> {
        let tx = inventory.begin_read()?;
        let Some(id) = tx.integration(&integration.name)? else { return Ok(None) };
        let path = inventory.path().map(|path| lock_path(path, &integration.name));
        let under_way = match path.is_some_and(|path| Lock::is_held(&path)) {
            true => tx.unfinished_runs(id)?.last().copied(),
            false => None,
        };
        let uncertain = tx.uncertain(id, under_way)?;
        Ok(Some(Recorded { integration, inventory, tx, id, uncertain }))
    }

    /// What became of a section, up to its last success.
    fn past(&self, section: Section, settings: &SectionSettings) -> Result<Past, InventoryError> {
        let mut past = Past { uncertain: self.uncertain(section, settings), ..Past::default() };
        let Some(command) = command_of(settings.direction) else { return Ok(past) };
        let mut is_counting = true;
        self.tx.each_attempt::<InventoryError>(self.id, command, section, |mut run| {
            settle_status(self.inventory, &mut run);
            is_counting = is_counting && past.attempts.add_earlier(&run);
            Ok(past.add_earlier(run, section))
        })?;
        Ok(past)
    }

    /// What was sent to these places without an answer. What was sent to places that the config
    /// names no more counts with the first ones of its section.
    fn uncertain(&self, section: Section, settings: &SectionSettings) -> u64 {
        let all = || self.integration.all_sections().filter(|(of, _)| *of == section);
        let is_here = |at_store: &StorePlaces| {
            let named = all().find(|(_, own)| own.places == *at_store).or_else(|| all().next());
            named.is_some_and(|(_, own)| own.places == settings.places)
        };
        let here =
            self.uncertain.iter().filter(|of| of.section == section && is_here(&of.at_store));
        here.map(|of| of.count).sum()
    }
}

/// What became of a section.
#[derive(Default)]
struct Past {
    attempts: Attempts,
    last_run: Option<RunSummary>,
    last_success: Option<Timestamp>,
    /// Why the last attempt since the last success went wrong.
    last_error: Option<String>,
    uncertain: u64,
}

impl Past {
    /// Takes in the next earlier run. Whether still earlier ones matter.
    fn add_earlier(&mut self, run: RunSummary, section: Section) -> bool {
        if went_well(&run, section) {
            self.last_success = Some(run.finished_at.unwrap_or(run.started_at));
        } else if self.last_error.is_none() {
            self.last_error = error_of(&run, section);
        }
        self.last_run.get_or_insert(run);
        self.last_success.is_none()
    }
}

/// Whether a run did what it could for a section. Of a run that a guard stopped, the other section
/// may have gone well.
fn went_well(run: &RunSummary, section: Section) -> bool {
    match run.status {
        RunStatus::Ok | RunStatus::Unchanged | RunStatus::Partial => true,
        RunStatus::Blocked => stopped_by(run, section).is_none(),
        _ => false,
    }
}

/// The guard that stopped a section in a run.
fn stopped_by(run: &RunSummary, section: Section) -> Option<&GuardVerdict> {
    run.guards.iter().find(|verdict| {
        let is_of_it = verdict.section.as_deref().is_none_or(|of| of == section.word());
        let stops = Guard::from_word(&verdict.guard).is_none_or(Guard::stops_section);
        is_of_it && stops && !verdict.allowed
    })
}

/// Why a run did not go well for a section; nothing of one that is under way.
fn error_of(run: &RunSummary, section: Section) -> Option<String> {
    let name = run.integration.as_deref().unwrap_or_default();
    match run.status {
        RunStatus::Crashed => {
            Some(format!("{name}: the run ended without an end (killed, or the power failed)"))
        }
        RunStatus::Blocked => stopped_by(run, section).map(|verdict| {
            let GuardVerdict { guard, actual, limit, .. } = verdict;
            format!("{name}: guard {guard} stopped it: {actual} (limit {limit})")
        }),
        _ => run.error.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Command;

    #[test]
    fn a_section_is_overdue_after_twice_its_every_and_its_jitter() {
        let (every, jitter) = (Some(Duration::from_secs(900)), Duration::from_secs(100));
        let at = |seconds: i64| Timestamp { unix_ms: seconds * 1_000 };
        assert!(!is_overdue(every, jitter, Some(at(0)), at(1_900)));
        assert!(is_overdue(every, jitter, Some(at(0)), at(1_901)));
        assert!(is_overdue(every, jitter, None, at(0)), "it never ran");
        assert!(!is_overdue(None, jitter, None, at(0)), "nobody expects it");
        assert!(!is_overdue(every, jitter, Some(at(5)), at(0)), "after the clock was set back");
    }

    #[test]
    fn of_a_blocked_run_only_what_was_stopped_did_not_go_well() {
        let verdict = |guard: &str, section: Option<&str>, allowed| GuardVerdict {
            guard: guard.to_owned(),
            section: section.map(str::to_owned),
            limit: "50%".to_owned(),
            actual: "92%".to_owned(),
            allowed,
        };
        let well = |verdict| {
            let mut run = RunSummary::start(Some("store-a"), Command::Pull, false);
            run.status = RunStatus::Blocked;
            run.guards = vec![verdict];
            Section::ALL.map(|section| went_well(&run, section))
        };
        assert_eq!(well(verdict("max_changed", Some("stock"), false)), [false, true]);
        assert_eq!(well(verdict("max_changed", Some("stock"), true)), [true, true]);
        assert_eq!(well(verdict("max_missing", None, false)), [false, false]);
        assert_eq!(well(verdict("max_price_change", Some("prices"), false)), [true, true]);
    }
}
