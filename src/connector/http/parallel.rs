//! A small queue of work for a few threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What is to be done by several threads at once; a job may add further jobs.
pub struct Queue<J, E> {
    state: Mutex<State<J, E>>,
    changed: Condvar,
}

struct State<J, E> {
    jobs: std::collections::VecDeque<J>,
    /// Jobs that are being done: each may still add some.
    under_way: usize,
    error: Option<E>,
    /// No further job is begun.
    is_stopped: bool,
}

/// One job is being done as long as this lives.
struct UnderWay<'a, J, E>(&'a Queue<J, E>);

impl<J: Send, E: Send> Queue<J, E> {
    fn new(jobs: impl IntoIterator<Item = J>) -> Queue<J, E> {
        let jobs = jobs.into_iter().collect();
        let state = State { jobs, under_way: 0, error: None, is_stopped: false };
        Queue { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Adds a job behind all others.
    pub fn add(&self, job: J) {
        self.lock().jobs.push_back(job);
        self.changed.notify_one();
    }

    /// Takes a job, once there is one. `None`: there will be none any more.
    fn take(&self) -> Option<(J, UnderWay<'_, J, E>)> {
        let mut state = self.lock();
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                state.under_way += 1;
                return Some((job, UnderWay(self)));
            }
            if state.under_way == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn stop(&self, error: E) {
        let mut state = self.lock();
        state.is_stopped = true;
        state.error.get_or_insert(error);
    }
}

impl<J, E> Queue<J, E> {
    fn lock(&self) -> MutexGuard<'_, State<J, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J, E> Drop for UnderWay<'_, J, E> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.under_way -= 1;
        // The others must not wait for a job that has panicked.
        state.is_stopped |= std::thread::panicking();
        self.0.changed.notify_all();
    }
}

/// Does all jobs, and those that they add, on so many threads. The first error lets those that
/// are under way end and stops the rest.
pub fn run<J: Send, E: Send>(
    threads: usize,
    jobs: impl IntoIterator<Item = J>,
    work: impl Fn(J, &Queue<J, E>) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let queue = Queue::new(jobs);
    let worker = || {
        while let Some((job, _under_way)) = queue.take() {
            if let Err(error) = work(job, &queue) {
                queue.stop(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(worker);
        }
        // A single thread works without another.
        worker();
    });
    let state = queue.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    state.error.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn jobs_that_jobs_add_are_done_too() {
        for threads in [0, 1, 4] {
            let sum = AtomicU32::new(0);
            let done = run(threads, [5_u32, 3], |job, queue| {
                sum.fetch_add(job, Ordering::Relaxed);
                if job > 0 {
                    queue.add(job - 1);
                }
                Ok::<_, ()>(())
            });
            assert_eq!((done, sum.into_inner()), (Ok(()), 15 + 6), "{threads} threads");
        }
    }

    #[test]
    fn the_first_error_stops_the_rest() {
        let begun = AtomicU32::new(0);
        let failed = run(2, 0..1000, |job, _| {
            begun.fetch_add(1, Ordering::Relaxed);
            if job == 10 { Err(job) } else { Ok(()) }
        });
        assert_eq!(failed, Err(10));
        assert!(begun.into_inner() < 1000);
    }

    #[test]
    fn no_jobs_are_done_at_once() {
        assert_eq!(run(4, Vec::<u8>::new(), |_, _| Ok::<_, ()>(())), Ok(()));
    }
}
