use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::connector::{Limits, Sent};
use crate::model::Section;

/// A store whose answers are scripted: what it has, and what happens to each batch that is sent.
struct Store {
    has: Mutex<BTreeMap<String, Decimal>>,
    /// One for each batch; afterwards all goes well.
    script: Mutex<Vec<Happens>>,
    /// The item that makes every batch fail that it is in.
    poison: Option<&'static str>,
    tries: u32,
    fresh_for: Option<Duration>,
    /// The ids of each batch that was sent.
    sent: Mutex<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Happens {
    LostBefore,
    LostAfter,
    Down,
}

impl Store {
    fn new(has: &[(&str, i64)]) -> Store {
        let has = has.iter().map(|(id, value)| ((*id).to_owned(), number(*value)));
        Store {
            has: Mutex::new(has.collect()),
            script: Mutex::new(Vec::new()),
            poison: None,
            tries: 5,
            fresh_for: None,
            sent: Mutex::new(Vec::new()),
        }
    }

    fn script(self, script: &[Happens]) -> Store {
        Store { script: Mutex::new(script.to_vec()), ..self }
    }

    fn set(&self, id: &str, value: i64) {
        self.has.lock().unwrap().insert(id.to_owned(), number(value));
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }

    fn deliver(&self, writes: &[Write]) -> Delivered {
        let (stop, interrupted) = (AtomicBool::new(false), AtomicBool::new(false));
        let read_at = Instant::now();
        Courier { writer: self, read_at, stop: &stop, interrupted: &interrupted }.deliver(writes)
    }
}

impl Writer for Store {
    fn limits(&self) -> Limits {
        Limits {
            batch: Some(100),
            concurrency: 1,
            fresh_for: self.fresh_for,
            price_decimals: None,
            quantity_decimals: None,
        }
    }

    fn send(&self, batch: &[Write]) -> Sent {
        let ids: Vec<_> = batch.iter().map(|write| write.item_id.as_str()).collect();
        self.sent.lock().unwrap().push(ids.join(" "));
        let mut script = self.script.lock().unwrap();
        let mut happens = (!script.is_empty()).then(|| script.remove(0));
        if self.poison.is_some_and(|poison| ids.contains(&poison)) {
            happens = Some(Happens::LostBefore);
        }
        if happens == Some(Happens::Down) {
            return Sent::nothing(batch.len(), ConnectorError::temporary("it is down"));
        }
        if happens != Some(Happens::LostBefore) {
            for write in batch {
                self.has.lock().unwrap().insert(write.item_id.clone(), write.after);
            }
        }
        let outcome = match happens {
            Some(_) => Outcome::Uncertain("it hung up".to_owned()),
            None => Outcome::Applied,
        };
        vec![outcome; batch.len()].into()
    }

    fn read_back(&self, batch: &[Write]) -> Result<Vec<Current>, ConnectorError> {
        let has = self.has.lock().unwrap();
        let current = |write: &Write| match has.get(&write.item_id) {
            Some(value) => Current::Value(Some(*value)),
            None => Current::Gone("it is gone".to_owned()),
        };
        Ok(batch.iter().map(current).collect())
    }

    fn pause(&self, attempt: u32) -> bool {
        attempt < self.tries
    }
}

fn number(value: i64) -> Decimal {
    Decimal::from_micros(value * 1_000_000).unwrap()
}

fn write(id: &str, before: i64, after: i64) -> Write {
    Write {
        item_id: id.to_owned(),
        handle: None,
        section: Section::Stock,
        before: Some(number(before)),
        after: number(after),
    }
}

fn words(outcomes: &[Outcome]) -> Vec<&'static str> {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Applied => "applied",
        Outcome::Refused(_) => "refused",
        Outcome::Skipped(_) => "skipped",
        Outcome::HeldBack(_) => "held back",
        Outcome::Uncertain(_) => "uncertain",
        Outcome::NotSent => "not sent",
    };
    outcomes.iter().map(word).collect()
}

#[test]
fn what_was_applied_before_the_answer_got_lost_is_not_sent_again() {
    let store = Store::new(&[("a", 1), ("b", 1)]).script(&[Happens::LostAfter]);
    let sent = store.deliver(&[write("a", 1, 5), write("b", 1, 6)]);
    assert_eq!(words(&sent.outcomes), ["applied", "applied"]);
    assert_eq!(store.sent(), ["a b"]);
}

#[test]
fn what_never_arrived_is_sent_again_in_smaller_pieces() {
    let store = Store::new(&[("a", 1), ("b", 1), ("c", 1)]).script(&[Happens::LostBefore]);
    let sent = store.deliver(&[write("a", 1, 5), write("b", 1, 6), write("c", 1, 7)]);
    assert_eq!(words(&sent.outcomes), ["applied"; 3]);
    assert_eq!(store.sent(), ["a b c", "a b", "c"]);
}

#[test]
fn one_item_that_the_store_stumbles_over_stops_no_other() {
    let mut store = Store::new(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)]);
    store.poison = Some("c");
    let writes = ["a", "b", "c", "d"].map(|id| write(id, 1, 5));
    let sent = store.deliver(&writes);
    assert_eq!(words(&sent.outcomes), ["applied", "applied", "not sent", "applied"]);
    assert!(sent.stop.is_none());
    let why = sent.failed.unwrap().message;
    assert!(
        why.starts_with("item c was sent several times") && why.contains("it hung up"),
        "{why}"
    );
}

#[test]
fn a_store_that_answers_nothing_stops_the_push() {
    let store = Store::new(&[("a", 1)]).script(&[Happens::LostBefore; 9]);
    let sent = store.deliver(&[write("a", 1, 5)]);
    assert_eq!(words(&sent.outcomes), ["not sent"]);
    assert!(sent.stop.is_some());
    assert_eq!(store.sent().len(), 5);
}

#[test]
fn what_somebody_changed_while_the_answer_was_missing_is_left_alone() {
    struct Sold(Store);
    impl Writer for Sold {
        fn limits(&self) -> Limits {
            self.0.limits()
        }
        fn send(&self, batch: &[Write]) -> Sent {
            let sent = self.0.send(batch);
            self.0.set("a", 4);
            sent
        }
        fn read_back(&self, batch: &[Write]) -> Result<Vec<Current>, ConnectorError> {
            self.0.read_back(batch)
        }
    }
    let store = Sold(Store::new(&[("a", 1)]).script(&[Happens::LostAfter]));
    let (stop, interrupted) = (AtomicBool::new(false), AtomicBool::new(false));
    let read_at = Instant::now();
    let courier = Courier { writer: &store, read_at, stop: &stop, interrupted: &interrupted };
    let sent = courier.deliver(&[write("a", 1, 5)]);
    let Outcome::Skipped(why) = &sent.outcomes[0] else { panic!("{:?}", sent.outcomes) };
    assert!(why.contains("1 when it was read, 4 now"), "{why}");
}

#[test]
fn what_was_read_long_ago_is_looked_at_once_more_before_it_is_sent() {
    let mut store = Store::new(&[("a", 1), ("b", 2)]);
    store.fresh_for = Some(Duration::ZERO);
    let sent = store.deliver(&[write("a", 1, 5), write("b", 1, 6), write("c", 1, 7)]);
    assert_eq!(words(&sent.outcomes), ["applied", "skipped", "refused"]);
    assert_eq!(store.sent(), ["a"]);
}

#[test]
fn a_store_that_is_down_leaves_the_batch_unsent() {
    let store = Store::new(&[("a", 1)]).script(&[Happens::Down]);
    let sent = store.deliver(&[write("a", 1, 5)]);
    assert_eq!(words(&sent.outcomes), ["not sent"]);
    assert!(sent.stop.is_some());
}

#[test]
fn the_values_of_one_item_are_never_parted() {
    let both = |id: &str| [write(id, 1, 5), Write { section: Section::Prices, ..write(id, 1, 5) }];
    let writes: Vec<_> = ["a", "b", "c"].iter().flat_map(|id| both(id)).collect();
    let all: Vec<usize> = (0..6).collect();
    assert_eq!(pieces(&writes, &all, 3), [vec![0, 1, 2, 3], vec![4, 5]]);
    assert_eq!(pieces(&writes, &all, 1), [vec![0, 1], vec![2, 3], vec![4, 5]]);
}
