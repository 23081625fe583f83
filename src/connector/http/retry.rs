//! When to try again: what a status means, how long to wait, and when enough was tried.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, HeaderValue, LAST_MODIFIED, RETRY_AFTER};

use crate::around::Around;

/// What a status says about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It was done.
    Done,
    /// The answer is elsewhere.
    Elsewhere,
    /// Not now: the server did not act.
    NotNow,
    /// The server, or one on the way, is not well; it may have acted.
    Unwell,
    /// No; the same request gets the same answer.
    No,
}

/// What a status means. Those from 520 are what CDNs say where the server behind them failed.
pub(super) fn meaning(status: u16) -> Meaning {
    match status {
        200..=299 => Meaning::Done,
        301 | 302 | 303 | 307 | 308 => Meaning::Elsewhere,
        425 | 429 => Meaning::NotNow,
        408 | 500 | 502 | 503 | 504 | 509 | 520..=527 | 530 => Meaning::Unwell,
        _ => Meaning::No,
    }
}

/// Whether the server may have acted although it answered so.
pub(super) fn may_have_acted(status: u16) -> bool {
    meaning(status) == Meaning::Unwell || (status >= 500 && !matches!(status, 501 | 505))
}

/// How long the server asks to wait. `None` where it does not say, or not so that it can be read.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let until = http_date(headers.get(RETRY_AFTER)?)?;
    // Its own clock, for ours may be another.
    let now = headers.get(DATE).and_then(http_date).or_else(now)?;
    Some(Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO))
}

fn http_date(value: &HeaderValue) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(value.to_str().ok()?.trim()).ok()
}

/// When what is answered was changed last, where the server says so.
pub(super) fn last_modified(headers: &HeaderMap) -> Option<SystemTime> {
    parse_time(headers.get(LAST_MODIFIED)?.to_str().ok()?)
}

/// A time as headers have it.
pub fn parse_time(text: &str) -> Option<SystemTime> {
    let seconds = DateTimeParser::new().parse_timestamp(text.trim()).ok()?.as_second();
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

fn now() -> Option<Timestamp> {
    Timestamp::try_from(SystemTime::now()).ok()
}

/// How long to wait before the attempt-th (1, 2, …) repetition: anything from nothing to twice as
/// long as the time before, so that many clients do not come back together.
pub fn backoff(attempt: u32, first: Duration, longest: Duration) -> Duration {
    let doubled = first.saturating_mul(1 << attempt.saturating_sub(1).min(20));
    doubled.min(longest).mul_f64(fastrand::f64())
}

/// The time that all waits of one run may take together. Threads that wait at once count once.
pub struct Budget {
    total: Duration,
    state: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    spent: Duration,
    waiting: u32,
    /// Since when somebody has been waiting, while somebody is.
    since: Option<Instant>,
}

impl Budget {
    /// Nothing of it is spent yet.
    pub fn new(total: Duration) -> Budget {
        Budget { total, state: Mutex::default() }
    }

    /// What is left of it.
    pub fn left(&self) -> Duration {
        let waits = self.lock();
        let running = waits.since.map_or(Duration::ZERO, |since| since.elapsed());
        self.total.saturating_sub(waits.spent + running)
    }

    /// Waits so long on the budget. `false`: a signal asked to stop.
    pub fn wait(&self, duration: Duration, around: &Around) -> bool {
        {
            let mut waits = self.lock();
            waits.waiting += 1;
            waits.since.get_or_insert_with(Instant::now);
        }
        let is_over = around.sleep(duration);
        let mut waits = self.lock();
        waits.waiting -= 1;
        if waits.waiting == 0
            && let Some(since) = waits.since.take()
        {
            waits.spent += since.elapsed();
        }
        is_over
    }

    fn lock(&self) -> MutexGuard<'_, Waits> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(headers: &[(&'static str, &str)]) -> Option<u64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        retry_after(&map).map(|wait| wait.as_secs())
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        assert_eq!(asked(&[("retry-after", "120")]), Some(120));
        assert_eq!(asked(&[("retry-after", " 0 ")]), Some(0));
        assert_eq!(asked(&[("retry-after", "99999999999999999999999")]), Some(u64::MAX));
        let (at, later) = ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:29:30 GMT");
        assert_eq!(asked(&[("date", at), ("retry-after", later)]), Some(90));
        assert_eq!(asked(&[("date", later), ("retry-after", at)]), Some(0));
        assert_eq!(asked(&[("retry-after", at)]), Some(0));
        let far = asked(&[("retry-after", "Wed, 21 Oct 2099 07:28:00 GMT")]).unwrap();
        assert!(far > 365 * 24 * 3600, "{far}");
    }

    #[test]
    fn what_is_no_retry_after_is_none() {
        for text in ["", "soon", "-1", "1.5", "2015-10-21"] {
            assert_eq!(asked(&[("retry-after", text)]), None, "{text}");
        }
        assert_eq!(asked(&[]), None);
    }

    #[test]
    fn backoff_grows_to_a_limit_and_is_spread() {
        let (first, longest) = (Duration::from_millis(500), Duration::from_secs(30));
        for (attempt, most) in [(1, 500), (2, 1_000), (3, 2_000), (7, 30_000), (4_000, 30_000)] {
            let most = Duration::from_millis(most);
            let waits: Vec<_> = (0..200).map(|_| backoff(attempt, first, longest)).collect();
            assert!(waits.iter().all(|wait| *wait <= most), "{attempt}");
            assert!(waits.iter().any(|wait| *wait < most / 4), "{attempt}");
            assert!(waits.iter().any(|wait| *wait > most / 4 * 3), "{attempt}");
        }
    }

    #[test]
    fn waits_at_once_count_once() {
        let budget = Budget::new(Duration::from_secs(10));
        let around = Around::nobody();
        std::thread::scope(|scope| {
            for _ in 0..5 {
                scope.spawn(|| budget.wait(Duration::from_millis(200), &around));
            }
        });
        let spent = Duration::from_secs(10) - budget.left();
        assert!(spent >= Duration::from_millis(200), "{spent:?}");
        assert!(spent < Duration::from_millis(800), "{spent:?}");
    }

    #[test]
    fn only_some_errors_of_a_server_say_that_it_did_not_act() {
        for (status, acted) in [(400, false), (429, false), (408, true), (500, true)] {
            assert_eq!(may_have_acted(status), acted, "{status}");
        }
        for (status, acted) in [(501, false), (505, false), (507, true), (524, true), (599, true)] {
            assert_eq!(may_have_acted(status), acted, "{status}");
        }
    }
}
