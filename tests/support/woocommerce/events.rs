//! What happens to a catalogue between the requests of a test: a sale, an item that goes.

use super::log::{Logged, Pattern};

/// What happens to the catalogue before a request.
struct Event<C> {
    before: Pattern,
    /// How many such requests pass first.
    skip: usize,
    change: Box<dyn FnOnce(&mut C) + Send>,
}

/// The events that are still to come.
pub(crate) struct Events<C>(Vec<Event<C>>);

impl<C> Default for Events<C> {
    fn default() -> Events<C> {
        Events(Vec::new())
    }
}

impl<C> Events<C> {
    /// Changes the catalogue before the nth such request from now.
    pub(crate) fn before_nth(
        &mut self,
        nth: usize,
        pattern: &str,
        change: impl FnOnce(&mut C) + Send + 'static,
    ) {
        let (before, change) = (Pattern::new(pattern), Box::new(change));
        self.0.push(Event { before, skip: nth - 1, change });
    }

    /// Lets happen what was to happen before this request.
    pub(crate) fn run(&mut self, request: &Logged, catalogue: &mut C) {
        let mut later = Vec::new();
        for mut event in std::mem::take(&mut self.0) {
            match event.before.matches(request) {
                true if event.skip == 0 => (event.change)(catalogue),
                is_meant => {
                    event.skip -= usize::from(is_meant);
                    later.push(event);
                }
            }
        }
        self.0 = later;
    }
}
