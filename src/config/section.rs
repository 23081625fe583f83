//! `[integrations.NAME.stock]` and `[integrations.NAME.prices]`.

use std::time::Duration;

use super::{GuardSettings, OnDrift, SectionSettings};
use crate::connector::Settings;
use crate::model::{Direction, Place, Section, StorePlaceKind, StorePlaces};
use crate::settings::{Entry, Table, nearest};

/// A section, and where its direction stands for errors that come up later.
pub(super) struct ReadSection {
    /// At least one; one for each of its `locations`, which differ in their places only.
    pub(super) settings: Vec<SectionSettings>,
    pub(super) direction_line: u64,
    /// The keys that name places at the other side.
    pub(super) named: Vec<Named>,
    /// Its own source, where it has one.
    pub(super) own: Option<Box<dyn Settings>>,
}

/// A key that names a place at the other side.
pub(super) struct Named {
    pub(super) kind: StorePlaceKind,
    pub(super) key: &'static str,
    pub(super) line: u64,
}

/// What a section of one integration is read with.
pub(super) struct SectionReader<'a> {
    pub(super) is_store: bool,
    pub(super) warehouses: &'a [Place],
    pub(super) price_groups: &'a [Place],
    pub(super) guard: &'a GuardSettings,
    /// The places at the other side that its connector knows.
    pub(super) kinds: &'a [StorePlaceKind],
}

impl SectionReader<'_> {
    /// Reads what every section has; a source of its own is still to be taken from the table.
    /// `None` where nothing can be said about it without its direction.
    pub(super) fn read(&self, section: Section, table: &mut Table<'_>) -> Option<ReadSection> {
        let direction = self.direction(table);
        let mut named = Vec::new();
        let located = match section {
            Section::Stock => self.locations(table, &mut named),
            _ => None,
        };
        let places = match located {
            Some(located) => located,
            None => {
                let word = direction.map(|(direction, _)| direction);
                let place = self.place(section, word, table).unwrap_or_default();
                vec![(place, self.places_at_store(section, table, &mut named))]
            }
        };
        let (every, jitter) = rhythm(table);
        let on_drift = on_drift(direction.map(|(direction, _)| direction), table);
        let guard = GuardSettings::read(table.table("guard"), self.guard);
        let line = table.line();
        let (direction, direction_line) = direction?;
        let of_place = |(place, places)| {
            let guard = guard.clone();
            SectionSettings { direction, place, places, every, jitter, on_drift, guard, line }
        };
        let settings = places.into_iter().map(of_place).collect();
        Some(ReadSection { settings, direction_line, named, own: None })
    }

    /// `locations = { "Main store" = "main" }`: the warehouse of each stock location. `None`: the
    /// key is not there.
    fn locations(
        &self,
        table: &mut Table<'_>,
        named: &mut Vec<Named>,
    ) -> Option<Vec<(String, StorePlaces)>> {
        let name = table.name_of("locations");
        if !self.asks_for(StorePlaceKind::Location, "locations", table) {
            return None;
        }
        let mut located: Vec<(String, StorePlaces)> = Vec::new();
        let mut below = table.table("locations")?;
        let (kind, key) = (StorePlaceKind::Location, "locations");
        named.push(Named { kind, key, line: below.line() });
        let entries = below.entries();
        if entries.is_empty() {
            below.absence(format!("`{name}` is empty; write {{ \"Main store\" = \"main\" }}"));
        }
        for (location, line, entry) in entries {
            let name = below.name_of(location);
            let Some(place) = declared_place(&entry, &name, "warehouse", self.warehouses) else {
                continue;
            };
            if located.iter().any(|(other, _)| *other == place) {
                let message = format!(
                    "`{name}`: another location has the warehouse `{place}` already; each needs \
                     one of its own"
                );
                below.problems().error(line, message);
            }
            let mut places = StorePlaces::default();
            places.add(StorePlaceKind::Location, location.trim().to_owned());
            located.push((place, places));
        }
        for key in ["warehouse", "location"] {
            let other = table.name_of(key);
            if let Some(entry) = table.take(key) {
                entry.error(format!("`{other}` cannot stand beside `{name}`: it says the same"));
            }
        }
        Some(located)
    }

    /// The places at the other side that a section names.
    fn places_at_store(
        &self,
        section: Section,
        table: &mut Table<'_>,
        named: &mut Vec<Named>,
    ) -> StorePlaces {
        let mut places = StorePlaces::default();
        for kind in StorePlaceKind::ALL.into_iter().filter(|kind| kind.section() == section) {
            if !self.asks_for(kind, kind.word(), table) {
                continue;
            }
            let name = table.name_of(kind.word());
            let Some(entry) = table.take(kind.word()) else { continue };
            named.push(Named { kind, key: kind.word(), line: entry.line });
            match entry.string(&name).map(|(text, _)| text.trim().to_owned()) {
                Some(text) if text.is_empty() => {
                    let what = kind.shown();
                    entry.error(format!("`{name}` must be the id or the name of a {what}"));
                }
                Some(text) => places.add(kind, text),
                None => {}
            }
        }
        places
    }

    /// What the connector does not know is asked for only where it stands, to say so.
    fn asks_for(&self, kind: StorePlaceKind, key: &str, table: &Table<'_>) -> bool {
        self.kinds.contains(&kind) || table.has(key)
    }

    fn direction(&self, table: &mut Table<'_>) -> Option<(Direction, u64)> {
        let name = table.name_of("direction");
        let entry = table.require("direction")?;
        let words =
            [("download", Direction::Download), ("send", Direction::Send), ("off", Direction::Off)];
        let direction = entry.choice(&name, &words)?;
        if direction == Direction::Send && !self.is_store {
            entry.error(format!(
                "`{name}` cannot be \"send\": a wholesaler is only ever read; \
                 write \"download\" or \"off\", or `type = \"store\"` where this is a store"
            ));
        }
        Some((direction, entry.line))
    }

    fn place(
        &self,
        section: Section,
        direction: Option<Direction>,
        table: &mut Table<'_>,
    ) -> Option<String> {
        let (key, declared) = match section {
            Section::Prices => ("price_group", self.price_groups),
            _ => ("warehouse", self.warehouses),
        };
        let name = table.name_of(key);
        match table.take(key) {
            Some(entry) => declared_place(&entry, &name, key, declared),
            None => {
                if direction.is_some_and(|direction| direction != Direction::Off) {
                    let hint = list(declared).map(|all| format!("; declared: {all}"));
                    let hint = hint.unwrap_or_else(|| format!("; declare one under [{key}s]"));
                    table.absence(format!("`{name}` is missing{hint}"));
                }
                None
            }
        }
    }
}

/// The key of a declared place. It is not quoted where it is none: it may be anything.
fn declared_place(entry: &Entry<'_>, name: &str, key: &str, declared: &[Place]) -> Option<String> {
    let (text, line) = entry.string(name)?;
    if declared.iter().any(|place| place.key == text) {
        return Some(text);
    }
    let near = nearest(&text, declared.iter().map(|place| place.key.as_str()));
    let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let what = key.replace('_', " ");
    let all = list(declared).unwrap_or_else(|| "none".to_owned());
    let message = format!("undeclared {what} in `{name}`: {near}declared under [{key}s]: {all}");
    entry.problems().absence(line, message);
    None
}

fn list(places: &[Place]) -> Option<String> {
    let all: Vec<_> = places.iter().map(|place| format!("`{}`", place.key)).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// `every`, and the `jitter` that goes with it.
fn rhythm(table: &mut Table<'_>) -> (Option<Duration>, Duration) {
    let every = table.positive_duration("every");
    let name = table.name_of("jitter");
    let Some(entry) = table.take("jitter") else { return (every, Duration::ZERO) };
    let jitter = table.duration("jitter").unwrap_or_default();
    if !table.has("every") {
        entry.error(format!("`{name}` goes with `every`, which is missing"));
    } else if every.is_some_and(|every| jitter > every) {
        entry.error(format!("`{name}` must not be longer than `every`"));
    }
    (every, jitter)
}

fn on_drift(direction: Option<Direction>, table: &mut Table<'_>) -> OnDrift {
    let name = table.name_of("on_drift");
    let Some(entry) = table.take("on_drift") else { return OnDrift::Overwrite };
    if direction == Some(Direction::Download) {
        entry.error(format!("`{name}` is only for `direction = \"send\"`"));
    }
    let words = [("overwrite", OnDrift::Overwrite), ("hold", OnDrift::Hold)];
    entry.choice(&name, &words).unwrap_or(OnDrift::Overwrite)
}
