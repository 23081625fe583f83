//! Several integrations at once, where `--jobs` asks for it: each run on a thread, its report
//! printed whole as it ends. What they write waits for each other in the inventory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::Result;

use super::run::RunError;
use super::{Pass, Session, Sink};
use crate::model::Exit;
use crate::report::RunReport;

/// What is done with one integration.
type Work<'w> = &'w (dyn Fn(&mut Pass<'_, '_>, Sink<'_>) -> Result<Exit> + Sync);

/// Does the work for every pass, begun in their order, so many at a time. An interruption begins no
/// more of them; an error ends the command when those under way have ended.
pub(super) fn run(
    session: &Session<'_>,
    passes: &mut [Pass<'_, '_>],
    sink: Sink<'_>,
    work: Work<'_>,
) -> Result<Exit> {
    let jobs = session.options.jobs.min(passes.len());
    if jobs <= 1 {
        return work_off(session, passes.iter_mut(), sink, work);
    }
    let sink = Mutex::new(sink);
    let queue = Mutex::new(passes.iter_mut());
    let worker = || {
        let next = std::iter::from_fn(|| locked(&queue).next());
        let mut whole = |report: &RunReport<'_>| {
            let mut sink = locked(&sink);
            (*sink)(report)
        };
        work_off(session, next, &mut whole, work)
    };
    thread::scope(|scope| {
        // Where no further thread can be started, fewer do it, and this one in any case.
        let start = |_| thread::Builder::new().spawn_scoped(scope, worker).ok();
        let others: Vec<_> = (1..jobs).filter_map(start).collect();
        let own = worker();
        let ended = others.into_iter().map(|other| {
            let panicked = |_| RunError::new(Exit::Failed, "a run ended by a panic").into();
            other.join().map_err(panicked).flatten()
        });
        let ended: Vec<Result<Exit>> = ended.chain([own]).collect();
        ended.into_iter().try_fold(Exit::Done, |exit, ended| Ok(exit.max(ended?)))
    })
}

fn work_off<'p, 's: 'p, 'i: 'p>(
    session: &Session<'_>,
    passes: impl Iterator<Item = &'p mut Pass<'s, 'i>>,
    sink: Sink<'_>,
    work: Work<'_>,
) -> Result<Exit> {
    let mut exit = Exit::Done;
    for pass in passes {
        if session.is_interrupted() {
            return Ok(Exit::Interrupted);
        }
        let ended = work(pass, sink);
        pass.session.progress.end();
        exit = exit.max(ended?);
    }
    Ok(exit)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Session<'a> {
    /// The session of one run among several: with a progress of its own.
    pub(super) fn beside(&self) -> Session<'a> {
        let own = self.progress.beside().filter(|_| self.options.jobs > 1);
        Session { progress: own.unwrap_or_else(|| Arc::clone(&self.progress)), ..self.clone() }
    }
}
