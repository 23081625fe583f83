//! The words of invsync as types: decimals, items, changes, problems, runs.
//!
//! Nothing here does I/O and nothing here depends on another room.

mod change;
mod currency;
mod decimal;
mod dialect;
mod exit;
mod gtin;
mod guard;
mod place;
mod problem;
mod run;
mod schedule;
mod section;
mod store_place;

pub use change::{ChangeRow, ChangeStatus, Value};
pub use currency::Currency;
pub use decimal::{Cell, Decimal, DecimalError};
pub use dialect::Dialect;
pub use exit::Exit;
pub use gtin::Gtin;
pub use guard::{Guard, GuardVerdict, Percent};
pub use place::Place;
pub use problem::{Acceptance, Finding, Problem, ProblemKind, Severity};
pub use run::{Changed, Command, RunStatus, RunSummary, SectionHeading, Timestamp};
pub use schedule::Schedule;
pub use section::{Direction, LinkKey, LinkedBy, Section};
pub use store_place::{StorePlaceKind, StorePlaces};
