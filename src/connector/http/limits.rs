//! The limits that no config changes.

use std::time::Duration;

/// The limits that no config changes; tests do.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// The longest first wait before a repetition; each next one may be twice as long.
    pub first_wait: Duration,
    /// The longest wait before a repetition, unless the server asks for a longer one.
    pub longest_wait: Duration,
    /// How long the server may think, and pause in the middle of an answer.
    pub stall: Duration,
    /// How long the answer to a write is still waited for after a signal: without it, nobody
    /// would know whether it arrived.
    pub grace: Duration,
    /// Names and values of an answer's headers, in bytes.
    pub headers: usize,
    /// An answer's body, in bytes, as it is sent and as it is unpacked.
    pub body: u64,
    /// How much longer a body may get by unpacking it, once it is longer than `ratio_beyond`.
    pub ratio: u64,
    /// In bytes.
    pub ratio_beyond: u64,
    /// Requests of one run, against paging without end.
    pub requests: u64,
    /// How often a broken answer is asked for again.
    pub broken_repeats: u32,
    /// Hops that one read follows.
    pub redirects: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            grace: Duration::from_millis(1200),
            headers: 64 << 10,
            body: 256 << 20,
            ratio: 200,
            ratio_beyond: 100 << 20,
            requests: 1_000_000,
            broken_repeats: 2,
            redirects: 3,
        }
    }
}
