//! `[integrations.NAME]`: the keys of every integration; the connector takes its own.

use std::sync::Arc;

use super::section::{ReadSection, SectionReader};
use super::{GuardSettings, Integration, Part, SectionSettings, Unlinked};
use crate::connector::feed::combine::Combine;
use crate::connector::feed::presets;
use crate::connector::http::HttpSettings;
use crate::connector::{Context, Registration, Settings};
use crate::model::{Direction, LinkKey, Place, Section, StorePlaces};
use crate::settings::{Problems, Table, nearest};

/// What integrations are read with.
pub(super) struct IntegrationReader<'a> {
    pub(super) warehouses: &'a [Place],
    pub(super) price_groups: &'a [Place],
    pub(super) registry: &'a [Registration],
}

impl IntegrationReader<'_> {
    /// Reads an integration. `None` where errors, which are reported, leave none.
    pub(super) fn read(&self, name: &str, mut table: Table<'_>) -> Option<Integration> {
        let (line, path, problems) = (table.line(), table.path().to_owned(), table.problems());
        use_preset(&mut table);
        // Where the type is unknown, what only a wholesaler must not do is no error.
        let is_store = is_store(&mut table).unwrap_or(true);
        let link_by = link_by(&mut table);
        let unlinked = unlinked(&mut table);
        let links = super::links::read(&mut table, unlinked);
        let accept = super::accept::read(&mut table).into();
        let allow_empty = table.bool("allow_empty").unwrap_or(false);
        let http = HttpSettings::read(table.table("http"));
        let below = Section::ALL.map(|section| table.table(section.word()));
        // Where each section has a source of its own, nothing else needs a connector.
        let is_parted = !table.has("source") && are_parted(&below);
        let registration = match is_parted && !table.has("connector") {
            true => None,
            false => named(self.registry, &mut table),
        };
        let guard = GuardSettings::read(table.table("guard"), &GuardSettings::default());
        let [mut stock, mut prices] = self.sections(below, is_store, &guard, registration);
        let read = [&stock, &prices].map(|section| section.read.as_ref());
        let context = self.context(name, &table, is_store, read, &http);
        let are_read = [&mut stock, &mut prices].map(|section| self.take_own(section, &context));
        let (stock, prices) = (stock.read, prices.read);
        let shared = match registration {
            _ if is_parted => {
                table.finish();
                None
            }
            Some(registration) => {
                Some(connector_settings(table, registration, &context, self.registry)?)
            }
            // Which keys are known without a connector nobody can say.
            None => {
                table.finish_early();
                return None;
            }
        };
        if are_read.contains(&false) {
            return None;
        }
        let check = SectionCheck { problems, path: &path, is_store, shared: shared.as_deref() };
        check.run(Section::Stock, stock.as_ref());
        check.run(Section::Prices, prices.as_ref());
        let (stock, stock_own) = parted(stock);
        let (prices, prices_own) = parted(prices);
        let sources = Sources { shared, stock: stock_own, prices: prices_own };
        let parts = sources.parts(&stock, &prices);
        Some(Integration {
            name: name.to_owned(),
            line,
            is_store,
            parts,
            link_by,
            links,
            unlinked,
            accept,
            allow_empty,
            http,
            stock,
            prices: prices.into_iter().next(),
        })
    }

    /// Reads what the sections have whatever their connectors are. `shared`: the integration's own.
    fn sections<'t, 'r>(
        &'r self,
        below: [Option<Table<'t>>; 2],
        is_store: bool,
        guard: &GuardSettings,
        shared: Option<&'r Registration>,
    ) -> [SectionTable<'t, 'r>; 2] {
        let [stock, prices] = below;
        [(Section::Stock, stock), (Section::Prices, prices)].map(|(section, mut below)| {
            let registration = below.as_mut().and_then(|below| self.of_section(below, shared));
            let reader = SectionReader {
                is_store,
                warehouses: self.warehouses,
                price_groups: self.price_groups,
                guard,
                kinds: registration.map_or(&[], |registration| registration.places),
            };
            let read = below.as_mut().and_then(|below| reader.read(section, below));
            SectionTable { rest: below, registration, read }
        })
    }

    /// The connector of a section: that of its own source, or else the integration's.
    fn of_section<'r>(
        &'r self,
        below: &mut Table<'_>,
        shared: Option<&'r Registration>,
    ) -> Option<&'r Registration> {
        if !below.has("source") {
            return shared;
        }
        use_preset(below);
        match shared {
            Some(shared) if !below.has("connector") => Some(shared),
            _ => named(self.registry, below),
        }
    }

    /// Takes a section's own source out of what is left of its table. `false` where errors, which
    /// are reported, leave none.
    fn take_own(&self, section: &mut SectionTable<'_, '_>, context: &Context) -> bool {
        let Some(rest) = section.rest.take() else { return true };
        check_places(section.read.as_ref(), section.registration, &rest);
        if !rest.has("source") {
            rest.finish();
            return true;
        }
        let Some(registration) = section.registration else {
            rest.finish_early();
            return false;
        };
        let settings = connector_settings(rest, registration, context, self.registry);
        let is_read = settings.is_some();
        if let Some(read) = &mut section.read {
            read.own = settings;
        }
        is_read
    }

    fn context(
        &self,
        name: &str,
        table: &Table<'_>,
        is_store: bool,
        [stock, prices]: [Option<&ReadSection>; 2],
        http: &HttpSettings,
    ) -> Context {
        let is_on = |section: &ReadSection| {
            section.settings.iter().any(|settings| settings.direction != Direction::Off)
        };
        let sections = [(Section::Stock, stock), (Section::Prices, prices)];
        let sections = sections.into_iter().filter(|(_, read)| read.is_some_and(is_on));
        let group = prices.and_then(|section| section.settings.first());
        let group = group.map(|settings| settings.place.as_str());
        let group = group.and_then(|key| self.price_groups.iter().find(|place| place.key == key));
        Context {
            name: name.to_owned(),
            folder: table.document().folder(),
            is_store,
            currency: group.and_then(|place| place.currency),
            http: http.clone(),
            is_join: false,
            sections: sections.map(|(section, _)| section).collect(),
            at_hand: None,
        }
    }
}

/// Lets a preset stand in for the keys that the table lacks.
fn use_preset(table: &mut Table<'_>) {
    let name = table.name_of("preset");
    let Some(entry) = table.take("preset") else { return };
    let Some((word, line)) = entry.string(&name) else { return };
    let connector = table.has("connector").then(|| table.string("connector")).flatten();
    match presets::find(&word, connector.as_ref().map(|(word, _)| word.as_str())) {
        Ok(preset) => table.stand_in(preset.keys(), line),
        Err(why) => entry.error(format!("`{name}`: {why}")),
    }
}

fn is_store(table: &mut Table<'_>) -> Option<bool> {
    let name = table.name_of("type");
    table.require("type")?.choice(&name, &[("store", true), ("wholesaler", false)])
}

fn unlinked(table: &mut Table<'_>) -> Unlinked {
    let words =
        [("report", Unlinked::Report), ("create", Unlinked::Create), ("ignore", Unlinked::Ignore)];
    table.choice("unlinked", &words).unwrap_or(Unlinked::Report)
}

fn link_by(table: &mut Table<'_>) -> Vec<LinkKey> {
    let name = table.name_of("link_by");
    let Some(entry) = table.take("link_by") else { return vec![LinkKey::Sku, LinkKey::Ean] };
    let mut keys = Vec::new();
    for word in entry.array(&name).unwrap_or_default() {
        match word.choice(&name, &[("sku", LinkKey::Sku), ("ean", LinkKey::Ean)]) {
            Some(key) if keys.contains(&key) => word.error(format!("`{name}` names a key twice")),
            Some(key) => keys.push(key),
            None => {}
        }
    }
    keys
}

/// The connector that is named. An unknown name is not quoted: it may be anything.
fn named<'r>(registry: &'r [Registration], table: &mut Table<'_>) -> Option<&'r Registration> {
    let name = table.name_of("connector");
    let entry = table.require("connector")?;
    let (word, _) = entry.string(&name)?;
    let found = registry.iter().find(|registration| registration.name == word);
    if found.is_none() {
        let names = || registry.iter().map(|registration| registration.name);
        let all: Vec<_> = names().map(|known| format!("\"{known}\"")).collect();
        let near = nearest(&word, names());
        let hint = near.map(|near| format!("did you mean \"{near}\"? ")).unwrap_or_default();
        let all = all.join(", ");
        entry.error(format!("unknown connector in `{name}`: {hint}known are {all}"));
    }
    found
}

/// Lets the connector take its keys, and reports those that nobody knows.
fn connector_settings(
    mut table: Table<'_>,
    registration: &Registration,
    context: &Context,
    registry: &[Registration],
) -> Option<Box<dyn Settings>> {
    let problems = table.problems();
    // In broken text the connector would miss what is there.
    if problems.has_syntax_errors() {
        return None;
    }
    // A further file is joined to a feed, not to another further file.
    let read_join = |mut join: Table<'_>, context: &Context| {
        use_preset(&mut join);
        let own = join.has("connector").then(|| named(registry, &mut join));
        connector_settings(join, own.unwrap_or(Some(registration))?, context, registry)
    };
    if !registration.is_feed || context.is_join {
        return settings_of(table, registration, context);
    }
    let combine = Combine::read(&mut table, context, &read_join);
    // Of a list of sources, each is read with the same keys.
    let sources = 0..table.count("source").max(1);
    let files: Vec<_> = sources
        .map(|index| settings_of(table.with_one_of("source", index), registration, context))
        .collect();
    combine?.with(files.into_iter().collect::<Option<_>>()?)
}

/// What one connector makes of its keys.
fn settings_of(
    mut table: Table<'_>,
    registration: &Registration,
    context: &Context,
) -> Option<Box<dyn Settings>> {
    let problems = table.problems();
    let errors_before = problems.error_count();
    let settings = (registration.settings)(&mut table, context);
    if settings.is_none() && problems.error_count() == errors_before {
        let (path, name) = (table.path(), registration.name);
        table.error(format!("`{path}`: the connector \"{name}\" cannot be used with these keys"));
    }
    // A connector asks for all its keys before it gives up.
    table.finish();
    settings
}

/// Whether every section that there is has a source of its own.
fn are_parted(sections: &[Option<Table<'_>>; 2]) -> bool {
    let mut tables = sections.iter().flatten().peekable();
    tables.peek().is_some() && tables.all(|table| table.has("source"))
}

/// A section that was read, and what is left of its table.
struct SectionTable<'t, 'r> {
    rest: Option<Table<'t>>,
    /// The connector of what feeds it.
    registration: Option<&'r Registration>,
    read: Option<ReadSection>,
}

type Own = Option<Box<dyn Settings>>;

fn parted(section: Option<ReadSection>) -> (Vec<SectionSettings>, Own) {
    section.map_or((Vec::new(), None), |section| (section.settings, section.own))
}

/// Places at the other side that its connector knows nothing of are errors.
fn check_places(
    read: Option<&ReadSection>,
    registration: Option<&Registration>,
    table: &Table<'_>,
) {
    let (Some(read), Some(Registration { name, places, .. })) = (read, registration) else {
        return;
    };
    for named in read.named.iter().filter(|named| !places.contains(&named.kind)) {
        let (key, what) = (table.name_of(named.key), named.kind.shown());
        let section = named.kind.section();
        let known = places.iter().filter(|kind| kind.section() == section);
        let known: Vec<_> = known.map(|kind| format!("`{}`", kind.word())).collect();
        let known = match known.as_slice() {
            [] => "leave it out".to_owned(),
            known => format!("it knows {}", known.join(", ")),
        };
        let message = format!("`{key}`: the connector \"{name}\" knows no {what}; {known}");
        table.problems().error(named.line, message);
    }
}

/// What feeds the sections of an integration.
struct Sources {
    shared: Own,
    stock: Own,
    prices: Own,
}

impl Sources {
    /// The sources, each with the sections that it feeds; of several locations each is one.
    fn parts(self, stock: &[SectionSettings], prices: &[SectionSettings]) -> Vec<Part> {
        let mut fed: [Vec<(Section, &[SectionSettings])>; 3] = Default::default();
        fed[if self.stock.is_some() { 1 } else { 0 }].push((Section::Stock, stock));
        fed[if self.prices.is_some() { 2 } else { 0 }].push((Section::Prices, prices));
        let sources = [
            (None, self.shared),
            (Some(Section::Stock), self.stock),
            (Some(Section::Prices), self.prices),
        ];
        let parts = sources
            .into_iter()
            .zip(fed)
            .filter_map(|((of, settings), fed)| Some(parts_of(of, Arc::from(settings?), &fed)));
        parts.flatten().collect()
    }
}

/// The parts of one source.
fn parts_of(
    of: Option<Section>,
    settings: Arc<dyn Settings>,
    fed: &[(Section, &[SectionSettings])],
) -> Vec<Part> {
    let word = of.map_or("", Section::word);
    let mut parts: Vec<Part> = Vec::new();
    let mut add = |key: String, sections: Vec<Section>, places: StorePlaces| {
        parts.push(Part { key, of, settings: Arc::clone(&settings), sections, places });
    };
    let whole = fed.iter().filter(|(_, settings)| settings.len() < 2);
    let mut places = StorePlaces::default();
    whole.clone().flat_map(|(_, one)| one.iter()).for_each(|one| places.extend(&one.places));
    let sections: Vec<Section> = whole.map(|(section, _)| *section).collect();
    let located: Vec<_> = fed.iter().filter(|(_, settings)| settings.len() > 1).collect();
    if !sections.is_empty() || located.is_empty() {
        add(word.to_owned(), sections, places);
    }
    for (section, settings) in located {
        for one in *settings {
            let location = one.places.location().unwrap_or_default();
            add(format!("{}@{location}", section.word()), vec![*section], one.places.clone());
        }
    }
    parts
}

/// What only the connector's settings can say about a section.
struct SectionCheck<'a> {
    problems: &'a Problems,
    path: &'a str,
    is_store: bool,
    /// The integration's own source; a section may have another.
    shared: Option<&'a dyn Settings>,
}

impl SectionCheck<'_> {
    fn run(&self, section: Section, read: Option<&ReadSection>) {
        let Some(read) = read else { return };
        let Some(first) = read.settings.first() else { return };
        let (path, word, direction) = (self.path, section.word(), first.direction);
        if direction == Direction::Off {
            return;
        }
        let Some(settings) = read.own.as_deref().or(self.shared) else { return };
        if let Err(why) = settings.provides(section) {
            self.problems.error(first.line, format!("`{path}.{word}`: {why}"));
        } else if direction == Direction::Send
            && self.is_store
            && let Err(why) = settings.can_write(section)
        {
            let message = format!("`{path}.{word}.direction` cannot be \"send\": {why}");
            self.problems.error(read.direction_line, message);
        }
    }
}
