//! Where a delivery came from, as far as its source tells, and what tells later whether the source
//! still has the same.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::Fingerprint;

/// What tells later whether a source still has what it had. Holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// A short hash of what was asked for and as whom; empty where the bytes alone count.
    pub place: String,
    /// The server's mark of this version.
    pub etag: Option<String>,
    /// Its time, as the server wrote it.
    pub last_modified: Option<String>,
    /// What the bytes were as they came, packed or not.
    pub hash: Option<Fingerprint>,
    /// When it said itself that it was made; what has the same bytes says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<SystemTime>,
    /// Those of the files that are joined to it, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<Validators>,
}

/// What a source says of what it handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// When it was changed last, as far as that is known.
    pub modified: Option<SystemTime>,
    /// What tells later whether it is still the same.
    pub validators: Validators,
}

impl Origin {
    /// Adds a file that is joined to it: the older of both counts.
    pub fn join(&mut self, other: Origin) {
        self.modified = match (self.modified, other.modified) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.validators.joined.push(other.validators);
    }
}
