//! `[integrations.NAME.http]`: how everything is fetched that is fetched by http.

use std::time::Duration;

use crate::model::Decimal;
use crate::settings::{Table, Text};

/// `[integrations.NAME.http]`, with the defaults where the config has no such key.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// How long one API request may take.
    pub timeout: Duration,
    /// How long one feed may take.
    pub download_timeout: Duration,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How often one request is tried again.
    pub retries: u32,
    /// How long all retries of one run may take.
    pub retry_budget: Duration,
    /// How many requests are under way at once.
    pub concurrency: u32,
    /// Requests a second; `None`: no limit.
    pub max_requests_per_second: Option<Decimal>,
    /// Whether credentials may go over plain http to other machines.
    pub allow_http: bool,
    /// A file of certificates to trust besides the system's; relative to the config.
    pub ca_file: Option<Text>,
    /// A proxy's URL.
    pub proxy: Option<Text>,
}

impl Default for HttpSettings {
    fn default() -> HttpSettings {
        HttpSettings {
            timeout: Duration::from_secs(60),
            download_timeout: Duration::from_secs(30 * 60),
            connect_timeout: Duration::from_secs(10),
            retries: 5,
            retry_budget: Duration::from_secs(5 * 60),
            concurrency: 4,
            max_requests_per_second: Decimal::from_micros(10_000_000),
            allow_http: false,
            ca_file: None,
            proxy: None,
        }
    }
}

impl HttpSettings {
    /// Reads the table; what is wrong in it is reported and stays at its default.
    pub(crate) fn read(table: Option<Table<'_>>) -> HttpSettings {
        let mut http = HttpSettings::default();
        let Some(mut table) = table else { return http };
        set(&mut http.timeout, table.positive_duration("timeout"));
        set(&mut http.download_timeout, table.positive_duration("download_timeout"));
        set(&mut http.connect_timeout, table.positive_duration("connect_timeout"));
        set(&mut http.retries, integer(&mut table, "retries", 0, 100));
        set(&mut http.retry_budget, table.duration("retry_budget"));
        set(&mut http.concurrency, integer(&mut table, "concurrency", 1, 64));
        set(&mut http.max_requests_per_second, rate(&mut table, "max_requests_per_second"));
        set(&mut http.allow_http, table.bool("allow_http"));
        http.ca_file = table.text("ca_file");
        http.proxy = table.text("proxy");
        table.finish();
        http
    }
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn integer(table: &mut Table<'_>, key: &'static str, min: u32, max: u32) -> Option<u32> {
    let found = table.integer(key, u64::from(min)..u64::from(max) + 1)?;
    u32::try_from(found).ok()
}

/// A number of requests a second; 0 means no limit.
fn rate(table: &mut Table<'_>, key: &'static str) -> Option<Option<Decimal>> {
    let name = table.name_of(key);
    let entry = table.take(key)?;
    let found = entry.decimal(&name)?;
    if found < Decimal::ZERO {
        entry.error(format!("`{name}` must be 0 (no limit) or more"));
        return None;
    }
    Some((found > Decimal::ZERO).then_some(found))
}
