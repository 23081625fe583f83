//! Sending plans to a store: cut into batches, each recorded before it leaves, several under way at
//! once, what came back recorded as it comes.
//!
//! This thread alone writes to the inventory; `courier` is what the threads that send do.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use super::Session;
use super::courier::{Courier, Delivered};
use super::plan::SectionPlan;
use super::pull::record_of;
use super::read::Reading;
use super::run::RunError;
use crate::connector::{Outcome, Write, Writer};
use crate::inventory::{ChangeKey, Inventory, Tx};
use crate::model::{Cell, ChangeStatus, Decimal, Direction};

/// Batches that are recorded ahead for each one that can be under way, so that no connection waits
/// for the disk.
const AHEAD: usize = 2;

/// One change of the plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    plan: usize,
    change: usize,
}

/// Changes that go out together, and what is asked of the store.
pub(super) struct Batch {
    changes: Vec<At>,
    pub writes: Vec<Write>,
}

/// What sending works with.
pub(super) struct Sending<'a> {
    pub session: &'a Session<'a>,
    pub inventory: &'a Inventory,
    pub run: i64,
    pub integration: i64,
    pub reading: &'a Reading,
    pub writer: &'a dyn Writer,
}

impl Sending<'_> {
    /// Sends everything that is planned. What was sent before a failure stays in the plans and the
    /// records.
    pub(super) fn send_all(&self, plans: &mut [SectionPlan]) -> Result<(), RunError> {
        let mut queue = self.in_order(plans);
        if queue.is_empty() {
            return Ok(());
        }
        let what = format!("sending {} changes", queue.len());
        self.session.progress.begin(&what, Some(queue.len() as u64));
        let (jobs, jobs_out) = channel();
        let (results_in, results) = channel();
        let jobs_out = Mutex::new(jobs_out);
        let courier = Courier {
            writer: self.writer,
            read_at: self.reading.read_at,
            stop: &AtomicBool::new(false),
            interrupted: &self.session.interrupted,
        };
        let sent = std::thread::scope(|scope| {
            for _ in 0..self.writer.limits().concurrency.max(1) {
                let (results, jobs, courier) = (results_in.clone(), &jobs_out, &courier);
                scope.spawn(move || work(courier, jobs, &results));
            }
            drop(results_in);
            let sent = self.keep_sending(plans, &mut queue, &jobs, &results, &courier);
            // Whatever ended it: the threads send nothing more.
            courier.stop.store(true, Ordering::Relaxed);
            drop(jobs);
            sent
        });
        self.session.progress.end();
        sent?;
        self.session.check_interrupted()
    }

    /// Records batches, hands them to the threads, records what they bring, until all is sent.
    fn keep_sending(
        &self,
        plans: &mut [SectionPlan],
        queue: &mut VecDeque<At>,
        jobs: &Sender<Batch>,
        results: &Receiver<(Batch, Delivered)>,
        courier: &Courier<'_>,
    ) -> Result<(), RunError> {
        let (mut under_way, mut done) = (0, 0);
        let mut back = Vec::new();
        let (mut failure, mut is_stopped) = (None, false);
        loop {
            let mut fresh = Vec::new();
            let room = self.writer.limits().concurrency.max(1) * AHEAD;
            while !is_stopped && !self.session.is_interrupted() && under_way + fresh.len() < room {
                match self.cut(queue, plans) {
                    Some(batch) => fresh.push(batch),
                    None => break,
                }
            }
            self.record(plans, std::mem::take(&mut back), &mut fresh)?;
            under_way += fresh.len();
            for batch in fresh {
                // The threads end after this one only.
                let _ = jobs.send(batch);
            }
            if under_way == 0 {
                return failure.map_or(Ok(()), Err);
            }
            let first = results.recv().map_err(|_| {
                RunError::new(crate::model::Exit::Failed, "the threads that send ended by a panic")
            })?;
            for (batch, delivered) in std::iter::once(first).chain(results.try_iter()) {
                under_way -= 1;
                done += batch.changes.len() as u64;
                self.session.progress.advance(done);
                if let Some(why) = delivered.stop {
                    courier.stop.store(true, Ordering::Relaxed);
                    is_stopped = true;
                    failure.get_or_insert(RunError::from(why));
                }
                if let Some(why) = delivered.failed {
                    failure.get_or_insert(RunError::from(why));
                }
                back.push((batch, delivered.outcomes));
            }
        }
    }

    /// What is planned, in the order of groups, handles and items: what belongs together at the
    /// store goes out together.
    fn in_order(&self, plans: &[SectionPlan]) -> VecDeque<At> {
        let matched = &self.reading.matched;
        let mut order = Vec::new();
        for (plan_at, plan) in plans.iter().enumerate().filter(|(_, plan)| !plan.stopped) {
            for (at, change) in plan.changes.iter().enumerate() {
                if change.status == ChangeStatus::Planned {
                    let handle = matched.handle(change.item);
                    let item_id = matched.item_id(change.product, change.item);
                    let group = self.writer.group(item_id, handle);
                    let item = (change.product, change.n);
                    order.push((group, handle, item, At { plan: plan_at, change: at }));
                }
            }
        }
        order.sort_by_key(|(group, handle, item, at)| (*group, *handle, *item, at.plan));
        order.into_iter().map(|(.., at)| at).collect()
    }

    /// The next batch: as many items of one group as the writer takes, each with all its values.
    fn cut(&self, queue: &mut VecDeque<At>, plans: &[SectionPlan]) -> Option<Batch> {
        let most = self.writer.limits().batch.unwrap_or(usize::MAX);
        let mut batch = Batch { changes: Vec::new(), writes: Vec::new() };
        let (mut items, mut last, mut group) = (0, None, None);
        while let Some(at) = queue.front().copied() {
            let change = &plans[at.plan].changes[at.change];
            let item = (change.product, change.n);
            let matched = &self.reading.matched;
            let item_id = matched.item_id(change.product, change.item);
            let its_group = self.writer.group(item_id, matched.handle(change.item));
            if *group.get_or_insert(its_group) != its_group {
                break;
            }
            if last != Some(item) {
                if items == most {
                    break;
                }
                items += 1;
                last = Some(item);
            }
            queue.pop_front();
            batch.changes.push(at);
            batch.writes.push(self.write_of(&plans[at.plan], at.change));
        }
        (items > 0).then_some(batch)
    }

    /// Records what came back and what is about to be sent, on the disk before the first byte of it
    /// leaves. What changed in the inventory since the plan was made is taken out of its batch.
    fn record(
        &self,
        plans: &mut [SectionPlan],
        back: Vec<(Batch, Vec<Outcome>)>,
        fresh: &mut Vec<Batch>,
    ) -> Result<(), RunError> {
        if back.is_empty() && fresh.is_empty() {
            return Ok(());
        }
        let tx = self.session.begin_write(self.inventory)?;
        for (batch, outcomes) in back {
            for (at, outcome) in batch.changes.iter().zip(outcomes) {
                self.record_outcome(&tx, &mut plans[at.plan], at.change, outcome)?;
            }
        }
        for batch in &mut *fresh {
            self.record_before_sending(&tx, plans, batch)?;
        }
        tx.commit()?;
        fresh.retain(|batch| !batch.writes.is_empty());
        Ok(())
    }

    fn record_outcome(
        &self,
        tx: &Tx<'_>,
        plan: &mut SectionPlan,
        at: usize,
        outcome: Outcome,
    ) -> Result<(), RunError> {
        let change = plan.changes[at];
        let key = ChangeKey {
            run: self.run,
            section: plan.section,
            place: plan.place.id.unwrap_or_default(),
            product: change.product,
            n: change.n.into(),
        };
        let Some((status, why)) = status_of(outcome) else {
            // It stays planned: as if it had never been about to be sent.
            return Ok(tx.forget_change(key)?);
        };
        plan.settle(at, status, why);
        if status == ChangeStatus::HeldBack {
            // It is recorded at the end, with all that was held back.
            return Ok(tx.forget_change(key)?);
        }
        tx.settle_change(key, status, plan.message(&plan.changes[at]))?;
        let known = match status {
            ChangeStatus::Applied => change.after,
            // Somebody else changed it since: the drift of later runs is measured by what was there.
            ChangeStatus::Skipped => change.before,
            _ => Cell::UNKNOWN,
        };
        if let Some(value) = known.get() {
            let item_id = self.reading.matched.item_id(change.product, change.item);
            let (section, at_store) = (plan.section, &plan.place.at_store);
            tx.confirm(self.run, self.integration, section, at_store, item_id, value)?;
        }
        Ok(())
    }

    fn record_before_sending(
        &self,
        tx: &Tx<'_>,
        plans: &mut [SectionPlan],
        batch: &mut Batch,
    ) -> Result<(), RunError> {
        for (plan_at, plan) in plans.iter_mut().enumerate() {
            let of_plan = batch.changes.iter().filter(|at| at.plan == plan_at);
            let changes: Vec<usize> = of_plan.map(|at| at.change).collect();
            let Some(place) = plan.place.id.filter(|_| !changes.is_empty()) else { continue };
            self.skip_what_moved(tx, plan, place, &changes)?;
            let plan = &*plan;
            let records = changes.iter().map(|at| {
                let change = &plan.changes[*at];
                let mut record = record_of(plan, change, self.reading);
                if change.status == ChangeStatus::Planned {
                    record.status = ChangeStatus::Sending;
                }
                record
            });
            tx.record_changes(self.run, plan.section, place, records)?;
        }
        let is_planned =
            |at: &At| plans[at.plan].changes[at.change].status == ChangeStatus::Planned;
        let mut kept = batch.changes.iter().map(is_planned);
        batch.writes.retain(|_| kept.next().unwrap_or_default());
        batch.changes.retain(is_planned);
        Ok(())
    }

    /// Who changed a value in the inventory meanwhile does not want the old one to be sent.
    fn skip_what_moved(
        &self,
        tx: &Tx<'_>,
        plan: &mut SectionPlan,
        place: i64,
        changes: &[usize],
    ) -> Result<(), RunError> {
        // An undo sends what was, not what the inventory has.
        if plan.direction == Direction::Off {
            return Ok(());
        }
        let stored = tx.places(plan.section)?.into_iter().find(|stored| stored.id == place);
        if stored.is_some_and(|stored| stored.revision == plan.place.revision) {
            return Ok(());
        }
        let column = self.reading.column(plan.section);
        for at in changes {
            let product = plan.changes[*at].product;
            let planned_on = column.map(|column| column.get(product));
            if Some(tx.value(plan.section, place, product)?) != planned_on {
                let why = "it changed in the inventory meanwhile; the next push sends it";
                plan.settle(*at, ChangeStatus::Skipped, Some(why.to_owned()));
            }
        }
        Ok(())
    }

    fn write_of(&self, plan: &SectionPlan, at: usize) -> Write {
        let change = &plan.changes[at];
        let matched = &self.reading.matched;
        Write {
            item_id: matched.item_id(change.product, change.item).to_owned(),
            handle: matched.handle(change.item).map(str::to_owned),
            section: plan.section,
            before: change.before.get(),
            // A plan to send never holds an unknown value.
            after: change.after.get().unwrap_or(Decimal::ZERO),
        }
    }
}

/// What a thread that sends does until there is nothing more.
fn work(
    courier: &Courier<'_>,
    jobs: &Mutex<Receiver<Batch>>,
    results: &Sender<(Batch, Delivered)>,
) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(batch) = job else { return };
        let delivered = courier.deliver(&batch.writes);
        if results.send((batch, delivered)).is_err() {
            return;
        }
    }
}

/// The status and message of an outcome; `None`: it was not sent.
fn status_of(outcome: Outcome) -> Option<(ChangeStatus, Option<String>)> {
    Some(match outcome {
        Outcome::Applied => (ChangeStatus::Applied, None),
        Outcome::Refused(why) => (ChangeStatus::Refused, Some(why)),
        Outcome::Skipped(why) => (ChangeStatus::Skipped, Some(why)),
        Outcome::HeldBack(why) => (ChangeStatus::HeldBack, Some(why)),
        Outcome::Uncertain(why) => (ChangeStatus::Uncertain, Some(why)),
        Outcome::NotSent => return None,
    })
}
