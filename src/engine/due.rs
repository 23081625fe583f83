//! When a section is due, by its `every` and by how its last attempts ended.
//!
//! | last attempt | due again |
//! | --- | --- |
//! | none | at once |
//! | ended, well or by a guard, or under way | `every` after it began |
//! | the n-th in a row that failed | 1, 2, 4, 8 … minutes after it ended, at most `every` |
//!
//! A `jitter` is added to that. Nothing but the recorded runs is needed for it: what was missed,
//! however often, is one section that is due.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::record::settle_status;
use super::{Options, Session};
use crate::around::host;
use crate::config::{Integration, SectionSettings};
use crate::inventory::{Inventory, InventoryError, InventoryErrorKind};
use crate::model::{Command, Direction, RunStatus, RunSummary, Section, Timestamp};

/// How long after a first failure the next attempt is due; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(60);
/// More failures in a row make no difference: a minute doubled so often is longer than any `every`.
const FAILURES_COUNTED: u32 = 32;
/// What comes due within this part of its wait, or of this time, is due now: a timer that ticks a
/// moment too early must not cost another whole interval.
const EARLY_PART: u32 = 20;
const EARLY_MOST: Duration = Duration::from_secs(60);

/// Which sections of an integration a sync works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    All,
    One(Section),
    None,
}

impl Due {
    /// The session restricted to what is due; `None` where nothing is.
    pub(super) fn narrow<'s>(self, session: &Session<'s>) -> Option<Session<'s>> {
        let only = match self {
            Due::None => return None,
            Due::All => session.options.only,
            Due::One(section) => Some(section),
        };
        let options = Options { only, ..session.options.clone() };
        Some(Session { options, ..session.clone() })
    }
}

/// What is due of an integration. A section without `every` is never due by itself.
pub(super) fn due_sections(
    session: &Session<'_>,
    integration: &Integration,
) -> anyhow::Result<Due> {
    let inventory = if_there(session.open_to_read())?;
    let now = Timestamp::now();
    let mut due = Vec::new();
    for direction in [Direction::Download, Direction::Send] {
        for (section, settings) in super::pull::sections(session, integration, direction) {
            let Some(rhythm) = Rhythm::of(integration, section, settings) else { continue };
            let attempts = match &inventory {
                Some(inventory) => {
                    Attempts::recorded(inventory, &integration.name, section, direction)?
                }
                None => Attempts::default(),
            };
            if rhythm.is_due(&attempts, now) {
                due.push(section);
            }
        }
    }
    due.dedup();
    Ok(match due.as_slice() {
        [] => Due::None,
        [section] => Due::One(*section),
        _ => Due::All,
    })
}

/// An inventory that is not there yet is one in which nothing was ever tried.
pub(super) fn if_there(opened: anyhow::Result<Inventory>) -> anyhow::Result<Option<Inventory>> {
    match opened {
        Ok(inventory) => Ok(Some(inventory)),
        Err(error) => match error.downcast_ref::<InventoryError>() {
            Some(missing) if missing.kind == InventoryErrorKind::Missing => Ok(None),
            _ => Err(error),
        },
    }
}

/// The command that runs the sections of a direction; `None` for those that are off.
pub(super) fn command_of(direction: Direction) -> Option<Command> {
    match direction {
        Direction::Download => Some(Command::Pull),
        Direction::Send => Some(Command::Push),
        Direction::Off => None,
    }
}

/// How often a section is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rhythm {
    every: Duration,
    /// This machine's share of the jitter: the same each time, below `jitter`.
    offset: Duration,
}

impl Rhythm {
    /// `None`: it never runs by itself.
    pub(super) fn of(
        integration: &Integration,
        section: Section,
        settings: &SectionSettings,
    ) -> Option<Rhythm> {
        let of = [host().as_str(), &integration.name, section.word()].join("\0");
        Some(Rhythm { every: settings.every?, offset: share(&of, settings.jitter) })
    }

    /// When the section is due; `None`: at once, for it was never tried.
    pub(super) fn due_at(&self, attempts: &Attempts) -> Option<Timestamp> {
        let last = attempts.last?;
        let from = if attempts.failures == 0 { last.began } else { last.ended };
        Some(from.later_by(self.distance(attempts)).later_by(self.offset))
    }

    /// How long it waits after its last attempt.
    fn distance(&self, attempts: &Attempts) -> Duration {
        let Some(failures) = attempts.failures.checked_sub(1) else { return self.every };
        let doubled = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
        FIRST_RETRY.saturating_mul(doubled).min(self.every)
    }

    fn is_due(&self, attempts: &Attempts, now: Timestamp) -> bool {
        let Some((due_at, last)) = self.due_at(attempts).zip(attempts.last) else { return true };
        let early = (self.distance(attempts) / EARLY_PART).min(EARLY_MOST);
        // A clock that was set back must not put everything off.
        last.ended > now || due_at.earlier_by(early) <= now
    }
}

/// A part of `jitter` that is always the same for the same name, and spread evenly over names.
fn share(name: &str, jitter: Duration) -> Duration {
    let hash = Sha256::digest(name);
    let (bytes, _) = hash.split_at(4);
    let part = bytes.iter().fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
    let ms = (jitter.as_millis() * u128::from(part)) >> u32::BITS;
    Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX))
}

/// How the last attempts at a section ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attempts {
    pub last: Option<Attempt>,
    /// How many in a row failed, up to the last one.
    pub failures: u32,
}

/// One attempt. Where it has no end, it ended as it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub began: Timestamp,
    pub ended: Timestamp,
}

impl Attempts {
    fn recorded(
        inventory: &Inventory,
        integration: &str,
        section: Section,
        direction: Direction,
    ) -> anyhow::Result<Attempts> {
        let mut attempts = Attempts::default();
        let tx = inventory.begin_read()?;
        let (Some(id), Some(command)) = (tx.integration(integration)?, command_of(direction))
        else {
            return Ok(attempts);
        };
        tx.each_attempt::<InventoryError>(id, command, section, |mut run| {
            settle_status(inventory, &mut run);
            Ok(attempts.add_earlier(&run))
        })?;
        Ok(attempts)
    }

    /// Counts the next earlier run. Whether still earlier ones matter.
    pub(super) fn add_earlier(&mut self, run: &RunSummary) -> bool {
        let attempt =
            Attempt { began: run.started_at, ended: run.finished_at.unwrap_or(run.started_at) };
        self.last.get_or_insert(attempt);
        let is_failure = is_failure(run.status);
        self.failures += u32::from(is_failure);
        is_failure && self.failures < FAILURES_COUNTED
    }
}

/// Whether trying again sooner than `every` may help: what a guard stopped would be stopped again.
fn is_failure(status: RunStatus) -> bool {
    matches!(status, RunStatus::Failed | RunStatus::Interrupted | RunStatus::Crashed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(900);

    /// Seconds as a moment.
    fn at(seconds: i64) -> Timestamp {
        Timestamp { unix_ms: seconds * 1_000 }
    }

    /// Attempts that began at 1000 s and took 100 s, the last so many of which failed.
    fn after(failures: u32) -> Attempts {
        Attempts { last: Some(Attempt { began: at(1_000), ended: at(1_100) }), failures }
    }

    fn rhythm(offset: u64) -> Rhythm {
        Rhythm { every: EVERY, offset: Duration::from_secs(offset) }
    }

    #[test]
    fn after_failures_the_distance_grows_up_to_every() {
        let due = |failures| rhythm(0).due_at(&after(failures)).unwrap().unix_ms / 1_000;
        assert_eq!(due(0), 1_900, "every after it began");
        assert_eq!([1, 2, 3, 4].map(due), [1_160, 1_220, 1_340, 1_580], "after it ended");
        assert_eq!([5, 31, 32, 1_000].map(due), [2_000; 4], "every after it ended");
    }

    #[test]
    fn a_section_is_due_when_its_time_has_passed_also_after_the_clock_was_set_back() {
        let is_due = |seconds| rhythm(0).is_due(&after(0), at(seconds));
        assert!(rhythm(0).is_due(&Attempts::default(), at(0)), "never tried");
        assert!(!is_due(1_854));
        assert!(is_due(1_855), "a timer that ticks a little early is not too early");
        let retried = |seconds| rhythm(0).is_due(&after(1), at(seconds));
        assert!(!retried(1_156) && retried(1_157), "the first retry is a minute away");
        assert!(is_due(1_900_000), "missed ones are due once");
        assert!(is_due(1_050), "after the clock was set back");
    }

    #[test]
    fn jitter_puts_it_off_after_a_failure_too() {
        assert_eq!(rhythm(120).due_at(&after(0)), Some(at(2_020)));
        assert_eq!(rhythm(120).due_at(&after(1)), Some(at(1_280)));
        assert!(rhythm(120).is_due(&Attempts::default(), at(0)), "but never the first time");
    }

    #[test]
    fn each_machine_has_its_own_share_of_the_jitter_and_keeps_it() {
        let jitter = Duration::from_secs(600);
        let shares: Vec<_> = (0..100).map(|n| share(&format!("web{n}"), jitter)).collect();
        assert!(shares.iter().all(|share| *share < jitter));
        let early = shares.iter().filter(|share| **share < jitter / 2).count();
        assert!((30..70).contains(&early), "{early} of 100 are in the first half");
        assert_eq!(share("web1", jitter), shares[1]);
        assert_eq!(share("web1", Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn only_what_did_not_end_counts_as_a_failure() {
        let run = |status| RunSummary {
            status,
            ..RunSummary::start(Some("store-a"), Command::Pull, false)
        };
        let failures = |newest_first: &[RunStatus]| {
            let mut attempts = Attempts::default();
            let mut runs = newest_first.iter().map(|status| run(*status));
            while runs.next().is_some_and(|run| attempts.add_earlier(&run)) {}
            attempts.failures
        };
        use RunStatus::{Blocked, Crashed, Failed, Interrupted, Ok, Partial, Running, Unchanged};
        assert_eq!(failures(&[Failed, Crashed, Interrupted, Ok, Failed]), 3);
        assert_eq!(failures(&[Blocked, Failed]), 0);
        assert_eq!(failures(&[Running, Failed]), 0);
        assert_eq!(failures(&[Partial, Failed]), 0);
        assert_eq!(failures(&[Unchanged, Failed]), 0);
        assert_eq!(failures(&[Failed; 100]), FAILURES_COUNTED);
    }
}
