//! What is fetched and sent by http: shared by every web store.
//!
//! A [`Client`] sends requests as often as is safe and as fast as is polite, and says in words what
//! went wrong. It knows nothing of any store.

mod client;
mod error;
pub mod parallel;
mod request;
mod settings;
pub mod spool;

pub use client::{Client, check_scheme};
pub use error::{HttpError, HttpErrorKind, StoreError};
pub use request::{Answer, Authentication, Method, Request};
pub use reqwest::Url;
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use settings::HttpSettings;
