//! A push: the inventory is superior, its values are sent to the store.
//!
//! What an earlier run left uncertain is settled first, by what was read. `send` sends the plans.

use rustc_hash::FxHashMap;

use super::guards::Limits;
use super::links_copy::adopt;
use super::matching::{Delivered, Matched};
use super::part::{AllPlanned, Planned, Source};
use super::plan::{self, Elsewhere, Rules, SectionPlan, SendRules};
use super::problem_log::About;
use super::pull::{
    Kept, apply_links, check_not_empty, empty_plan, record_of, record_places, sections,
};
use super::read::{Opened, Reading, match_rules, read};
use super::run::{IfMissing, OpenRun, RunError, Start, in_run};
use super::send::Sending;
use super::undo::{is_left_out, plan_of};
use super::{Session, Sink, UsageError};
use crate::config::{Integration, SectionSettings};
use crate::connector::{Want, Writer};
use crate::inventory::{
    AppliedChange, Column, Durability, Inventory, ProductId, Purpose, RECORDED_PLANS, Side,
    Standing, Tx, UnsettledChange,
};
use crate::model::{
    Cell, ChangeStatus, Command, Direction, Exit, Guard, ProblemKind, RunSummary, Section,
};

const SENT: &str = "What was sent before is recorded, the rest was not sent";

/// Pushes one integration, planning on `kept` where that is still what the store has.
pub(super) fn push(
    session: &Session<'_>,
    integration: &Integration,
    sources: &[Source<'_>],
    kept: Option<Kept>,
    sink: Sink<'_>,
) -> anyhow::Result<Exit> {
    let inventory = session.open(IfMissing::Refuse)?;
    let kept = kept.filter(|kept| is_current(session, &inventory, integration, kept));
    let worked_on = sections(session, integration, Direction::Send);
    let purpose = Purpose {
        sections: worked_on.iter().map(|(section, _)| *section).collect(),
        at_store: true,
        ..Purpose::default()
    };
    let start = Start {
        inventory: &inventory,
        integration: Some(&integration.name),
        command: Command::Push,
        purpose: &purpose,
        state: "Nothing was sent",
    };
    let work = |run: &mut OpenRun<'_>| run_push(session, integration, sources, run, kept);
    in_run(session, start, sink, work, |summary, pushed, sink| {
        let Some(pushed) = pushed else {
            session.progress.note(&format!("{}: nothing was sent", integration.name));
            return Ok(Exit::Done);
        };
        sink(&pushed.planned.report(&inventory, summary))?;
        Ok(pushed.exit)
    })
}

/// Whether nobody else has had the integration's lock since its pull read it.
fn is_current(
    session: &Session<'_>,
    inventory: &Inventory,
    integration: &Integration,
    kept: &Kept,
) -> bool {
    if session.options.dry_run {
        return true;
    }
    let newest = inventory.begin_read().and_then(|tx| match tx.integration(&integration.name)? {
        Some(id) => tx.newest_run(id),
        None => Ok(None),
    });
    matches!(newest, Ok(newest) if newest == kept.run_id)
}

/// Puts back at the store what a push sent there, the way a push goes.
pub(super) fn undo(
    session: &Session<'_>,
    inventory: &Inventory,
    id: i64,
    undone: &RunSummary,
    sink: Sink<'_>,
) -> anyhow::Result<Exit> {
    let name = undone.integration.as_deref().unwrap_or_default();
    let Some(integration) = session.config.integration(name) else {
        let message = format!("run {id} was a push to {name}, which the config does not have");
        return Err(UsageError(message).into());
    };
    // Also what is uncertain may turn out to have been applied.
    let sections = inventory.begin_read()?.purpose(id)?.sections;
    session.read_links_files(&[integration])?;
    let sources = session.connect(integration, &sections)?;
    let purpose = Purpose { sections, undoes: Some(id), at_store: true, pruned: false };
    let start = Start {
        inventory,
        integration: Some(name),
        command: Command::Undo,
        purpose: &purpose,
        state: "Nothing was sent",
    };
    let work = |run: &mut OpenRun<'_>| run_undo(session, integration, &sources, run, &purpose);
    in_run(session, start, sink, work, |summary, pushed, sink| {
        if pushed.planned.plans().any(|plan| !plan.changes.is_empty()) {
            session.progress.note(&format!(
                "the inventory is superior for {name}: the next push sends its values again, \
                 unless they are put right in the inventory or the section's direction is \"off\""
            ));
        }
        sink(&pushed.planned.report(inventory, summary))?;
        Ok(pushed.exit)
    })
}

fn run_undo(
    session: &Session<'_>,
    integration: &Integration,
    sources: &[Source<'_>],
    run: &mut OpenRun<'_>,
    purpose: &Purpose,
) -> Result<Pushed, RunError> {
    let undoes = purpose.undoes.unwrap_or_default();
    check_places(session, run, sources, undoes)?;
    let mut read = Vec::new();
    for source in sources {
        let mut sections = purpose.sections.clone();
        sections.retain(|section| source.part.sections.contains(section));
        let reading = read_store(session, integration, source, run, &sections, &[])?;
        read.push((source, sections, reading));
    }
    let mut push = Push::begin(session, integration, run)?;
    for (source, sections, reading) in &read {
        push.settle(source, reading, sections)?;
    }
    let mut ready = Vec::new();
    let mut earlier: Vec<&Source<'_>> = Vec::new();
    for (source, _, mut reading) in read {
        let writer = writer(source, &reading)?;
        let plans = push.plan_undo(undoes, source, &reading)?;
        if let (false, Some(undo)) = (session.options.dry_run, push.run.summary.run_id) {
            let tx = session.begin_write(push.run.inventory)?;
            record_places(&tx, undo, &plans)?;
            record_unsent(&tx, undo, &plans, &reading, &[ChangeStatus::Skipped])?;
            tx.commit()?;
        }
        reading.matched.problems = super::problem_log::ProblemLog::default();
        let is_repeated = source.repeats(&earlier);
        ready.push(Ready { planned: Planned { reading, plans, is_repeated }, writer });
        earlier.push(source);
    }
    push.send_and_finish(ready)
}

/// What was sent to one place at the store cannot be put back at another.
fn check_places(
    session: &Session<'_>,
    run: &OpenRun<'_>,
    sources: &[Source<'_>],
    undoes: i64,
) -> Result<(), RunError> {
    let tx = run.inventory.begin_read()?;
    for (section, at_store) in tx.applied_places(undoes)? {
        let is_left_out = session.options.only.is_some_and(|only| only != section);
        if is_left_out || sources.iter().any(|source| source.has(section, &at_store)) {
            continue;
        }
        let named: Vec<_> =
            at_store.iter().map(|(kind, named)| format!("{} \"{named}\"", kind.shown())).collect();
        let sent_to = match named.is_empty() {
            true => "where the config named no place at the store".to_owned(),
            false => format!("to the {}", named.join(", ")),
        };
        return Err(RunError::new(
            Exit::Usage,
            format!(
                "run {undoes} sent its {} {sent_to}, which is not what the config says now: put \
                 it back into the config to undo that run",
                section.word()
            ),
        ));
    }
    Ok(())
}

/// A source whose changes are planned, about to be sent.
struct Ready {
    planned: Planned,
    writer: Box<dyn Writer>,
}

struct Pushed {
    planned: AllPlanned,
    exit: Exit,
}

fn run_push(
    session: &Session<'_>,
    integration: &Integration,
    sources: &[Source<'_>],
    run: &mut OpenRun<'_>,
    kept: Option<Kept>,
) -> Result<Option<Pushed>, RunError> {
    let mut kept = kept.map(|kept| kept.readings).unwrap_or_default();
    let mut read = Vec::new();
    for source in sources {
        let sections = source.sections(session, integration, Direction::Send);
        let words: Vec<Section> = sections.iter().map(|(section, _)| *section).collect();
        if sections.is_empty() {
            continue;
        }
        let at = kept.iter().position(|(key, _)| *key == source.part.key);
        let reading = match at.map(|at| kept.swap_remove(at)) {
            Some((_, reading)) => reload(session, run, &sections, reading)?,
            None => read_store(session, integration, source, run, &words, &sections)?,
        };
        check_not_empty(integration, &reading)?;
        read.push((source, sections, words, reading));
    }
    let mut push = Push::begin(session, integration, run)?;
    let mut elsewhere = Elsewhere::default();
    for (source, _, words, reading) in &read {
        elsewhere.extend(push.settle(source, reading, words)?);
    }
    let mut ready = Vec::new();
    let mut earlier: Vec<&Source<'_>> = Vec::new();
    if let (Some(file), Some((.., first))) = (session.links_file(integration)?, read.first_mut()) {
        let matched = &mut first.matched;
        file.report(Some(&matched.products), &session.options.skus, &mut matched.problems);
    }
    for (source, sections, _, mut reading) in read {
        let is_repeated = source.repeats(&earlier);
        if is_repeated {
            // The other source of these items has the same new links.
            reading.matched.forget_new();
        }
        let writer = writer(source, &reading)?;
        let plans = push.plan(&mut reading, &sections, writer.as_ref(), &elsewhere)?;
        push.report_broken_links(&mut reading);
        session.onlooker.show(&reading, &plans)?;
        ready.push(Ready { planned: Planned { reading, plans, is_repeated }, writer });
        earlier.push(source);
    }
    let Some(ready) = push.confirmed(ready)? else { return Ok(None) };
    if !session.options.dry_run {
        for Ready { planned: Planned { reading, plans, .. }, .. } in &ready {
            push.keep_links(reading, plans)?;
        }
    }
    push.send_and_finish(ready).map(Some)
}

fn writer(source: &Source<'_>, reading: &Reading) -> Result<Box<dyn Writer>, RunError> {
    source
        .connector
        .writer(&reading.delivery)?
        .ok_or_else(|| RunError::new(Exit::Failed, "this integration cannot be written"))
}

fn read_store(
    session: &Session<'_>,
    integration: &Integration,
    source: &Source<'_>,
    run: &OpenRun<'_>,
    wanted: &[Section],
    sections: &[(Section, &SectionSettings)],
) -> Result<Reading, RunError> {
    session.progress.begin(&format!("reading {}", integration.name), None);
    let wants = |section| wanted.contains(&section);
    let want = Want { stock: wants(Section::Stock), prices: wants(Section::Prices), names: false };
    let opened = Opened::by(source.connector.as_ref(), want)?;
    session.check_interrupted()?;
    let tx = run.inventory.begin_read()?;
    let places = places_of(session, &tx, sections)?;
    let rules = match_rules(session, integration, false)?;
    let reading = read(session, &tx, run.integration_id, rules, &places, opened);
    session.progress.end();
    reading
}

fn places_of(
    session: &Session<'_>,
    tx: &Tx<'_>,
    sections: &[(Section, &SectionSettings)],
) -> Result<Vec<(Section, Option<i64>)>, RunError> {
    let of = |(section, settings): &(Section, &SectionSettings)| {
        let plan = empty_plan(session, tx, *section, settings)?;
        Ok((*section, plan.place.id))
    };
    sections.iter().map(of).collect()
}

/// What the pull of the same `sync` read, with the values that the inventory has now.
fn reload(
    session: &Session<'_>,
    run: &OpenRun<'_>,
    sections: &[(Section, &SectionSettings)],
    mut reading: Reading,
) -> Result<Reading, RunError> {
    let tx = run.inventory.begin_read()?;
    let places = places_of(session, &tx, sections)?;
    reading.columns = tx.columns(&places)?;
    reading.sections = places.iter().map(|(section, _)| *section).collect();
    // The pull has reported, kept and made them.
    reading.matched.problems = super::problem_log::ProblemLog::default();
    reading.matched.forget_new();
    Ok(reading)
}

struct Push<'p, 'r> {
    session: &'p Session<'p>,
    integration: &'p Integration,
    run: &'p mut OpenRun<'r>,
}

impl<'p, 'r> Push<'p, 'r> {
    fn begin(
        session: &'p Session<'p>,
        integration: &'p Integration,
        run: &'p mut OpenRun<'r>,
    ) -> Result<Push<'p, 'r>, RunError> {
        if !session.options.dry_run {
            // The journal must be on the disk before a byte leaves.
            run.inventory.set_durability(Durability::Synced)?;
        }
        Ok(Push { session, integration, run })
    }
}

impl Push<'_, '_> {
    /// Settles what earlier runs left without an answer in these sections, by what the store has
    /// now.
    fn settle(
        &self,
        source: &Source<'_>,
        reading: &Reading,
        sections: &[Section],
    ) -> Result<Elsewhere, RunError> {
        let mut elsewhere = Elsewhere::default();
        let Some(integration) = self.run.integration_id.filter(|_| !self.session.options.dry_run)
        else {
            return Ok(elsewhere);
        };
        let tx = self.session.begin_write(self.run.inventory)?;
        let mut unsettled = tx.unsettled(integration)?;
        unsettled.retain(|change| {
            sections.contains(&change.key.section)
                && source.has(change.key.section, &change.at_store)
        });
        if unsettled.is_empty() {
            return Ok(elsewhere);
        }
        source.connector.make_durable()?;
        let matched = &reading.matched;
        let read: FxHashMap<&str, &Delivered> = matched
            .linked()
            .map(|(product, _, slot)| (matched.item_id(product, slot.item), slot))
            .collect();
        let mut settled = 0_usize;
        for change in &unsettled {
            let Some(slot) = read.get(change.item_id.as_str()) else { continue };
            let now = slot.value(change.key.section);
            let verdict = Verdict::of(change, now);
            tx.settle_change(change.key, verdict.status(), Some(verdict.words()))?;
            let known = match verdict {
                Verdict::Ours => now.get(),
                Verdict::Old => None,
                // What was there before is what drift is measured by.
                Verdict::Another => change.before.get().or(change.after.get()),
            };
            if let Some(value) = known {
                let run = change.key.run;
                let (section, item_id) = (change.key.section, &change.item_id);
                tx.confirm(run, integration, section, &change.at_store, item_id, value)?;
            }
            if verdict == Verdict::Another {
                elsewhere.insert((change.key.section, change.item_id.clone()));
            }
            settled += 1;
        }
        let mut runs: Vec<i64> = unsettled.iter().map(|change| change.key.run).collect();
        runs.dedup();
        for run in runs {
            tx.recount(run)?;
        }
        tx.commit()?;
        self.session.progress.note(&format!(
            "{}: settled {settled} of {} changes that an earlier run had sent without an answer",
            self.integration.name,
            unsettled.len()
        ));
        Ok(elsewhere)
    }

    fn plan(
        &mut self,
        reading: &mut Reading,
        sections: &[(Section, &SectionSettings)],
        writer: &dyn Writer,
        elsewhere: &Elsewhere,
    ) -> Result<Vec<SectionPlan>, RunError> {
        let tx = self.run.inventory.begin_read()?;
        let mut problems = std::mem::take(&mut reading.matched.problems);
        let mut plans = Vec::new();
        let allow = &self.session.options.allow;
        for ((section, settings), column) in sections.iter().zip(&reading.columns) {
            let plan = empty_plan(self.session, &tx, *section, settings)?;
            let confirmed = match self.run.integration_id {
                Some(id) => tx.confirmed(id, *section, &settings.places)?,
                None => FxHashMap::default(),
            };
            let limits = Limits { settings: &settings.guard, allow };
            let store = writer.limits();
            let send = SendRules {
                settings,
                decimals: match section {
                    Section::Prices => store.price_decimals,
                    _ => store.quantity_decimals,
                },
                confirmed: &confirmed,
                allow_drift: allow.contains(&Guard::OnDrift),
                elsewhere,
            };
            let rules = Rules { limits: &limits, was_known: None };
            let mut plan = plan::send(plan, &reading.matched, column, &rules, &send, &mut problems);
            let verdicts = limits.judge_section(&mut plan, false);
            self.run.summary.guards.extend(verdicts);
            plans.push(plan);
        }
        reading.matched.problems = problems;
        Ok(plans)
    }

    /// Linked items that the store does not have any more, where there is a value to send.
    fn report_broken_links(&self, reading: &mut Reading) {
        if !reading.delivery.complete {
            return;
        }
        let has_value = |product: ProductId| {
            reading.columns.iter().any(|column: &Column| column.get(product).get().is_some())
        };
        let wanted = |product: ProductId| {
            reading.matched.only.as_ref().is_none_or(|only| only.contains(product))
        };
        let broken: Vec<(String, String)> = reading
            .matched
            .absent_links()
            .into_iter()
            .filter(|(_, product)| has_value(*product) && wanted(*product))
            .map(|(item, product)| {
                (item.to_owned(), reading.matched.products.sku(product).to_owned())
            })
            .collect();
        for (item_id, sku) in broken {
            let about = About { item_id: Some(&item_id), sku: Some(&sku), line: 0 };
            let message = "it is linked, but the store does not have it any more; its values were \
                           not sent. Remove the link (`invsync link remove`), or put the item back";
            reading.matched.problems.add(ProblemKind::BrokenLink, about, message);
        }
    }

    /// Asks whether to send what is planned, where somebody is to be asked. `None`: no, and then it
    /// is as if the run had never been.
    fn confirmed(&self, ready: Vec<Ready>) -> Result<Option<Vec<Ready>>, RunError> {
        let confirm = self.session.confirm.as_ref().filter(|_| !self.session.options.dry_run);
        let Some(confirm) = confirm else { return Ok(Some(ready)) };
        let (planned, writers): (Vec<_>, Vec<_>) =
            ready.into_iter().map(|ready| (ready.planned, ready.writer)).unzip();
        let planned = AllPlanned::of(planned);
        let to_send = planned.plans().filter(|plan| !plan.stopped);
        let changes = to_send.map(|plan| plan.count(ChangeStatus::Planned)).sum();
        let mut summary = RunSummary { dry_run: true, ..self.run.summary.clone() };
        planned.summarise(&mut summary, &planned.ending(false));
        let is_yes = changes == 0
            || confirm
                .confirm(&planned.report(self.run.inventory, &summary), changes)
                .map_err(|_| RunError::new(Exit::Interrupted, "interrupted by a signal"))?;
        if is_yes {
            let ready = planned.0.into_iter().zip(writers);
            return Ok(Some(ready.map(|(planned, writer)| Ready { planned, writer }).collect()));
        }
        if let Some(run) = self.run.summary.run_id {
            let tx = self.session.begin_write(self.run.inventory)?;
            tx.forget_run(run)?;
            tx.commit()?;
        }
        Ok(None)
    }

    /// Keeps the new links, and what is left alone already.
    fn keep_links(&self, reading: &Reading, plans: &[SectionPlan]) -> Result<(), RunError> {
        if let (Some(run), Some(integration)) = (self.run.summary.run_id, self.run.integration_id) {
            let tx = self.session.begin_write(self.run.inventory)?;
            apply_links(&tx, run, integration, reading)?;
            adopt(self.session, self.integration, &tx, self.run, &reading.matched.products)?;
            record_places(&tx, run, plans)?;
            record_unsent(&tx, run, plans, reading, &[ChangeStatus::Skipped])?;
            tx.commit()?;
        }
        Ok(())
    }

    /// Sends what every source's plan holds, and ends the run. What was sent before a failure stays
    /// in the plans, the report and the records; nothing is sent after it.
    fn send_and_finish(&mut self, mut ready: Vec<Ready>) -> Result<Pushed, RunError> {
        let mut failure = None;
        if let (false, Some(run), Some(integration)) =
            (self.session.options.dry_run, self.run.summary.run_id, self.run.integration_id)
        {
            let (inventory, session) = (self.run.inventory, self.session);
            let sent = ready.iter_mut().try_for_each(|Ready { planned, writer }| {
                let Planned { reading, plans, .. } = planned;
                let writer = writer.as_ref();
                Sending { session, inventory, run, integration, reading, writer }.send_all(plans)
            });
            failure = sent.err();
        }
        let planned = AllPlanned::of(ready.into_iter().map(|ready| ready.planned));
        let exit = self.finish(&planned, failure.as_ref())?;
        Ok(Pushed { planned, exit })
    }

    /// Plans what is still as the push left it at the store to become what it was before.
    fn plan_undo(
        &self,
        id: i64,
        source: &Source<'_>,
        reading: &Reading,
    ) -> Result<Vec<SectionPlan>, RunError> {
        let Some(integration) = self.run.integration_id else { return Ok(Vec::new()) };
        let tx = self.run.inventory.begin_read()?;
        let matched = &reading.matched;
        let slots: FxHashMap<&str, &Delivered> = matched
            .linked()
            .map(|(product, _, slot)| (matched.item_id(product, slot.item), slot))
            .collect();
        let mut plans: Vec<SectionPlan> = Vec::new();
        for change in tx.applied_changes(id)? {
            if !source.has(change.section, &change.at_store)
                || is_left_out(self.session, &change, &matched.products)
            {
                continue;
            }
            let standing = tx.standing(id, Side::Store(integration), &change)?;
            if standing == Standing::Undone {
                continue;
            }
            let at = plan_of(&tx, &mut plans, &change)?;
            let own = matched.products.sku(change.product);
            let slot = slots.get(change.item_id.as_deref().unwrap_or(own));
            let now = slot.map_or(Cell::UNKNOWN, |slot| slot.value(change.section));
            let item = slot.map_or(super::matching::SELF, |slot| slot.item);
            plans[at].add(change.product, item, change.n, now, change.before);
            let ends_sale = || self.ends_sale(&change, matched);
            if let Some(why) = why_not(&change, standing, slot.is_some(), now).or_else(ends_sale) {
                plans[at].settle_last(ChangeStatus::Skipped, why);
            }
        }
        Ok(plans)
    }

    /// Why the store would end a sale on putting a price back; `None`: it would not, or it may.
    fn ends_sale(&self, change: &AppliedChange, matched: &Matched) -> Option<String> {
        let own = matched.products.sku(change.product);
        let bound = matched.sale_bounds.get(change.item_id.as_deref().unwrap_or(own))?;
        let is_price = change.section == Section::Prices;
        let price = change.before.get().filter(|_| is_price)?;
        let guard = Guard::WouldEndSale;
        let why =
            bound.objection(price).filter(|_| !self.session.options.allow.contains(&guard))?;
        let word = guard.word();
        Some(format!("{why} ({word}); it was left as it is. Accept it with --allow {word}"))
    }

    /// Records held-back changes, problems, newly confirmed values and the end of the run.
    fn finish(
        &mut self,
        planned: &AllPlanned,
        failure: Option<&RunError>,
    ) -> Result<Exit, RunError> {
        let ending = planned.ending(false);
        planned.summarise(&mut self.run.summary, &ending);
        let absent = |planned: &Planned| planned.reading.matched.absent_links().len() as u64;
        let counted = planned.0.iter().filter(|planned| !planned.is_repeated);
        self.run.summary.missing = counted.map(absent).sum();
        if let Some(failure) = failure {
            let is_sent = |status| planned.plans().any(|plan| plan.count(status) > 0);
            let sent = [ChangeStatus::Applied, ChangeStatus::Refused, ChangeStatus::Uncertain];
            let state = if sent.into_iter().any(is_sent) { SENT } else { "Nothing was sent" };
            self.run.note_failure(failure, state);
        }
        if ending.uncertain > 0 {
            self.session.progress.note(&format!(
                "{}: of {} changes nobody knows whether they were applied; push again: the next push \
                 settles them first, by reading",
                self.integration.name, ending.uncertain
            ));
        }
        let summary = &self.run.summary;
        if let (false, Some(run), Some(integration)) =
            (self.session.options.dry_run, summary.run_id, self.run.integration_id)
        {
            let tx = self.session.begin_write(self.run.inventory)?;
            let not_sent = [ChangeStatus::Planned, ChangeStatus::HeldBack];
            for Planned { reading, plans, .. } in &planned.0 {
                record_unsent(&tx, run, plans, reading, &not_sent)?;
                for plan in plans {
                    for (product, item, value) in &plan.confirmed {
                        let item_id = reading.matched.item_id(*product, *item);
                        let at_store = &plan.place.at_store;
                        tx.confirm(run, integration, plan.section, at_store, item_id, *value)?;
                    }
                }
            }
            tx.record_problems(run, &mut planned.problems(), &planned.problem_counts())?;
            tx.finish_run(run, summary)?;
            tx.commit()?;
        }
        let differs = self.session.options.exit_code && summary.changed.total() > 0;
        let exit = ending.exit().max(failure.map_or(Exit::Done, |failure| failure.exit));
        Ok(if differs { exit.max(Exit::Differences) } else { exit })
    }
}

/// Records changes that were never sent, the first of them.
fn record_unsent(
    tx: &Tx<'_>,
    run: i64,
    plans: &[SectionPlan],
    reading: &Reading,
    statuses: &[ChangeStatus],
) -> Result<(), RunError> {
    let mut to_record = RECORDED_PLANS;
    for plan in plans {
        let Some(place) = plan.place.id else { continue };
        let unsent = plan.changes.iter().filter(|change| statuses.contains(&change.status));
        let unsent: Vec<_> = unsent.take(to_record).collect();
        to_record -= unsent.len();
        let records = unsent.into_iter().map(|change| record_of(plan, change, reading));
        tx.record_changes(run, plan.section, place, records)?;
    }
    Ok(())
}

/// Why a change of a push cannot be put back at the store; `None`: it can.
fn why_not(
    change: &AppliedChange,
    standing: Standing,
    is_there: bool,
    now: Cell,
) -> Option<String> {
    if let Standing::ChangedBy(later) = standing {
        return Some(format!("run {later} changed it since; it was left as it is"));
    }
    if !is_there {
        return Some("the store does not have the item any more".to_owned());
    }
    if now != change.after {
        return Some(
            "the store's value is not the one that was sent; it was left as it is".to_owned(),
        );
    }
    if change.before == Cell::UNKNOWN {
        let why = "it was unknown before; a store's value cannot be made unknown again";
        return Some(why.to_owned());
    }
    None
}

/// What became of a change that was sent without an answer, by the value that the store has now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ours,
    Old,
    Another,
}

impl Verdict {
    fn of(change: &UnsettledChange, now: Cell) -> Verdict {
        match now {
            now if now == change.after => Verdict::Ours,
            now if now == change.before => Verdict::Old,
            _ => Verdict::Another,
        }
    }

    fn status(self) -> ChangeStatus {
        match self {
            Verdict::Ours => ChangeStatus::Applied,
            Verdict::Old | Verdict::Another => ChangeStatus::Skipped,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Verdict::Ours => "settled later: the store has the value that was sent",
            Verdict::Old => "settled later: the store still has the value from before",
            Verdict::Another => "settled later: somebody else changed the value at the store",
        }
    }
}
