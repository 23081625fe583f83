//! What is fetched and sent by http: shared by every web store.
//!
//! A [`Client`] sends requests as often as is safe and as fast as is polite, and says in words what
//! went wrong. It knows nothing of any store. On the way of a request: `client` keeps `gate` and
//! `pace`, has `attempt` send it, follows a `redirect`, takes `verdict` on what came, and asks
//! `retry` when to try again.

mod attempt;
mod body;
mod client;
mod error;
mod failure;
mod gate;
mod limits;
mod pace;
pub mod parallel;
mod redirect;
mod request;
mod retry;
mod safety;
mod scrub;
mod settings;
mod spool;
mod store;
mod telling;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tls;
#[cfg(test)]
mod tls_tests;
mod transport;
mod verdict;

pub use client::Client;
pub use error::{HttpError, HttpErrorKind, StoreError};
pub use failure::tls_failure;
pub use request::{Answer, Authentication, Fetch, Fetched, Method, Request};
pub use reqwest::Url;
pub use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
pub use retry::{Budget, backoff, parse_time};
pub use safety::check_scheme;
pub use scrub::{Scrubber, one_line};
pub use settings::HttpSettings;
pub use spool::{Pages, Spool, not_kept};
pub use store::{needed, site};
pub use tls::trusting;
