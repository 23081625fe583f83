//! Work that blocks, on a thread of its own, so that whoever waits for it can stop waiting.
//!
//! A thread that is left behind ends with its connection, or with the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::around::Around;
use crate::connector::ConnectorError;

/// How long a wait goes on before it looks again whether it is to stop.
const GLANCE: Duration = Duration::from_millis(50);

/// What the work tells of itself.
#[derive(Clone, Default)]
pub(super) struct Signs {
    received: Arc<AtomicU64>,
    is_abandoned: Arc<AtomicBool>,
}

impl Signs {
    /// So many bytes came by now.
    pub(super) fn received(&self, bytes: u64) {
        self.received.store(bytes, Ordering::Relaxed);
    }

    /// Nobody waits any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Relaxed)
    }
}

/// Does the work and waits for it, at most so long.
pub(super) fn run<T: Send + 'static>(
    around: &Around,
    limit: Duration,
    told: &dyn Fn(u64),
    work: impl FnOnce(&Signs) -> Result<T, ConnectorError> + Send + 'static,
) -> Result<T, ConnectorError> {
    let signs = Signs::default();
    let theirs = signs.clone();
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("fetch".to_owned())
        // Nobody may be there to take it.
        .spawn(move || drop(sender.send(work(&theirs))))
        .map_err(|why| ConnectorError::temporary(format!("no thread can be started: {why}")))?;
    let (began, mut last) = (Instant::now(), 0);
    let result = loop {
        match receiver.recv_timeout(GLANCE) {
            Ok(result) => break result,
            Err(RecvTimeoutError::Disconnected) => {
                break Err(ConnectorError::temporary("its thread ended without a result"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let received = signs.received.load(Ordering::Relaxed);
        if received != last {
            last = received;
            told(received);
        }
        if around.is_interrupted() {
            break Err(ConnectorError::interrupted());
        }
        if began.elapsed() >= limit {
            break Err(ConnectorError::temporary(format!(
                "it was not whole within {} s (`http.download_timeout`)",
                limit.as_secs_f32()
            )));
        }
    };
    signs.is_abandoned.store(true, Ordering::Relaxed);
    result
}
