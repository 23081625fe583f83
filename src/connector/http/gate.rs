//! How many requests are under way at once: at most what the config has, fewer once the server
//! has said that it is too much.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::around::Around;

/// How long a wait goes on before it looks again whether it is to stop.
const GLANCE: Duration = Duration::from_millis(50);
/// So many successes let one more in.
const RECOVERY: u32 = 10;

/// The gate that every request passes.
pub(super) struct Gate {
    most: usize,
    state: Mutex<State>,
    left: Condvar,
}

struct State {
    under_way: usize,
    limit: usize,
    successes: u32,
}

/// One request is under way as long as this lives.
pub(super) struct Permit<'a>(&'a Gate);

impl Gate {
    pub(super) fn new(most: usize) -> Gate {
        let state = State { under_way: 0, limit: most, successes: 0 };
        Gate { most, state: Mutex::new(state), left: Condvar::new() }
    }

    /// How many may ever be under way at once.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Waits for a place. `None`: a signal asked to stop.
    pub(super) fn enter(&self, around: &Around) -> Option<Permit<'_>> {
        let mut state = self.lock();
        while state.under_way >= state.limit {
            if around.is_interrupted() {
                return None;
            }
            let waited = self.left.wait_timeout(state, GLANCE);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.under_way += 1;
        Some(Permit(self))
    }

    /// Half as many from now on.
    pub(super) fn narrow(&self) {
        let mut state = self.lock();
        state.limit = (state.limit / 2).max(1);
        state.successes = 0;
    }

    /// A request succeeded: now and then one more may pass.
    pub(super) fn recover(&self) {
        let mut state = self.lock();
        if state.limit == self.most {
            return;
        }
        state.successes += 1;
        if state.successes == RECOVERY {
            state.limit += 1;
            state.successes = 0;
            self.left.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.lock().under_way -= 1;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn it_narrows_by_half_and_widens_one_by_one() {
        let gate = Gate::new(5);
        let limit = || gate.lock().limit;
        gate.narrow();
        assert_eq!(limit(), 2);
        gate.narrow();
        gate.narrow();
        assert_eq!(limit(), 1);
        for successes in 1..=100 {
            gate.recover();
            assert_eq!(limit(), (1 + successes / 10).min(5), "{successes}");
        }
    }

    #[test]
    fn a_place_is_free_again_when_its_request_ends() {
        let around = Around::nobody();
        let gate = Gate::new(1);
        drop(gate.enter(&around));
        let _permit = gate.enter(&around).unwrap();
        around.interrupted.store(true, Ordering::Relaxed);
        assert!(gate.enter(&around).is_none());
    }
}
