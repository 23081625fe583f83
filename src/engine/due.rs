//! What `sync --due` runs: the sections whose `every` has passed since their last attempt.

use super::{Options, Session};
use crate::config::{Integration, SectionSettings};
use crate::inventory::InventoryErrorKind;
use crate::model::{Command, Direction, Section, Timestamp};

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
    let mut due = Vec::new();
    let directions = [(Direction::Download, Command::Pull), (Direction::Send, Command::Push)];
    for (direction, command) in directions {
        for (section, settings) in super::pull::sections(session, integration, direction) {
            let last = last_attempt(session, integration, command, section)?;
            if is_due(settings, last, Timestamp::now()) {
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

fn is_due(settings: &SectionSettings, last: Option<Timestamp>, now: Timestamp) -> bool {
    let Some(every) = settings.every else { return false };
    let Some(last) = last else { return true };
    let every_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    // A clock that was set back must not put everything off.
    last > now || now.unix_ms - last.unix_ms >= every_ms
}

fn last_attempt(
    session: &Session<'_>,
    integration: &Integration,
    command: Command,
    section: Section,
) -> anyhow::Result<Option<Timestamp>> {
    let inventory = match session.open_to_read() {
        Ok(inventory) => inventory,
        Err(error) => {
            let kind = error.downcast_ref().map(|e: &crate::inventory::InventoryError| e.kind);
            return if kind == Some(InventoryErrorKind::Missing) { Ok(None) } else { Err(error) };
        }
    };
    let tx = inventory.begin_read()?;
    Ok(match tx.integration(&integration.name)? {
        Some(id) => tx.last_attempt(id, command, section)?,
        None => None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{GuardSettings, OnDrift};
    use crate::model::StorePlaces;

    fn settings(every: Option<Duration>) -> SectionSettings {
        SectionSettings {
            direction: Direction::Download,
            place: "main".to_owned(),
            places: StorePlaces::default(),
            every,
            on_drift: OnDrift::Overwrite,
            guard: GuardSettings::default(),
            line: 1,
        }
    }

    #[test]
    fn a_section_is_due_when_its_time_has_passed_also_after_the_clock_was_set_back() {
        let at = |unix_ms| Timestamp { unix_ms };
        let quarter = settings(Some(Duration::from_secs(900)));
        assert!(is_due(&quarter, None, at(0)));
        assert!(!is_due(&quarter, Some(at(0)), at(899_999)));
        assert!(is_due(&quarter, Some(at(0)), at(900_000)));
        assert!(is_due(&quarter, Some(at(5_000)), at(4_000)));
        assert!(!is_due(&settings(None), None, at(0)));
    }
}
