//! `[integrations.NAME.login]`: what a feed's server asks for.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::server::Entry;
use crate::connector::ConnectorError;
use crate::connector::http::{
    AUTHORIZATION, Authentication, HeaderMap, HeaderName, HeaderValue, Method, Url,
};
use crate::settings::{Secret, Table, Text};

/// `[integrations.NAME.login]` as the config gives it.
#[derive(Clone, Debug, Default)]
pub(super) struct LoginSettings {
    pub username: Option<Text>,
    pub password: Option<Text>,
    token: Option<Text>,
    headers: Vec<(HeaderName, Text)>,
    query: Vec<(String, Text)>,
    is_post: bool,
    body: Option<Text>,
    key_file: Option<Text>,
    known_hosts: Option<Text>,
    /// The line of the table; `None` where there is none.
    pub line: Option<u64>,
}

impl LoginSettings {
    /// Takes the table out of the integration's; what is wrong in it is reported.
    pub(super) fn read(table: &mut Table<'_>) -> LoginSettings {
        let Some(mut table) = table.table("login") else { return LoginSettings::default() };
        let mut login = LoginSettings {
            username: table.text("username"),
            password: secret(&mut table, "password"),
            token: secret(&mut table, "token"),
            headers: headers(&mut table),
            query: named(&mut table, "query"),
            is_post: table.choice("method", &[("GET", false), ("POST", true)]).unwrap_or_default(),
            body: secret(&mut table, "body"),
            key_file: table.text("key_file"),
            known_hosts: table.text("known_hosts"),
            line: Some(table.line()),
        };
        login.check(&table);
        if !login.is_post {
            login.body = None;
        }
        table.finish();
        login
    }

    fn check(&self, table: &Table<'_>) {
        let path = table.path();
        if self.token.is_some() && (self.username.is_some() || self.password.is_some()) {
            table
                .error(format!("`{path}`: either `token`, or `username` and `password`, not both"));
        }
        if self.body.is_some() && !self.is_post {
            table.error(format!("`{path}`: `body` needs `method = \"POST\"`"));
        }
    }

    /// Resolves what a server of files asks for. The error is one of usage.
    pub(super) fn entry(&self, folder: &Path) -> Result<Entry, ConnectorError> {
        let resolve = |key: &str, text: &Option<Text>| {
            let found = text.as_ref().map(|text| text.resolve(folder)).transpose();
            found.map_err(|why| ConnectorError::usage(format!("`login.{key}`: {why}")))
        };
        let is_of_http = self.token.is_some()
            || self.is_post
            || !self.headers.is_empty()
            || !self.query.is_empty();
        if is_of_http {
            return Err(ConnectorError::usage(
                "`login`: only `username`, `password`, `key_file` and `known_hosts` are for ftp \
                 and sftp",
            ));
        }
        let path = |key: &str, text: &Option<Text>| {
            Ok::<_, ConnectorError>(resolve(key, text)?.map(|path| folder.join(path.expose())))
        };
        Ok(Entry {
            username: resolve("username", &self.username)?.map(|name| name.expose().to_owned()),
            password: resolve("password", &self.password)?,
            key_file: path("key_file", &self.key_file)?,
            known_hosts: path("known_hosts", &self.known_hosts)?,
            ca_file: None,
        })
    }

    /// Resolves everything that is sent by http. The error is one of usage.
    pub(super) fn connect(&self, folder: &Path) -> Result<Login, ConnectorError> {
        let resolve = |key: &str, text: &Text| {
            text.resolve(folder)
                .map_err(|why| ConnectorError::usage(format!("`login.{key}`: {why}")))
        };
        let optional = |key: &str, text: &Option<Text>| {
            text.as_ref().map(|text| resolve(key, text)).transpose()
        };
        let mut login = Login {
            method: if self.is_post { Method::Post } else { Method::Get },
            body: optional("body", &self.body)?,
            ..Login::default()
        };
        login.secrets.extend(login.body.clone());
        for (name, text) in &self.headers {
            login.add_header(name.clone(), resolve(&format!("headers.{name}"), text)?)?;
        }
        for (name, text) in &self.query {
            let value = resolve(&format!("query.{name}"), text)?;
            login.secrets.push(value.clone());
            login.query.push((name.clone(), value));
        }
        if let Some(token) = optional("token", &self.token)? {
            let bearer = Secret::new(format!("Bearer {}", token.expose().trim()));
            login.secrets.push(Secret::new(token.expose().trim().to_owned()));
            login.add_header(AUTHORIZATION, bearer)?;
        }
        if self.password.is_some() && self.username.is_none() {
            return Err(ConnectorError::usage("`login.password` needs `login.username`"));
        }
        if let Some(username) = optional("username", &self.username)? {
            let password = optional("password", &self.password)?;
            let password = password.unwrap_or_else(|| Secret::new(String::new()));
            let both = format!("{}:{}", username.expose(), password.expose());
            let basic = Secret::new(format!("Basic {}", STANDARD.encode(&both)));
            login.secrets.extend([password, Secret::new(both)]);
            login.add_header(AUTHORIZATION, basic)?;
        }
        Ok(login)
    }
}

fn secret(table: &mut Table<'_>, key: &'static str) -> Option<Text> {
    table.take(key)?;
    table.secret(key)
}

/// A table of names that the user chooses.
fn named(table: &mut Table<'_>, key: &'static str) -> Vec<(String, Text)> {
    let Some(mut below) = table.table(key) else { return Vec::new() };
    let path = below.path().to_owned();
    let entries = below.entries().into_iter();
    entries
        .filter_map(|(name, _, entry)| {
            Some((name.to_owned(), entry.secret(&format!("{path}.{name}"))?))
        })
        .collect()
}

fn headers(table: &mut Table<'_>) -> Vec<(HeaderName, Text)> {
    let key = table.name_of("headers");
    let mut headers = Vec::new();
    for (name, text) in named(table, "headers") {
        match name.parse() {
            Ok(name) => headers.push((name, text)),
            Err(_) => {
                let line = text.line();
                table.problems().error(line, format!("`{key}`: a name in it is no header's"));
            }
        }
    }
    headers
}

/// What is sent so that the server knows who asks.
#[derive(Default)]
pub(super) struct Login {
    pub method: Method,
    pub body: Option<Secret>,
    headers: Vec<(HeaderName, HeaderValue)>,
    query: Vec<(String, Secret)>,
    /// All of it that must not be shown.
    pub secrets: Vec<Secret>,
}

impl Login {
    /// Whether anything makes known who asks.
    pub(super) fn is_some(&self) -> bool {
        !self.headers.is_empty() || !self.query.is_empty()
    }

    fn add_header(&mut self, name: HeaderName, value: Secret) -> Result<(), ConnectorError> {
        let mut header = HeaderValue::from_str(value.expose()).map_err(|_| {
            ConnectorError::usage(format!(
                "`login`: the value of the header {name} holds characters that no header can have"
            ))
        })?;
        header.set_sensitive(true);
        self.headers.push((name, header));
        self.secrets.push(value);
        Ok(())
    }
}

impl Authentication for Login {
    fn sign(&self, _: &str, url: &mut Url, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        if !self.query.is_empty() {
            let mut pairs = url.query_pairs_mut();
            for (name, value) in &self.query {
                pairs.append_pair(name, value.expose());
            }
        }
    }
}
