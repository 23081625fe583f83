//! Errors of a connector: what failed as a whole. A problem of one item is no error.

/// What decides the exit code and whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Exit 1: the source is missing, cut, empty or not what the config says.
    Source,
    /// Exit 1, in `check` 5: the mapping names what the source does not have.
    Mapping,
    /// Exit 2: the config is wrong in a way that only shows when it is used.
    Usage,
    /// Exit 7: trying later may help.
    Temporary,
    /// Exit 8: the credentials were rejected.
    Credentials,
    /// Exit 130: a signal asked to stop.
    Interrupted,
}

/// An error with a message for the person who reads it: what, where, what to do. Says nothing
/// about what was left unchanged, for only the engine knows that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConnectorError {
    /// What decides the exit code.
    pub kind: ErrorKind,
    /// The message, without the integration's name.
    pub message: String,
}

impl ConnectorError {
    /// The source is missing, cut, empty or not what the config says.
    pub fn source(message: impl Into<String>) -> ConnectorError {
        ConnectorError { kind: ErrorKind::Source, message: message.into() }
    }

    /// The mapping names what the source does not have.
    pub fn mapping(message: impl Into<String>) -> ConnectorError {
        ConnectorError { kind: ErrorKind::Mapping, message: message.into() }
    }

    /// Trying later may help.
    pub fn temporary(message: impl Into<String>) -> ConnectorError {
        ConnectorError { kind: ErrorKind::Temporary, message: message.into() }
    }

    /// A signal asked to stop.
    pub fn interrupted() -> ConnectorError {
        ConnectorError {
            kind: ErrorKind::Interrupted,
            message: "interrupted by a signal".to_owned(),
        }
    }

    /// The config is wrong in a way that only shows when it is used.
    pub fn usage(message: impl Into<String>) -> ConnectorError {
        ConnectorError { kind: ErrorKind::Usage, message: message.into() }
    }
}
