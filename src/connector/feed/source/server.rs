//! `source = "sftp://…"`, `"ftp://…"`, `"ftps://…"`: a file on a server of files, or the newest of
//! several. Only ever read: nothing is deleted or renamed there.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use glob::Pattern;

use super::apart::{self, Signs};
use super::fetched::{Fetched, new_file, not_kept};
use super::ftp::Ftp;
use super::newest::{self, By, Candidate};
use super::sftp::Sftp;
use crate::around::Around;
use crate::connector::http::{self, Budget, HttpSettings, Scrubber, Url};
use crate::connector::{ConnectorError, ErrorKind, Origin};
use crate::settings::Secret;

/// The time between two looks at a file that may still grow.
const BETWEEN_LOOKS: Duration = Duration::from_millis(700);
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long a server may be silent.
pub(super) const STALL: Duration = Duration::from_secs(30);

/// How a server of files is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Ftp,
    /// TLS from the start on port 990, else asked for.
    Ftps,
    Sftp,
}

impl Scheme {
    pub(super) fn of(word: &str) -> Option<Scheme> {
        match word {
            "ftp" => Some(Scheme::Ftp),
            "ftps" => Some(Scheme::Ftps),
            "sftp" => Some(Scheme::Sftp),
            _ => None,
        }
    }

    fn port(self) -> u16 {
        if self == Scheme::Sftp { 22 } else { 21 }
    }
}

/// Who asks, and how the server proves who it is.
#[derive(Default)]
pub(super) struct Entry {
    pub username: Option<String>,
    pub password: Option<Secret>,
    pub key_file: Option<PathBuf>,
    pub known_hosts: Option<PathBuf>,
    pub ca_file: Option<PathBuf>,
}

/// Where a server is and who asks.
pub(super) struct Address {
    pub scheme: Scheme,
    pub host: String,
    pub port: u16,
    pub entry: Entry,
    pub connect_timeout: Duration,
}

/// What all servers of files can do. Errors say what went wrong, not yet with what.
pub(super) trait Files {
    /// The files of a folder, by their names without it.
    fn list(&mut self, folder: &str) -> Result<Vec<Candidate>, ConnectorError>;

    /// Length and time of a file, as far as the server says; an error where there is none.
    fn look(&mut self, path: &str) -> Result<Look, ConnectorError>;

    /// Hands over all bytes of a file.
    fn fetch(
        &mut self,
        path: &str,
        keep: &mut dyn FnMut(&[u8]) -> Result<(), ConnectorError>,
    ) -> Result<(), ConnectorError>;
}

/// What a server says of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub length: Option<u64>,
    pub modified: Option<SystemTime>,
}

/// A file, or a pattern, on a server.
pub(super) struct Server {
    address: Arc<Address>,
    asked: Asked,
    /// Scheme, host and path, for messages.
    name: String,
    integration: String,
    around: Around,
    http: HttpSettings,
    scrubber: Scrubber,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({})", self.name)
    }
}

/// What was taken of a server.
struct Taken {
    file: File,
    path: String,
    modified: Option<SystemTime>,
    /// What is to be told of the choice.
    details: Vec<String>,
    notes: Vec<String>,
}

impl Server {
    /// Contacts nobody. `secrets` are the parts of the URL that must not be shown.
    pub(super) fn new(
        url: &str,
        mut entry: Entry,
        mut secrets: Vec<Secret>,
        integration: &str,
        http: &HttpSettings,
        around: &Around,
    ) -> Result<Server, ConnectorError> {
        let no_url =
            || ConnectorError::usage("`source` is no URL; write it as sftp://host/folder/file.csv");
        let (word, rest) = url.split_once("://").ok_or_else(no_url)?;
        let scheme = Scheme::of(&word.to_ascii_lowercase()).ok_or_else(no_url)?;
        let (authority, path) = rest.split_once('/').ok_or_else(no_url)?;
        let parsed = Url::parse(&format!("{word}://{authority}/")).map_err(|_| no_url())?;
        let host = parsed.host_str().filter(|host| !host.is_empty()).ok_or_else(no_url)?;
        if parsed.password().is_some() {
            return Err(ConnectorError::usage(
                "`source` holds a password; write `password` into [integrations.NAME.login]",
            ));
        }
        if entry.username.is_none() && !parsed.username().is_empty() {
            entry.username = Some(decoded(parsed.username())?);
        }
        if scheme == Scheme::Sftp && entry.username.is_none() {
            return Err(ConnectorError::usage(
                "sftp needs a user: write `username` into [integrations.NAME.login]",
            ));
        }
        secrets.retain(|secret| secret.expose().len() >= 4);
        secrets.extend(entry.password.clone());
        let scrubber = Scrubber::new(&secrets);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = parsed.port().unwrap_or(scheme.port());
        let shown_port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
        let name = scrubber.scrub(&format!("{word}://{host}{shown_port}/{path}"));
        let path = path_of(scheme, path);
        let asked = Asked::of(&path)?;
        let connect_timeout = http.connect_timeout;
        Ok(Server {
            address: Arc::new(Address { scheme, host, port, entry, connect_timeout }),
            asked,
            name,
            integration: integration.to_owned(),
            around: around.clone(),
            http: http.clone(),
            scrubber,
        })
    }

    /// Fetches the file, or the newest complete one of those that match. Tried again where that may
    /// help.
    pub(super) fn fetch(&self) -> Result<Fetched, ConnectorError> {
        let budget = Budget::new(self.http.retry_budget);
        let mut attempt = 1;
        let taken = loop {
            let error = match self.once() {
                Ok(taken) => break taken,
                Err(error) => error,
            };
            self.around.progress.detail(&format!(
                "{}: {}: {}, attempt {attempt}",
                self.integration,
                self.name,
                self.scrubber.scrub(&error.message)
            ));
            let left = budget.left();
            if error.kind != ErrorKind::Temporary || attempt > self.http.retries || left.is_zero() {
                return Err(self.named(error, attempt));
            }
            let wait = http::backoff(attempt, FIRST_WAIT, LONGEST_WAIT).min(left);
            if !budget.wait(wait, &self.around) {
                return Err(ConnectorError::interrupted());
            }
            attempt += 1;
        };
        let progress = &self.around.progress;
        progress.begin(&format!("reading {}", self.integration), None);
        taken.details.iter().for_each(|line| {
            progress.detail(&format!("{}: {}", self.integration, self.scrubber.scrub(line)));
        });
        taken.notes.iter().for_each(|line| {
            progress.note(&format!("{}: {}", self.integration, self.scrubber.scrub(line)));
        });
        let name = match self.asked.is_pattern() {
            true => self.scrubber.scrub(&format!("{} ({})", self.name, taken.path)),
            false => self.name.clone(),
        };
        let origin = Origin { modified: taken.modified, ..Origin::default() };
        Fetched::temporary(name, taken.file, origin)
    }

    fn once(&self) -> Result<Taken, ConnectorError> {
        let (address, asked) = (Arc::clone(&self.address), self.asked.clone());
        let progress = &self.around.progress;
        progress.begin(&format!("fetching {}, bytes", self.integration), None);
        let told = |received| progress.advance(received);
        apart::run(&self.around, self.http.download_timeout, &told, move |signs| {
            let mut files: Box<dyn Files> = match address.scheme {
                Scheme::Sftp => Box::new(Sftp::connect(&address)?),
                Scheme::Ftp | Scheme::Ftps => Box::new(Ftp::connect(&address)?),
            };
            take(files.as_mut(), &asked, signs)
        })
    }

    fn named(&self, mut error: ConnectorError, attempts: u32) -> ConnectorError {
        if error.kind == ErrorKind::Interrupted {
            return error;
        }
        let after = match attempts {
            1 => String::new(),
            more => format!(", after {more} attempts"),
        };
        let login = match error.kind {
            ErrorKind::Credentials => {
                format!("; check [integrations.{}.login]", self.integration)
            }
            _ => String::new(),
        };
        let message = http::one_line(&self.scrubber.scrub(&error.message), 500);
        error.message = format!("{}: {message}{after}{login}", self.name);
        error
    }
}

/// The path as it is asked for. That of FTP begins at the folder of the login, as URLs have it;
/// that of SFTP at the root, or behind `/~/` at home.
fn path_of(scheme: Scheme, path: &str) -> String {
    match scheme {
        Scheme::Sftp => match path.strip_prefix("~/") {
            Some(path) => path.to_owned(),
            None => format!("/{path}"),
        },
        Scheme::Ftp | Scheme::Ftps => path.to_owned(),
    }
}

/// What is asked for of a server, decoded.
#[derive(Clone, Debug)]
enum Asked {
    /// The file of this path.
    File(String),
    /// The newest in this folder whose name matches.
    Newest { folder: String, pattern: Pattern },
}

impl Asked {
    /// Of a path as URLs have it: `%20` is a space, and `%2A` an asterisk that is none of a pattern.
    fn of(path: &str) -> Result<Asked, ConnectorError> {
        const SIGNS: [char; 2] = ['*', '?'];
        if !path.contains(SIGNS) {
            return decoded(path).map(Asked::File);
        }
        let (folder, name) = match path.rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some((folder, name)) => (folder, name),
            None => ("", path),
        };
        if folder.contains(SIGNS) {
            return Err(ConnectorError::usage(
                "only the name of the file in `source` may hold `*` and `?`, its folders may not; \
                 write them as they are called (a sign that is a part of a name as %2A or %3F)",
            ));
        }
        let glob = name.replace("%2A", "[*]").replace("%2a", "[*]");
        let glob = decoded(&glob.replace("%3F", "[?]").replace("%3f", "[?]"))?;
        let pattern = Pattern::new(&glob).map_err(|why| {
            ConnectorError::usage(format!("the pattern in `source` is not right: {}", why.msg))
        })?;
        Ok(Asked::Newest { folder: decoded(folder)?, pattern })
    }

    fn is_pattern(&self) -> bool {
        matches!(self, Asked::Newest { .. })
    }
}

/// A part of a URL as it is meant. One that would end a line is nothing that a server may be asked.
fn decoded(text: &str) -> Result<String, ConnectorError> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    let decoded = decoded.ok().filter(|text| !text.contains(char::is_control));
    decoded.map(Cow::into_owned).ok_or_else(|| {
        ConnectorError::usage(
            "`source` has `%` signs that stand for no text; write a `%` that is a part of a name \
             as %25",
        )
    })
}

/// Chooses and fetches.
fn take(files: &mut dyn Files, asked: &Asked, signs: &Signs) -> Result<Taken, ConnectorError> {
    let mut taken = Taken {
        file: new_file()?,
        path: String::new(),
        modified: None,
        details: Vec::new(),
        notes: Vec::new(),
    };
    taken.path = match asked {
        Asked::File(path) => path.clone(),
        Asked::Newest { folder, pattern } => choose(files, folder, pattern, &mut taken)?,
    };
    let before = files.look(&taken.path)?;
    let mut received = 0;
    let file = &mut taken.file;
    files.fetch(&taken.path, &mut |bytes| {
        file.write_all(bytes).map_err(|why| not_kept(&why))?;
        received += bytes.len() as u64;
        signs.received(received);
        if signs.is_abandoned() { Err(ConnectorError::interrupted()) } else { Ok(()) }
    })?;
    let after = files.look(&taken.path)?;
    if after != before {
        return Err(ConnectorError::temporary("it changed while it was fetched"));
    }
    if let Some(length) = after.length.filter(|length| *length != received) {
        return Err(ConnectorError::temporary(format!(
            "it was cut after {received} of {length} bytes"
        )));
    }
    taken.modified = after.modified;
    Ok(taken)
}

/// The newest complete file that matches.
fn choose(
    files: &mut dyn Files,
    folder: &str,
    pattern: &Pattern,
    taken: &mut Taken,
) -> Result<String, ConnectorError> {
    let within = |name: &str| match folder {
        "" | "/" => format!("{folder}{name}"),
        _ => format!("{folder}/{name}"),
    };
    let mut all = files.list(folder)?;
    all.retain(|candidate| pattern.matches(&candidate.name));
    let matching = all.len();
    all.retain(|candidate| !newest::is_unfinished(candidate));
    let (sorted, by) = newest::newest_first(all);
    for candidate in &sorted {
        let path = within(&candidate.name);
        let first = files.look(&path)?;
        std::thread::sleep(BETWEEN_LOOKS);
        if files.look(&path)? != first {
            taken.notes.push(format!("{path} is still being written; it was passed over"));
            continue;
        }
        let words = match by {
            By::Itself => "the only complete file that matches".to_owned(),
            By::Name => format!("the newest of {} by the numbers in their names", sorted.len()),
            By::Time => format!("the one of {} that was written last", sorted.len()),
        };
        taken.details.push(format!("reads {path}, {words}"));
        return Ok(path);
    }
    let why = match matching {
        0 => String::new(),
        more => format!("; {more} that match are empty, named as unfinished or still written"),
    };
    Err(ConnectorError::source(format!(
        "no file matches{why}; check `source`, or wait for the file to be delivered"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_and_only_the_signs_that_are_written_are_a_pattern() {
        let file = |path: &str| match Asked::of(path).unwrap() {
            Asked::File(path) => path,
            other => panic!("{other:?}"),
        };
        assert_eq!(file("/my%20feeds/stock%2A.csv"), "/my feeds/stock*.csv");
        assert_eq!(file("100%25.csv"), "100%.csv");
        assert_eq!(file("100%.csv"), "100%.csv");
        let newest = |path: &str| match Asked::of(path).unwrap() {
            Asked::Newest { folder, pattern } => (folder, pattern),
            other => panic!("{other:?}"),
        };
        let (folder, pattern) = newest("my%20feeds/a%20%2A-*.csv");
        assert_eq!(folder, "my feeds");
        assert!(pattern.matches("a *-1.csv") && !pattern.matches("a x-1.csv"));
        assert_eq!(newest("/*.csv").0, "/");
        assert_eq!(newest("*.csv").0, "");
        for (path, why) in [
            ("/in-*/a.csv", "its folders may not"),
            ("/a%0D%0ADELE%20b", "stand for no text"),
            ("/a%ff", "stand for no text"),
            ("/a[*.csv", "the pattern in `source` is not right"),
        ] {
            let error = Asked::of(path).unwrap_err();
            assert!(error.kind == ErrorKind::Usage && error.message.contains(why), "{error}");
        }
    }
}
