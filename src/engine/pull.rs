//! A pull: the integration is superior, its values overwrite the inventory's.
//!
//! Everything is fetched first. Then one transaction holds loading, planning, guards, values,
//! history, links and the memory of the delivery: all of it, or nothing.

use std::time::SystemTime;

use rustc_hash::FxHashMap;

use super::guards::{Limits, Whole};
use super::links_copy::adopt;
use super::part::{AllPlanned, Planned, Source};
use super::plan::{self, PlaceRef, Rules, SectionPlan};
use super::read::{Opened, Reading, match_rules, read};
use super::run::{IfMissing, OpenRun, RunError, Start, in_run};
use super::view::NoChanges;
use super::{Session, Sink, unchanged};
use crate::config::{Integration, Part, SectionSettings};
use crate::connector::{ConnectorError, Delivery, ErrorKind, Nowhere, Origin, Want};
use crate::inventory::{
    ChangeRecord, KeyChecks, Memory, ProductId, ProductSet, Purpose, RECORDED_PLANS, Tx,
};
use crate::model::{
    ChangeStatus, Command, Direction, Exit, Guard, GuardVerdict, Section, StorePlaces,
};
use crate::report::RunReport;

/// What a pull read, for the push of the same `sync`.
pub(super) struct Kept {
    /// By the keys of their sources.
    pub readings: Vec<(String, Reading)>,
    /// Nobody else had the integration's lock as long as this is its newest run.
    pub run_id: Option<i64>,
}

/// Pulls one integration. With `keep`, what was read is handed on.
pub(super) fn pull(
    session: &Session<'_>,
    integration: &Integration,
    sources: &[Source<'_>],
    keep: Option<&mut Option<Kept>>,
    sink: Sink<'_>,
) -> anyhow::Result<Exit> {
    let inventory = session.open(IfMissing::Create)?;
    let worked_on = sections(session, integration, Direction::Download);
    let purpose = Purpose {
        sections: worked_on.iter().map(|(section, _)| *section).collect(),
        at_store: false,
        ..Purpose::default()
    };
    let start = Start {
        inventory: &inventory,
        integration: Some(&integration.name),
        command: Command::Pull,
        purpose: &purpose,
        state: "Nothing was changed in the inventory",
    };
    let keeps = keep.is_some();
    let work = |run: &mut OpenRun<'_>| run_pull(session, integration, sources, run, keeps);
    in_run(session, start, sink, work, |summary, pulled, sink| {
        let Some(Pulled { keys, planned, exit }) = pulled else {
            sink(&RunReport::empty(summary.clone()))?;
            return Ok(Exit::Done);
        };
        sink(&planned.report(&inventory, summary))?;
        if let Some(keep) = keep {
            let readings = planned.0.into_iter().map(|planned| planned.reading);
            let readings = keys.into_iter().zip(readings).collect();
            *keep = Some(Kept { readings, run_id: summary.run_id });
        }
        Ok(exit)
    })
}

struct Pulled {
    /// The key of each source.
    keys: Vec<String>,
    planned: AllPlanned,
    exit: Exit,
}

fn run_pull(
    session: &Session<'_>,
    integration: &Integration,
    sources: &[Source<'_>],
    run: &mut OpenRun<'_>,
    keeps: bool,
) -> Result<Option<Pulled>, RunError> {
    let mut fetched = Fetched::default();
    for source in sources {
        if source.sections(session, integration, Direction::Download).is_empty() {
            continue;
        }
        session.progress.begin(&format!("reading {}", integration.name), None);
        // A push needs what is there, whether it is new or not.
        if !keeps && unchanged::is_unchanged(session, integration, source, run)? {
            fetched.unchanged.push(source);
        } else {
            let want = want(session, integration, source, keeps);
            fetched.opened.push((source, Opened::by(source.connector.as_ref(), want)?));
        }
        session.check_interrupted()?;
    }
    if fetched.opened.is_empty() && !fetched.unchanged.is_empty() {
        session.progress.end();
        unchanged::record(session, integration, run)?;
        return Ok(None);
    }
    run.inventory.set_key_checks(KeyChecks::OwnIdsOnly)?;
    let pulled = plan_and_apply(session, integration, run, fetched);
    session.progress.end();
    run.inventory.set_key_checks(KeyChecks::On)?;
    pulled.map(Some)
}

/// What the sources of an integration handed over.
#[derive(Default)]
struct Fetched<'s, 'i> {
    opened: Vec<(&'s Source<'i>, Opened)>,
    /// Those that have what was applied last: their sections stay as they are.
    unchanged: Vec<&'s Source<'i>>,
}

/// Everything that was fetched, in one transaction: all of it, or nothing.
fn plan_and_apply(
    session: &Session<'_>,
    integration: &Integration,
    run: &mut OpenRun<'_>,
    fetched: Fetched<'_, '_>,
) -> Result<Pulled, RunError> {
    let tx = session.begin(run.inventory)?;
    let (mut keys, mut planned) = (Vec::new(), AllPlanned(Vec::new()));
    let mut read = Vec::new();
    for (source, opened) in fetched.opened {
        keys.push(source.part.key.clone());
        let missing = run.summary.missing;
        let mut one = plan_and_apply_one(session, integration, run, &tx, source, opened)?;
        one.is_repeated = source.repeats(&read);
        if one.is_repeated {
            run.summary.missing = missing;
        }
        planned.add(one);
        read.push(source);
    }
    adopt_links(session, integration, run, &tx, &mut planned)?;
    let is_stopped =
        run.summary.guards.iter().any(|verdict| verdict.section.is_none() && !verdict.allowed);
    let ending = planned.ending(is_stopped);
    planned.summarise(&mut run.summary, &ending);
    for source in &fetched.unchanged {
        let sections = source.sections(session, integration, Direction::Download);
        run.summary.sections.extend(unchanged::headings(session, &tx, &sections)?);
    }
    run.summary.sections.sort_by_key(|heading| heading.section);
    if let (false, Some(id)) = (session.options.dry_run, run.summary.run_id) {
        tx.record_problems(id, &mut planned.problems(), &planned.problem_counts())?;
        tx.finish_run(id, &run.summary)?;
        keep_validators(session, integration, run, &tx, &read, &planned, &fetched.unchanged)?;
    }
    let mut exit = ending.exit();
    if session.options.dry_run
        && session.options.exit_code
        && run.summary.changed.total() + run.summary.created > 0
    {
        exit = exit.max(Exit::Differences);
    }
    session.check_interrupted()?;
    if !session.options.dry_run {
        tx.commit()?;
    }
    Ok(Pulled { keys, planned, exit })
}

/// Where a links file holds the links: reports what is wrong in it, once, and brings the
/// inventory's copy to what it says.
fn adopt_links(
    session: &Session<'_>,
    integration: &Integration,
    run: &OpenRun<'_>,
    tx: &Tx<'_>,
    planned: &mut AllPlanned,
) -> Result<(), RunError> {
    let (Some(file), Some(first)) = (session.links_file(integration)?, planned.0.first_mut())
    else {
        return Ok(());
    };
    let matched = &mut first.reading.matched;
    file.report(Some(&matched.products), &session.options.skus, &mut matched.problems);
    if session.options.dry_run {
        return Ok(());
    }
    adopt(session, integration, tx, run, &matched.products)
}

/// Keeps what tells later that the sources have nothing new. Links that one of them made may be of
/// items that those before it, or those that were not read, have as well: where these may have such
/// items they are read once more.
fn keep_validators(
    session: &Session<'_>,
    integration: &Integration,
    run: &OpenRun<'_>,
    tx: &Tx<'_>,
    read: &[&Source<'_>],
    planned: &AllPlanned,
    unchanged: &[&Source<'_>],
) -> Result<(), RunError> {
    let mut made_links = false;
    for (source, planned) in read.iter().zip(&planned.0).rev() {
        if !made_links || !minds_links(session, integration, source, planned) {
            unchanged::keep(session, integration, tx, run, source, &planned.reading.delivery)?;
        }
        made_links |= planned.reading.matched.makes_links();
    }
    for source in unchanged.iter().filter(|_| !made_links) {
        unchanged::keep_on(session, integration, tx, run, source)?;
    }
    Ok(())
}

/// Whether links that are made later could change what a delivery did: of its own items, or of
/// those that it lacks.
fn minds_links(
    session: &Session<'_>,
    integration: &Integration,
    source: &Source<'_>,
    planned: &Planned,
) -> bool {
    let counts = &planned.reading.matched.counts;
    let sections = source.sections(session, integration, Direction::Download);
    counts.items > counts.duplicates + counts.linked
        || sections.iter().any(|(_, settings)| settings.guard.zero_missing)
}

/// One source: what it delivered is matched, planned, judged, applied.
fn plan_and_apply_one(
    session: &Session<'_>,
    integration: &Integration,
    run: &mut OpenRun<'_>,
    tx: &Tx<'_>,
    source: &Source<'_>,
    opened: Opened,
) -> Result<Planned, RunError> {
    let sections = source.sections(session, integration, Direction::Download);
    let mut plans = Vec::new();
    for (section, settings) in &sections {
        plans.push(empty_plan(session, tx, *section, settings)?);
    }
    let places: Vec<_> = plans.iter().map(|plan| (plan.section, plan.place.id)).collect();
    let rules = match_rules(session, integration, true)?;
    let mut reading = read(session, tx, run.integration_id, rules, &places, opened)?;
    check_not_empty(integration, &reading)?;
    session.check_interrupted()?;
    let memory = match run.integration_id {
        Some(id) => tx.memory(id, &source.part.key)?,
        None => None,
    };
    check_mapping(session, &sections, &reading.delivery, memory.as_ref())?;
    let (part, origin) = (source.part, source.connector.origin());
    let mut pass =
        Pass { session, integration, part, run, tx, reading: &mut reading, memory, origin };
    let plans = pass.plan(plans, &sections)?;
    let (plans, seen) = pass.guard(plans, &sections);
    session.check_interrupted()?;
    let plans = pass.apply(plans, &seen)?;
    Ok(Planned { reading, plans, is_repeated: false })
}

/// The sections of a direction that the command line did not leave out.
pub(super) fn sections<'i>(
    session: &Session<'_>,
    integration: &'i Integration,
    direction: Direction,
) -> Vec<(Section, &'i SectionSettings)> {
    integration
        .sections(direction)
        .filter(|(section, _)| session.options.only.is_none_or(|only| only == *section))
        .collect()
}

/// What to read of a source: the sections that are pulled, and for a sync also those that are
/// sent.
fn want(
    session: &Session<'_>,
    integration: &Integration,
    source: &Source<'_>,
    keeps: bool,
) -> Want {
    let wants = |section| {
        let mut both = source.sections(session, integration, Direction::Download);
        if keeps {
            both.extend(source.sections(session, integration, Direction::Send));
        }
        both.iter().any(|(s, _)| *s == section)
    };
    Want {
        stock: wants(Section::Stock),
        prices: wants(Section::Prices),
        names: integration.unlinked == crate::config::Unlinked::Create,
    }
}

/// A plan without changes for a section's place.
pub(super) fn empty_plan(
    session: &Session<'_>,
    tx: &Tx<'_>,
    section: Section,
    settings: &SectionSettings,
) -> Result<SectionPlan, RunError> {
    let mut plan = plan_at(session, tx, section, &settings.place, settings.direction)?;
    plan.place.at_store.clone_from(&settings.places);
    Ok(plan)
}

/// A plan without changes for a place of the inventory.
pub(super) fn plan_at(
    session: &Session<'_>,
    tx: &Tx<'_>,
    section: Section,
    key: &str,
    direction: Direction,
) -> Result<SectionPlan, RunError> {
    let stored = session.stored_place(tx, section, key)?;
    let declared = session.config.price_group(key).filter(|_| section == Section::Prices);
    let place = PlaceRef {
        id: stored.as_ref().map(|place| place.id),
        key: key.to_owned(),
        currency: declared.and_then(|group| group.currency),
        revision: stored.map_or(0, |place| place.revision),
        at_store: StorePlaces::default(),
    };
    Ok(SectionPlan::new(section, direction, place))
}

/// A delivery without items is a failure, unless the config allows it.
pub(super) fn check_not_empty(
    integration: &Integration,
    reading: &Reading,
) -> Result<(), ConnectorError> {
    if reading.matched.counts.items > 0 || integration.allow_empty {
        return Ok(());
    }
    Err(why_empty(&reading.delivery))
}

/// What to say of a delivery without any item.
pub(super) fn why_empty(delivery: &Delivery) -> ConnectorError {
    let why = delivery.why_empty.clone();
    let (kind, why) = match why {
        Some(error) => (error.kind, format!(": {}", error.message)),
        None if delivery.header.is_empty() => (ErrorKind::Source, String::new()),
        None => {
            let names: Vec<_> = delivery.header.split(['\t', '\n']).collect();
            (ErrorKind::Source, format!("; it has {}", names.join(", ")))
        }
    };
    let message = format!(
        "the source holds no items at all{why}. Look at the source; if it may be empty, set \
         allow_empty = true"
    );
    ConnectorError { kind, message }
}

/// A value that is mapped to a place that nothing in a complete delivery has is an error of the
/// mapping. What was there in the last delivery is for the guard `shape` to judge.
fn check_mapping(
    session: &Session<'_>,
    sections: &[(Section, &SectionSettings)],
    delivery: &Delivery,
    memory: Option<&Memory>,
) -> Result<(), ConnectorError> {
    let is_held = sections.iter().any(|(_, settings)| settings.guard.hold_shape);
    let is_allowed = session.options.allow.contains(&Guard::Shape);
    if !delivery.complete || !is_held || is_allowed {
        return Ok(());
    }
    let was_there = |lack: &&Nowhere| {
        memory.is_some_and(|memory| lack.paths.iter().any(|path| memory.shape.contains(path)))
    };
    let lacking = delivery.nowhere.iter().filter(|lack| lack.is_needed && !was_there(lack));
    let lacking: Vec<_> = lacking.map(|lack| lack.message.as_str()).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    Err(ConnectorError::mapping(format!(
        "{}. Correct the path; where it is right and nothing has it for now, --allow shape",
        lacking.join("; ")
    )))
}

/// The steps between reading and the report, for one source.
struct Pass<'p, 'r> {
    session: &'p Session<'p>,
    integration: &'p Integration,
    part: &'p Part,
    run: &'p mut OpenRun<'r>,
    tx: &'p Tx<'p>,
    reading: &'p mut Reading,
    memory: Option<Memory>,
    origin: Option<Origin>,
}

impl Pass<'_, '_> {
    fn delivery(&self) -> &Delivery {
        &self.reading.delivery
    }

    /// With `--sku`, absence means nothing and the memory does not move.
    fn is_restricted(&self) -> bool {
        !self.session.options.skus.is_empty()
    }

    fn plan(
        &mut self,
        plans: Vec<SectionPlan>,
        sections: &[(Section, &SectionSettings)],
    ) -> Result<Vec<SectionPlan>, RunError> {
        let mut planned = Vec::new();
        let mut problems = std::mem::take(&mut self.reading.matched.problems);
        for ((plan, (section, settings)), column) in
            plans.into_iter().zip(sections).zip(&self.reading.columns)
        {
            let absent = self.absent(*section, settings, plan.place.id)?;
            let limits = Limits { settings: &settings.guard, allow: &self.session.options.allow };
            let rules = Rules {
                limits: &limits,
                was_known: self
                    .memory
                    .as_ref()
                    .filter(|_| !self.is_restricted())
                    .map(|memory| memory.known(*section)),
            };
            let matched = &self.reading.matched;
            planned.push(plan::pull(plan, matched, column, &rules, &absent, &mut problems));
        }
        self.reading.matched.problems = problems;
        Ok(planned)
    }

    /// The products whose stock becomes 0 because a complete delivery lacks their item: only those
    /// whose stock this integration wrote last, and only where no row was lost.
    fn absent(
        &self,
        section: Section,
        settings: &SectionSettings,
        place: Option<i64>,
    ) -> Result<Vec<ProductId>, RunError> {
        let (Some(place), Some(integration)) = (place, self.run.integration_id) else {
            return Ok(Vec::new());
        };
        if section != Section::Stock
            || !settings.guard.zero_missing
            || !self.delivery().complete
            || self.reading.matched.counts.lost > 0
            || self.is_restricted()
        {
            return Ok(Vec::new());
        }
        let mut absent = Vec::new();
        for (product, times) in self.absences() {
            if u64::from(times) >= settings.guard.missing_after
                && self.tx.writer_of(section, place, product)? == Some(integration)
            {
                absent.push(product);
            }
        }
        Ok(absent)
    }

    /// The linked products that this delivery lacks, and how many complete deliveries in a row
    /// have lacked them, this one included; in the order of their ids.
    fn absences(&self) -> Vec<(ProductId, u32)> {
        let matched = &self.reading.matched;
        let before: FxHashMap<ProductId, u32> =
            self.memory.iter().flat_map(|memory| memory.absences.iter().copied()).collect();
        let mut absent: Vec<ProductId> = matched
            .absent_links()
            .into_iter()
            .map(|(_, product)| product)
            .filter(|product| !matched.delivered[*product as usize].is_linked())
            .collect();
        absent.sort_unstable();
        absent.dedup();
        let times = |product| before.get(&product).map_or(1, |times| times.saturating_add(1));
        absent.into_iter().map(|product| (product, times(product))).collect()
    }

    /// Lets the guards judge; gives the set of delivered products along.
    fn guard(
        &mut self,
        mut plans: Vec<SectionPlan>,
        sections: &[(Section, &SectionSettings)],
    ) -> (Vec<SectionPlan>, ProductSet) {
        let seen = self.reading.matched.seen();
        let mut verdicts: Vec<GuardVerdict> = self.judge_age(sections);
        if self.delivery().complete && !self.is_restricted() {
            let (present, kept) = {
                let matched = &self.reading.matched;
                (matched.delivered_links(), matched.kept_links())
            };
            for (_, settings) in sections {
                for verdict in self.judge_delivery(settings, &present, &kept) {
                    if verdicts.iter().all(|known| known.guard != verdict.guard) {
                        verdicts.push(verdict);
                    }
                }
            }
            if let Some(memory) = &self.memory {
                let missing = memory.seen.within(&kept).without(&present);
                self.run.summary.missing += missing.len();
                if verdicts.iter().any(|verdict| verdict.guard == Guard::MaxMissing.word()) {
                    self.name_first("the delivery lacks", &missing);
                }
            }
        }
        for plan in &mut plans {
            plan.stopped |= verdicts.iter().any(|verdict| !verdict.allowed);
        }
        for (plan, (_, settings)) in plans.iter_mut().zip(sections) {
            let limits = Limits { settings: &settings.guard, allow: &self.session.options.allow };
            let found = limits.judge_section(plan, true);
            if let (true, Some(memory)) =
                (found.iter().any(|found| found.guard == Guard::MaxUnknown.word()), &self.memory)
            {
                let known = self.reading.matched.known(plan.section);
                let unknown = memory.known(plan.section).without(&known);
                self.name_first(
                    &format!("the {} is unknown now of", plan.section.word()),
                    &unknown,
                );
            }
            verdicts.extend(found);
        }
        self.run.summary.guards.extend(verdicts);
        (plans, seen)
    }

    /// Whether the delivery is too old for a section that it feeds.
    fn judge_age(&self, sections: &[(Section, &SectionSettings)]) -> Vec<GuardVerdict> {
        let own = self.reading.delivery.generated;
        let modified = own.or_else(|| self.origin.as_ref().and_then(|origin| origin.modified));
        let has_limit = sections.iter().any(|(_, settings)| settings.guard.max_age.is_some());
        if has_limit && modified.is_none() {
            self.session.progress.note(&format!(
                "{}: the source does not say how old it is, so `max_age` cannot strike",
                self.integration.name
            ));
        }
        let now = SystemTime::now();
        let verdicts = sections.iter().filter_map(|(_, settings)| {
            let limits = Limits { settings: &settings.guard, allow: &self.session.options.allow };
            limits.judge_age(settings, modified, now)
        });
        verdicts.take(1).collect()
    }

    /// Names the first of the products that a guard struck for.
    fn name_first(&self, what: &str, products: &ProductSet) {
        let first: Vec<&str> =
            products.iter().take(5).map(|id| self.reading.matched.products.sku(id)).collect();
        let more = products.len().saturating_sub(first.len() as u64);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        self.session.progress.note(&format!(
            "{}: {what} {}{more}",
            self.integration.name,
            first.join(", ")
        ));
    }

    fn judge_delivery(
        &self,
        settings: &SectionSettings,
        seen: &ProductSet,
        kept: &ProductSet,
    ) -> Vec<GuardVerdict> {
        let matched = &self.reading.matched;
        let limits = Limits { settings: &settings.guard, allow: &self.session.options.allow };
        limits.judge_delivery(&Whole {
            items: matched.counts.items,
            lacks: &|sku| !matched.delivers(sku),
            shape: &self.delivery().shape,
            last: self.memory.as_ref(),
            seen,
            kept,
        })
    }

    /// Applies and records what may be applied.
    fn apply(
        &mut self,
        mut plans: Vec<SectionPlan>,
        seen: &ProductSet,
    ) -> Result<Vec<SectionPlan>, RunError> {
        let nothing_may_be_written = !plans.is_empty() && plans.iter().all(|plan| plan.stopped);
        if nothing_may_be_written {
            // Products that are not made have no values to plan.
            let unmade: ProductSet =
                self.reading.matched.created.drain(..).map(|product| product.id).collect();
            for plan in &mut plans {
                plan.changes.retain(|change| !unmade.contains(change.product));
            }
        }
        self.session.onlooker.show(self.reading, &plans)?;
        if let (false, Some(run), Some(integration)) =
            (self.session.options.dry_run, self.run.summary.run_id, self.run.integration_id)
        {
            if !nothing_may_be_written {
                apply_links(self.tx, run, integration, self.reading)?;
                self.session.check_interrupted()?;
            }
            record_places(self.tx, run, &plans)?;
            apply_values(self.session, self.tx, run, &mut plans, self.reading)?;
            self.remember(run, integration, &plans, seen)?;
        }
        Ok(plans)
    }

    /// Moves the memory of the delivery: a section that was stopped or left out keeps its known
    /// set; what was seen moves only when all sections went through.
    fn remember(
        &self,
        run: i64,
        integration: i64,
        plans: &[SectionPlan],
        seen: &ProductSet,
    ) -> Result<(), RunError> {
        if self.is_restricted() {
            return Ok(());
        }
        let old = self.memory.clone().unwrap_or_default();
        let mut new = old.clone();
        let complete = self.delivery().complete;
        for plan in plans.iter().filter(|plan| !plan.stopped) {
            let mut known = self.reading.matched.known(plan.section);
            if !complete {
                known.extend(&old.known(plan.section).without(seen));
            }
            *new.known_mut(plan.section) = known;
        }
        let all = self.integration.sections(Direction::Download);
        let all: Vec<_> =
            all.filter(|(section, settings)| self.part.feeds(*section, settings)).collect();
        let went_through = plans.iter().filter(|plan| !plan.stopped).count();
        if went_through == all.len() && complete {
            new.seen = seen.clone();
            new.items = self.reading.matched.counts.items;
            new.header.clone_from(&self.delivery().header);
            let there = self.delivery().shape.iter().filter(|(_, is_there)| *is_there);
            new.shape = there.map(|(part, _)| part.clone()).collect();
            let zeroes =
                all.iter().any(|(section, s)| *section == Section::Stock && s.guard.zero_missing);
            if zeroes && self.reading.matched.counts.lost == 0 {
                new.absences = self.absences();
            }
        }
        if self.memory.as_ref() != Some(&new) {
            self.tx.remember(run, integration, &self.part.key, &new)?;
        }
        Ok(())
    }
}

/// Stores new products and links.
pub(super) fn apply_links(
    tx: &Tx<'_>,
    run: i64,
    integration: i64,
    reading: &Reading,
) -> Result<(), RunError> {
    let matched = &reading.matched;
    tx.insert_products(run, &matched.created)?;
    tx.add_sku_links(run, integration, &matched.new_sku_links())?;
    let links = matched.new_links();
    tx.insert_links(run, integration, links.iter().map(|(id, link)| (*id, link)))?;
    Ok(())
}

/// Records where at the other side the values of a run's plans stand.
pub(super) fn record_places(tx: &Tx<'_>, run: i64, plans: &[SectionPlan]) -> Result<(), RunError> {
    for plan in plans {
        if let Some(place) = plan.place.id {
            tx.record_places(run, plan.section, place, &plan.place.at_store)?;
        }
    }
    Ok(())
}

/// Writes the values that are planned, and records all changes that are recorded.
fn apply_values(
    session: &Session<'_>,
    tx: &Tx<'_>,
    run: i64,
    plans: &mut [SectionPlan],
    reading: &Reading,
) -> Result<(), RunError> {
    let mut to_record = RECORDED_PLANS;
    for plan in plans {
        let Some(place) = plan.place.id else { continue };
        if !plan.stopped {
            plan.mark_applied();
            let applied = plan.changes.iter().filter(|c| c.status == ChangeStatus::Applied);
            let values = applied.map(|change| (change.product, change.after));
            tx.write_values(run, plan.section, place, values)?;
            session.check_interrupted()?;
        }
        let records = plan.changes.iter().filter(|change| {
            let is_for_good = change.status == ChangeStatus::Applied;
            if !is_for_good && to_record > 0 {
                to_record -= 1;
                return true;
            }
            is_for_good
        });
        let records = records.map(|change| record_of(plan, change, reading));
        tx.record_changes(run, plan.section, place, records)?;
        session.check_interrupted()?;
    }
    Ok(())
}

/// A change as it is recorded.
pub(super) fn record_of<'a>(
    plan: &'a SectionPlan,
    change: &'a plan::Change,
    reading: &'a Reading,
) -> ChangeRecord<'a> {
    let matched = &reading.matched;
    let is_self = change.item == super::matching::SELF;
    ChangeRecord {
        product: change.product,
        n: change.n.into(),
        before: change.before,
        after: change.after,
        status: change.status,
        item_id: (!is_self).then(|| matched.item_id(change.product, change.item)),
        message: plan.message(change),
    }
}

impl RunReport<'_> {
    /// A run of which there is nothing to say but its summary.
    pub(super) fn empty(summary: crate::model::RunSummary) -> RunReport<'static> {
        RunReport {
            summary,
            changes: Box::new(NoChanges),
            problems: Box::new(super::problem_log::ProblemLog::default()),
        }
    }
}
