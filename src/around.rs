//! What is around a run and can be reached from every room: who is told how far it is, and whether
//! it is to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a wait goes on before it looks again whether it is to stop.
const GLANCE: Duration = Duration::from_millis(50);

/// Who is told how far a run is. All of it goes to stderr.
pub trait Progress: Send + Sync {
    /// A long step begins: `reading store-a`. `total` where it is known.
    fn begin(&self, what: &str, total: Option<u64>);
    /// So many rows or changes of this step are done by now.
    fn advance(&self, done: u64);
    /// The step ended; nothing of it stays on the terminal.
    fn end(&self);
    /// Something that the user should know whatever happens: `created inventory.db`.
    fn note(&self, message: &str);
    /// Something for who looks closely (`-v`): one line for a request.
    fn detail(&self, message: &str);
    /// Another one, for a run at the same time as this one's; `None`: this one serves both.
    fn beside(&self) -> Option<Arc<dyn Progress>> {
        None
    }
}

/// What a connector is given of the program around it.
#[derive(Clone)]
pub struct Around {
    /// Where progress and messages go.
    pub progress: Arc<dyn Progress>,
    /// Set by a signal: stop at the next safe point.
    pub interrupted: Arc<AtomicBool>,
}

impl Around {
    /// Whether a signal asked to stop.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Waits so long. `false`: a signal asked to stop meanwhile.
    #[must_use]
    pub fn sleep(&self, duration: Duration) -> bool {
        let end = Instant::now() + duration;
        loop {
            if self.is_interrupted() {
                return false;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(GLANCE));
        }
    }

    /// Nobody is told and nothing stops it: for who uses the connectors without a command.
    pub fn nobody() -> Around {
        struct Nobody;
        impl Progress for Nobody {
            fn begin(&self, _: &str, _: Option<u64>) {}
            fn advance(&self, _: u64) {}
            fn end(&self) {}
            fn note(&self, _: &str) {}
            fn detail(&self, _: &str) {}
        }
        Around { progress: Arc::new(Nobody), interrupted: Arc::new(AtomicBool::new(false)) }
    }
}

impl std::fmt::Debug for Around {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Around")
    }
}

/// The name of this machine.
pub(crate) fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map_or_else(|| "this machine".to_owned(), |name| name.trim().to_owned())
}
