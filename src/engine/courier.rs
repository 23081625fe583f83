//! One batch on its way to a store: looked at once more where it was read long ago, sent, and what
//! was left without an answer read back and, where it is still needed, sent again. No inventory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::connector::{ConnectorError, Current, Outcome, Write, Writer};
use crate::model::Decimal;

/// What the threads that send share.
pub(super) struct Courier<'a> {
    pub writer: &'a dyn Writer,
    /// When the store's values were read that the plan was made on.
    pub read_at: Instant,
    /// Nothing more is to be sent.
    pub stop: &'a AtomicBool,
    /// A signal asked to stop.
    pub interrupted: &'a AtomicBool,
}

/// What became of a batch in the end.
pub(super) struct Delivered {
    /// One for each write.
    pub outcomes: Vec<Outcome>,
    /// Why nothing more can be sent.
    pub stop: Option<ConnectorError>,
    /// Why some of it was not sent, although the rest goes on.
    pub failed: Option<ConnectorError>,
}

/// A batch under way: what is known of each write so far.
struct Parcel<'b> {
    writes: &'b [Write],
    outcomes: Vec<Outcome>,
    /// Why nothing more can be sent.
    stop: Option<ConnectorError>,
    /// Why some of it was not sent, although the rest goes on.
    failed: Option<ConnectorError>,
}

impl Courier<'_> {
    /// Delivers a batch: one outcome for each write.
    pub(super) fn deliver(&self, writes: &[Write]) -> Delivered {
        let outcomes = vec![Outcome::NotSent; writes.len()];
        let mut parcel = Parcel { writes, outcomes, stop: None, failed: None };
        if !self.is_stopped() {
            let mut open: Vec<usize> = (0..writes.len()).collect();
            if self.is_stale() {
                open = self.look_again(&mut parcel, &open);
            }
            self.send_until_settled(&mut parcel, open);
        }
        Delivered { outcomes: parcel.outcomes, stop: parcel.stop, failed: parcel.failed }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.interrupted.load(Ordering::Relaxed)
    }

    fn is_stale(&self) -> bool {
        self.writer.limits().fresh_for.is_some_and(|fresh| self.read_at.elapsed() > fresh)
    }

    /// Reads a batch right before it is sent: what changed meanwhile is left alone. What is left.
    fn look_again(&self, parcel: &mut Parcel<'_>, open: &[usize]) -> Vec<usize> {
        self.compare(parcel, open, |write, now| Outcome::Skipped(changed(write, now)))
    }

    /// Sends, reads back what has no answer, sends again what the store does not have, in ever
    /// smaller pieces: one item that the store stumbles over must not take the others with it.
    /// A round that got something through does not count as an attempt.
    fn send_until_settled(&self, parcel: &mut Parcel<'_>, mut open: Vec<usize>) {
        let mut size = open.len();
        let mut attempt = 0;
        while !open.is_empty() {
            let unanswered = self.send(parcel, &open, size);
            if unanswered.is_empty() || parcel.stop.is_some() {
                return;
            }
            let is_progress = unanswered.len() < open.len();
            attempt = if is_progress { 1 } else { attempt + 1 };
            let goes_on = self.writer.pause(attempt);
            let still = self.settle(parcel, &unanswered);
            if !goes_on || (is_progress && size == 1) {
                self.give_up(parcel, &still);
                return;
            }
            size = still.len().min(size).div_ceil(2);
            open = still;
        }
    }

    /// Sends in pieces of at most so many writes; those without an answer, also those that were not
    /// sent again because two pieces in a row had none.
    fn send(&self, parcel: &mut Parcel<'_>, open: &[usize], size: usize) -> Vec<usize> {
        let mut unanswered = Vec::new();
        let mut lost_in_a_row = 0;
        for piece in pieces(parcel.writes, open, size) {
            let is_over = parcel.stop.is_some() || self.interrupted.load(Ordering::Relaxed);
            if is_over || lost_in_a_row == 2 {
                unanswered.extend(piece);
                continue;
            }
            let writes: Vec<Write> = piece.iter().map(|at| parcel.writes[*at].clone()).collect();
            let mut sent = self.writer.send(&writes);
            let missing = || Outcome::Uncertain("the answer has nothing of it".to_owned());
            sent.outcomes.resize_with(writes.len(), missing);
            let before = unanswered.len();
            for (&at, outcome) in piece.iter().zip(sent.outcomes) {
                if matches!(outcome, Outcome::Uncertain(_)) {
                    unanswered.push(at);
                }
                parcel.outcomes[at] = outcome;
            }
            let is_lost = unanswered.len() - before == piece.len();
            lost_in_a_row = if is_lost { lost_in_a_row + 1 } else { 0 };
            parcel.stop = sent.stop;
        }
        unanswered
    }

    /// Settles what has no answer by what the store has now; those that it still has to be sent.
    fn settle(&self, parcel: &mut Parcel<'_>, open: &[usize]) -> Vec<usize> {
        self.compare(parcel, open, |write, now| match now {
            Some(now) if now == write.after => Outcome::Applied,
            _ => Outcome::Skipped(changed(write, now)),
        })
    }

    /// Reads writes back: those of which the store has the value from before; what has become of
    /// the others, by the other value that it has.
    fn compare(
        &self,
        parcel: &mut Parcel<'_>,
        open: &[usize],
        of_other: impl Fn(&Write, Option<Decimal>) -> Outcome,
    ) -> Vec<usize> {
        let Some(current) = self.read_back(parcel, open) else { return Vec::new() };
        let mut left = Vec::new();
        for (&at, current) in open.iter().zip(current) {
            let write = &parcel.writes[at];
            parcel.outcomes[at] = match current {
                Current::Value(now) if now == write.before => {
                    left.push(at);
                    continue;
                }
                Current::Value(now) => of_other(write, now),
                Current::Gone(why) => Outcome::Refused(why),
                Current::Held(why) => Outcome::HeldBack(why),
            };
        }
        left
    }

    fn read_back(&self, parcel: &mut Parcel<'_>, open: &[usize]) -> Option<Vec<Current>> {
        let writes: Vec<Write> = open.iter().map(|at| parcel.writes[*at].clone()).collect();
        match self.writer.read_back(&writes) {
            Ok(current) => Some(current),
            Err(why) => {
                parcel.stop = Some(why);
                None
            }
        }
    }

    /// What was tried often enough: the store has the values from before, so nothing is uncertain,
    /// and nobody refused it.
    fn give_up(&self, parcel: &mut Parcel<'_>, still: &[usize]) {
        let Some(&first) = still.first() else { return };
        let mut last = "no answer".to_owned();
        for &at in still {
            if let Outcome::Uncertain(why) =
                std::mem::replace(&mut parcel.outcomes[at], Outcome::NotSent)
            {
                last = why;
            }
        }
        let what = match still.len() {
            1 => format!("item {} was", parcel.writes[first].item_id),
            more => format!("{more} values, from item {} on, were", parcel.writes[first].item_id),
        };
        let why = ConnectorError::temporary(format!(
            "{what} sent several times without a usable answer ({last}); read back, the store still \
             has what it had. Push again later; if it stays so, look into the store's log for it"
        ));
        // Who takes other items is not down.
        match parcel.outcomes.contains(&Outcome::Applied) {
            true => parcel.failed = Some(why),
            false => parcel.stop = Some(why),
        }
    }
}

/// Cuts writes into pieces of at most `size`, never between the values of one item.
fn pieces(writes: &[Write], open: &[usize], size: usize) -> Vec<Vec<usize>> {
    let mut pieces: Vec<Vec<usize>> = Vec::new();
    for &at in open {
        let write = &writes[at];
        let is_same_item = |other: usize| {
            writes[other].item_id == write.item_id && writes[other].handle == write.handle
        };
        match pieces.last_mut() {
            Some(piece)
                if piece.len() < size || piece.last().is_some_and(|last| is_same_item(*last)) =>
            {
                piece.push(at);
            }
            _ => pieces.push(vec![at]),
        }
    }
    pieces
}

fn changed(write: &Write, now: Option<Decimal>) -> String {
    format!(
        "it changed at the store meanwhile: {} when it was read, {} now; it was left alone, the \
         next push decides",
        shown(write.before),
        shown(now)
    )
}

fn shown(value: Option<Decimal>) -> String {
    value.map_or_else(|| "no value".to_owned(), |value| value.to_string())
}

#[cfg(test)]
#[path = "courier_tests.rs"]
mod tests;
