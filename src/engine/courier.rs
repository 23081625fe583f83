//! One batch on its way to a store: looked at once more where it was read long ago, sent, and what
//! was left without an answer read back and, where it is still needed, sent again. No inventory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::connector::{ConnectorError, Current, Outcome, Sent, Write, Writer};
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
pub(super) type Delivered = Sent;

/// A batch under way: what is known of each write so far.
struct Parcel<'b> {
    writes: &'b [Write],
    outcomes: Vec<Outcome>,
    stop: Option<ConnectorError>,
}

impl Courier<'_> {
    /// Delivers a batch: one outcome for each write.
    pub(super) fn deliver(&self, writes: &[Write]) -> Delivered {
        let outcomes = vec![Outcome::NotSent; writes.len()];
        let mut parcel = Parcel { writes, outcomes, stop: None };
        if !self.is_stopped() {
            let mut open: Vec<usize> = (0..writes.len()).collect();
            if self.is_stale() {
                open = self.look_again(&mut parcel, &open);
            }
            self.send_until_settled(&mut parcel, open);
        }
        Sent { outcomes: parcel.outcomes, stop: parcel.stop }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.interrupted.load(Ordering::Relaxed)
    }

    fn is_stale(&self) -> bool {
        self.writer.limits().fresh_for.is_some_and(|fresh| self.read_at.elapsed() > fresh)
    }

    /// Reads a batch right before it is sent: what changed meanwhile is left alone. What is left.
    fn look_again(&self, parcel: &mut Parcel<'_>, open: &[usize]) -> Vec<usize> {
        let Some(current) = self.read_back(parcel, open) else { return Vec::new() };
        let mut left = Vec::new();
        for (&at, current) in open.iter().zip(current) {
            let write = &parcel.writes[at];
            match current {
                Current::Value(now) if now == write.before => left.push(at),
                Current::Value(now) => {
                    parcel.outcomes[at] = Outcome::Skipped(changed(write, now));
                }
                Current::Gone(why) => parcel.outcomes[at] = Outcome::Refused(why),
            }
        }
        left
    }

    /// Sends, reads back what has no answer, sends again what the store does not have, in ever
    /// smaller pieces: one item that the store stumbles over must not take the others with it.
    fn send_until_settled(&self, parcel: &mut Parcel<'_>, mut open: Vec<usize>) {
        let mut size = open.len();
        let mut attempt = 0;
        while !open.is_empty() {
            let open_now = self.send(parcel, &open, size);
            if open_now.is_empty() || parcel.stop.is_some() {
                return;
            }
            attempt += 1;
            let goes_on = self.writer.pause(attempt);
            let still = self.settle(parcel, &open_now);
            if !goes_on {
                self.give_up(parcel, &still);
                return;
            }
            size = still.len().min(size).div_ceil(2);
            open = still;
        }
    }

    /// Sends in pieces of at most so many writes; those without an answer.
    fn send(&self, parcel: &mut Parcel<'_>, open: &[usize], size: usize) -> Vec<usize> {
        let mut unanswered = Vec::new();
        for piece in pieces(parcel.writes, open, size) {
            if parcel.stop.is_some() || self.interrupted.load(Ordering::Relaxed) {
                break;
            }
            let writes: Vec<Write> = piece.iter().map(|at| parcel.writes[*at].clone()).collect();
            let mut sent = self.writer.send(&writes);
            let missing = || Outcome::Uncertain("the answer has nothing of it".to_owned());
            sent.outcomes.resize_with(writes.len(), missing);
            for (&at, outcome) in piece.iter().zip(sent.outcomes) {
                if matches!(outcome, Outcome::Uncertain(_)) {
                    unanswered.push(at);
                }
                parcel.outcomes[at] = outcome;
            }
            parcel.stop = sent.stop;
        }
        unanswered
    }

    /// Settles what has no answer by what the store has now; those that it still has to be sent.
    fn settle(&self, parcel: &mut Parcel<'_>, open: &[usize]) -> Vec<usize> {
        let Some(current) = self.read_back(parcel, open) else { return Vec::new() };
        let mut left = Vec::new();
        for (&at, current) in open.iter().zip(current) {
            let write = &parcel.writes[at];
            match current {
                Current::Value(Some(now)) if now == write.after => {
                    parcel.outcomes[at] = Outcome::Applied;
                }
                Current::Value(now) if now == write.before => left.push(at),
                Current::Value(now) => parcel.outcomes[at] = Outcome::Skipped(changed(write, now)),
                Current::Gone(why) => parcel.outcomes[at] = Outcome::Refused(why),
            }
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

    /// What was tried often enough: the store has the values from before, so nothing is uncertain.
    fn give_up(&self, parcel: &mut Parcel<'_>, still: &[usize]) {
        let mut last = String::new();
        for &at in still {
            let write = &parcel.writes[at];
            let outcome = std::mem::replace(&mut parcel.outcomes[at], Outcome::NotSent);
            if let Outcome::Uncertain(why) = outcome {
                last = why;
            }
            parcel.outcomes[at] = Outcome::Refused(format!(
                "it was sent several times without a usable answer ({last}); read back, the store \
                 still has {}",
                shown(write.before)
            ));
        }
        let is_any_applied = parcel.outcomes.contains(&Outcome::Applied);
        if !still.is_empty() && !is_any_applied {
            let why = format!("the store gave no usable answer to anything that was sent ({last})");
            parcel.stop = Some(ConnectorError::temporary(why));
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
