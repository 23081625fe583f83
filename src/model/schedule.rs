//! When a timer looks whether something is due.

use std::time::Duration;

/// When a timer runs `sync --all --due`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The time between two looks: a divisor of a minute, or whole minutes that divide an hour, so
    /// that all steps of a clock are even.
    pub tick: Duration,
    /// The longest `jitter` of the config.
    pub jitter: Duration,
    /// The sections whose `every` is shorter than cron can follow: `store-a.stock`.
    pub below_a_minute: Vec<String>,
}
