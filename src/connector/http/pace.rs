//! How fast requests follow each other: evenly, and slower once the server has said that it is
//! too fast.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::around::Around;
use crate::model::Decimal;

/// The time between two requests after the first complaint, where there was none before.
const FIRST_INTERVAL: Duration = Duration::from_millis(200);
/// The most time between two requests, unless the config asks for more.
const MAX_INTERVAL: Duration = Duration::from_secs(5);
/// Of each success, this part of the slowness is taken back.
const RECOVERY: u32 = 10;
/// An interval as short as this is none.
const SHORTEST: Duration = Duration::from_millis(1);

/// The times at which requests may begin, for all threads of one client.
pub(super) struct Pace {
    /// The time between two requests as the config has it; zero: no limit.
    base: Duration,
    state: Mutex<State>,
}

struct State {
    interval: Duration,
    /// When the next request may begin.
    next: Instant,
    /// Before this nobody may begin, because the server asked for it.
    held: Instant,
    /// What began before this says nothing about the present pace.
    changed: Instant,
}

impl Pace {
    /// `None`: no limit.
    pub(super) fn new(per_second: Option<Decimal>) -> Pace {
        let micros = per_second.map_or(0, Decimal::micros);
        let base = match u64::try_from(micros) {
            Ok(micros) if micros > 0 => Duration::from_nanos(1_000_000_000_000_000 / micros),
            _ => Duration::ZERO,
        };
        let now = Instant::now();
        let state = State { interval: base, next: now, held: now, changed: now };
        Pace { base, state: Mutex::new(state) }
    }

    /// Waits until a request may begin. `false`: a signal asked to stop.
    pub(super) fn wait(&self, around: &Around) -> bool {
        loop {
            let now = Instant::now();
            let at = self.reserve(now);
            if !around.sleep(at.saturating_duration_since(now)) {
                return false;
            }
            // Held meanwhile: queue again, for all who wait would begin at once.
            if self.lock().held <= Instant::now() {
                return true;
            }
        }
    }

    fn reserve(&self, now: Instant) -> Instant {
        let mut state = self.lock();
        let at = now.max(state.next).max(state.held);
        state.next = at + state.interval;
        at
    }

    /// Nobody begins for so long.
    pub(super) fn hold(&self, duration: Duration) {
        let now = Instant::now();
        let mut state = self.lock();
        state.held = state.held.max(now.checked_add(duration).unwrap_or(now));
    }

    /// How long everybody is still held.
    pub(super) fn held_for(&self) -> Duration {
        self.lock().held.saturating_duration_since(Instant::now())
    }

    /// The server complained about a request that began then: halves the pace. `false` where that
    /// has been done since, for what was under way at once is one complaint.
    pub(super) fn slow_down(&self, began: Instant) -> bool {
        let mut state = self.lock();
        if began < state.changed {
            return false;
        }
        state.changed = Instant::now();
        let slower = (state.interval * 2).max(FIRST_INTERVAL);
        state.interval = slower.min(MAX_INTERVAL.max(self.base));
        true
    }

    /// A request that began then succeeded: a little faster again, to what the config has.
    /// `false` where it began before the pace was changed.
    pub(super) fn recover(&self, began: Instant) -> bool {
        let mut state = self.lock();
        if began < state.changed {
            return false;
        }
        let extra = state.interval.saturating_sub(self.base);
        let extra = extra - extra / RECOVERY;
        state.interval = if extra < SHORTEST { self.base } else { self.base + extra };
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(per_second: i64) -> Pace {
        Pace::new(Decimal::from_micros(per_second * 1_000_000))
    }

    fn interval(pace: &Pace) -> Duration {
        pace.lock().interval
    }

    #[test]
    fn requests_are_evenly_spaced() {
        let pace = pace(4);
        let now = Instant::now();
        let first = pace.reserve(now);
        for nth in 1..10 {
            assert_eq!(pace.reserve(now) - first, Duration::from_millis(250) * nth);
        }
        let later = first + Duration::from_secs(60);
        assert_eq!(pace.reserve(later), later, "time that nobody used is not caught up with");
        assert_eq!(pace.reserve(later), later + Duration::from_millis(250));
    }

    #[test]
    fn a_rate_may_be_less_than_one_a_second() {
        let pace = Pace::new(Decimal::from_micros(100_000));
        assert_eq!(interval(&pace), Duration::from_secs(10));
        pace.slow_down(Instant::now());
        assert_eq!(interval(&pace), Duration::from_secs(10));
    }

    #[test]
    fn complaints_at_once_slow_down_once_and_successes_recover() {
        let pace = pace(10);
        let began = Instant::now();
        assert!(pace.slow_down(began));
        assert!(!pace.slow_down(began));
        assert_eq!(interval(&pace), Duration::from_millis(200));
        assert!(!pace.recover(began), "it began before");
        let mut successes = 0;
        while interval(&pace) > Duration::from_millis(100) {
            assert!(pace.recover(Instant::now()));
            successes += 1;
        }
        assert!((20..100).contains(&successes), "{successes}");
    }

    #[test]
    fn without_a_limit_a_complaint_makes_one() {
        let pace = Pace::new(None);
        let now = Instant::now();
        assert_eq!(pace.reserve(now), pace.reserve(now));
        pace.slow_down(Instant::now());
        assert_eq!(interval(&pace), FIRST_INTERVAL);
        for _ in 0..100 {
            pace.slow_down(Instant::now());
        }
        assert_eq!(interval(&pace), MAX_INTERVAL);
    }

    #[test]
    fn nobody_begins_while_all_are_held() {
        let pace = pace(100);
        pace.hold(Duration::from_millis(200));
        let began = Instant::now();
        assert!(pace.wait(&Around::nobody()));
        assert!(began.elapsed() >= Duration::from_millis(190));
    }
}
