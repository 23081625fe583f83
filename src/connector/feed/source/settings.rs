//! `source`, and what goes with it, as the config gives them.

use std::path::PathBuf;
use std::sync::Arc;

use glob::Pattern;

use super::login::LoginSettings;
use super::place::Place;
use super::program::ProgramSettings;
use super::server::Server;
use super::unpack::UnpackLimit;
use super::web::{Web, WebContext};
use super::{AtHand, Source, Way};
use crate::around::Around;
use crate::connector::http::HttpSettings;
use crate::connector::{ConnectorError, Context};
use crate::settings::{Table, Text};

/// `source`, `member`, `max_unpacked` and `[integrations.NAME.login]` as the config gives them.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    wanted: Wanted,
    /// Which file of an archive.
    member: Option<Pattern>,
    limit: UnpackLimit,
    login: LoginSettings,
    integration: String,
    folder: PathBuf,
    http: HttpSettings,
    /// The key, for messages.
    key: String,
    at_hand: Option<AtHand>,
}

#[derive(Clone, Debug)]
enum Wanted {
    Place(Text),
    Program(ProgramSettings),
}

impl SourceSettings {
    /// Takes the keys out of the integration's table.
    pub fn read(table: &mut Table<'_>, context: &Context) -> Option<SourceSettings> {
        let key = table.name_of("source");
        let entry = table.require("source");
        let member = read_member(table);
        let limit = UnpackLimit { max_bytes: table.bytes("max_unpacked") };
        let login = LoginSettings::read(table);
        let entry = entry?;
        let is_program = entry.is_table()
            && entry.table(key.clone()).is_some_and(|mut table| table.take("exec").is_some());
        let wanted = match is_program {
            true => Wanted::Program(ProgramSettings::read(&entry, &key)?),
            false if !entry.is_string() && !entry.is_table() => {
                entry.error(format!(
                    "`{key}` must be a path or URL, or {{ exec = [\"program\", \"argument\"] }}; as a \
                     secret also {{ env = \"NAME\" }}, {{ file = \"path\" }} or {{ command = […] }}"
                ));
                return None;
            }
            false => Wanted::Place(entry.text(&key)?),
        };
        let settings = SourceSettings {
            wanted,
            member: member?,
            limit,
            login,
            integration: context.name.clone(),
            folder: context.folder.clone(),
            http: context.http.clone(),
            key,
            at_hand: context.at_hand.clone(),
        };
        settings.check_login(table);
        Some(settings)
    }

    /// What nobody asks for is most likely meant for another source.
    fn check_login(&self, table: &Table<'_>) {
        let Some(line) = self.login.line else { return };
        let is_local = match self.place() {
            None => matches!(self.wanted, Wanted::Program(_)),
            Some(place) => !matches!(place, Place::Web(_) | Place::Server(_)),
        };
        if is_local {
            let (path, key) = (table.path(), &self.key);
            table
                .problems()
                .error(line, format!("`{path}.login` is for what is fetched, and `{key}` is not"));
        }
    }

    /// What kind of place it is, as far as the config alone tells.
    fn place(&self) -> Option<Place> {
        match &self.wanted {
            Wanted::Program(_) => None,
            Wanted::Place(text) => text.literal().map(Place::of),
        }
    }

    /// Whether another machine may be contacted, as far as that can be told without asking a file or a
    /// program for the place.
    pub fn is_remote(&self) -> bool {
        let Wanted::Place(text) = &self.wanted else { return true };
        let place = text.beginning().map(|beginning| Place::of(&beginning));
        matches!(place, None | Some(Place::Web(_) | Place::Server(_)))
    }

    /// The local file that is read, where there is exactly one and the config itself names it.
    pub fn local_file(&self) -> Option<PathBuf> {
        let Wanted::Place(text) = &self.wanted else { return None };
        match Place::of(text.literal()?) {
            // Messages name the file as the config does.
            Place::File(path) if self.folder == std::path::Path::new(".") => Some(path),
            Place::File(path) => Some(self.folder.join(path)),
            _ => None,
        }
    }

    /// Whether values can be written back to where they came from, or else why not, as far as the
    /// config alone tells.
    pub fn can_write(&self) -> Result<(), String> {
        if matches!(self.wanted, Wanted::Program(_)) {
            return Err("what a program prints cannot be written".to_owned());
        }
        match self.place() {
            Some(Place::File(path)) if has_packed_name(&path) => {
                Err("a compressed file cannot be written".to_owned())
            }
            Some(Place::Glob(_)) => {
                Err("one of several files is only read; name the file to write".to_owned())
            }
            Some(Place::Web(_) | Place::Server(_)) => {
                Err("what is fetched cannot be written".to_owned())
            }
            Some(Place::Stdin) => Err("standard input cannot be written".to_owned()),
            _ => Ok(()),
        }
    }

    /// Resolves the place; contacts nobody. The error is one of usage.
    pub fn connect(&self, around: &Around) -> Result<Source, ConnectorError> {
        let way = match (&self.at_hand, &self.wanted) {
            (Some(at_hand), _) => Way::AtHand(at_hand.clone()),
            (None, Wanted::Place(text)) => self.connect_place(text, around)?,
            (None, Wanted::Program(program)) => {
                let timeout = self.http.download_timeout;
                Way::Program(Arc::new(program.connect(&self.folder, timeout, around)?))
            }
        };
        Ok(Source {
            way,
            member: self.member.clone(),
            limit: self.limit,
            integration: self.integration.clone(),
            around: around.clone(),
            remembered: super::Remembered::default(),
            waiting: Arc::default(),
        })
    }

    fn connect_place(&self, text: &Text, around: &Around) -> Result<Way, ConnectorError> {
        let usage = |why: String| Err(ConnectorError::usage(format!("`{}` {why}", self.key)));
        let place = text
            .resolve(&self.folder)
            .map_err(|why| ConnectorError::usage(format!("`{}`: {why}", self.key)))?;
        Ok(match Place::of(place.expose()) {
            Place::Empty => return usage("is empty; write the path of a file".to_owned()),
            Place::Unreadable => {
                return usage(
                    "is no file:// URL of this computer; write file:///path/to/file".to_owned(),
                );
            }
            Place::Unknown(scheme) => {
                return usage(format!(
                    "begins with {}://, which is not read; write a path, or a URL that begins \
                     with https, http, sftp, ftps, ftp or file",
                    crate::connector::http::one_line(&scheme, 20)
                ));
            }
            Place::File(path) => Way::File(self.folder.join(path)),
            Place::Glob(glob) => Way::Folder(self.folder.clone(), glob),
            Place::Stdin => Way::Stdin,
            Place::Server(url) => {
                let mut entry = self.login.entry(&self.folder)?;
                entry.ca_file = match &self.http.ca_file {
                    Some(text) => Some(
                        self.folder.join(
                            text.resolve(&self.folder)
                                .map_err(|why| {
                                    ConnectorError::usage(format!("`http.ca_file`: {why}"))
                                })?
                                .expose(),
                        ),
                    ),
                    None => None,
                };
                let secrets = text.secrets(&self.folder);
                let server =
                    Server::new(&url, entry, secrets, &self.integration, &self.http, around)?;
                Way::Server(Arc::new(server))
            }
            Place::Web(url) => {
                let login = self.login.connect(&self.folder)?;
                let context = WebContext {
                    integration: &self.integration,
                    folder: &self.folder,
                    http: &self.http,
                    around,
                };
                let (secrets, unpacking) =
                    (text.secrets(&self.folder), (self.member.clone(), self.limit));
                Way::Web(Arc::new(Web::new(&url, secrets, login, unpacking, &context)?))
            }
        })
    }
}

/// `None` where it is wrong, `Some(None)` where it is absent.
fn read_member(table: &mut Table<'_>) -> Option<Option<Pattern>> {
    let name = table.name_of("member");
    let Some(entry) = table.take("member") else { return Some(None) };
    let (text, _) = entry.string(&name)?;
    match Pattern::new(text.trim()) {
        Ok(pattern) => Some(Some(pattern)),
        Err(why) => {
            entry.error(format!("`{name}` is no right pattern: {}", why.msg));
            None
        }
    }
}

fn has_packed_name(path: &std::path::Path) -> bool {
    let endings = ["gz", "zip", "zst", "bz2"];
    path.extension().is_some_and(|e| endings.iter().any(|ending| e.eq_ignore_ascii_case(ending)))
}
