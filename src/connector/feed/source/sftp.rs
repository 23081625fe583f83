//! Servers that speak SFTP. Whoever cannot prove to be the one of `known_hosts` gets no password.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{
    Algorithm, HashAlg, PrivateKeyWithHashAlg, PublicKey, PublicKeyBase64, PublicKeyOrCertificate,
    known_hosts,
};
use russh::{MethodKind, Preferred};
use russh_sftp::client::SftpSession;
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::protocol::StatusCode;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::newest::Candidate;
use super::server::{Address, Files, Look, STALL};
use crate::connector::{ConnectorError, ErrorKind};
use crate::settings::Secret;

/// What is read at once, in bytes.
const BLOCK: usize = 256 << 10;

/// A session with an SFTP server.
pub(super) struct Sftp {
    session: SftpSession,
    /// Kept, for the session ends with it.
    _handle: Handle<HostCheck>,
    /// Dropped last: what is above lives in it.
    runtime: Runtime,
}

impl Sftp {
    pub(super) fn connect(address: &Address) -> Result<Sftp, ConnectorError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|why| ConnectorError::temporary(why.to_string()))?;
        let (handle, session) = runtime.block_on(open(address))?;
        Ok(Sftp { session, _handle: handle, runtime })
    }

    fn wait<T>(
        &self,
        work: impl Future<Output = Result<T, SftpError>>,
    ) -> Result<T, ConnectorError> {
        self.runtime.block_on(async { within(STALL, work).await?.map_err(of_sftp) })
    }
}

impl Files for Sftp {
    fn list(&mut self, folder: &str) -> Result<Vec<Candidate>, ConnectorError> {
        let folder = if folder.is_empty() { "." } else { folder };
        let entries = self.wait(self.session.read_dir(folder))?;
        let files = entries.filter(|entry| !entry.metadata().is_dir());
        Ok(files
            .map(|entry| Candidate {
                name: entry.file_name(),
                length: entry.metadata().len(),
                modified: entry.metadata().modified().ok(),
            })
            .collect())
    }

    fn look(&mut self, path: &str) -> Result<Look, ConnectorError> {
        let metadata = self.wait(self.session.metadata(path))?;
        if metadata.is_dir() {
            return Err(ConnectorError::source("it is a folder; `source` must name a file in it"));
        }
        Ok(Look { length: metadata.size, modified: metadata.modified().ok() })
    }

    fn fetch(
        &mut self,
        path: &str,
        keep: &mut dyn FnMut(&[u8]) -> Result<(), ConnectorError>,
    ) -> Result<(), ConnectorError> {
        let mut file = self.wait(self.session.open(path))?;
        let mut block = vec![0; BLOCK];
        self.runtime.block_on(async {
            loop {
                let read = within(STALL, file.read(&mut block)).await?;
                match read.map_err(|why| cut(&why))? {
                    0 => return Ok(()),
                    count => keep(&block[..count])?,
                }
            }
        })
    }
}

async fn open(address: &Address) -> Result<(Handle<HostCheck>, SftpSession), ConnectorError> {
    let Address { host, port, entry, connect_timeout, .. } = address;
    let known_hosts = match &entry.known_hosts {
        Some(path) => path.clone(),
        None => std::env::home_dir().unwrap_or_default().join(".ssh/known_hosts"),
    };
    let said = Arc::new(Mutex::new(None));
    let check = HostCheck { host: host.clone(), port: *port, known_hosts, said: Arc::clone(&said) };
    let config = client::Config { preferred: check.preferred(), ..client::Config::default() };
    let stream = within(*connect_timeout, TcpStream::connect((host.as_str(), *port))).await?;
    let stream =
        stream.map_err(|why| ConnectorError::temporary(format!("no connection: {why}")))?;
    // Each piece of a file is asked for in a small packet: none of them must wait for company.
    stream.set_nodelay(true).map_err(|why| ConnectorError::temporary(why.to_string()))?;
    let connected = client::connect_stream(Arc::new(config), stream, check);
    let connected = within(STALL, connected).await?;
    let mut handle = connected.map_err(|why| {
        let said = said.lock().unwrap_or_else(PoisonError::into_inner).take();
        said.unwrap_or_else(|| of_ssh(&why))
    })?;
    within(STALL, log_in(&mut handle, address)).await??;
    let channel = within(STALL, handle.channel_open_session()).await?;
    let channel = channel.map_err(|why| of_ssh(&why))?;
    let asked = within(STALL, channel.request_subsystem(true, "sftp")).await?;
    asked.map_err(|why| of_ssh(&why))?;
    let session = within(STALL, SftpSession::new(channel.into_stream())).await?;
    Ok((handle, session.map_err(of_sftp)?))
}

async fn log_in(handle: &mut Handle<HostCheck>, address: &Address) -> Result<(), ConnectorError> {
    let entry = &address.entry;
    let user = entry.username.clone().unwrap_or_default();
    let password = entry.password.as_ref().map(Secret::expose);
    let failed = |why: russh::Error| of_ssh(&why);
    let result = match &entry.key_file {
        Some(path) => {
            let key = russh::keys::load_secret_key(path, password).map_err(|why| {
                ConnectorError::source(format!(
                    "`login.key_file` cannot be used: {why}; it must be a private key, and \
                     `login.password` its passphrase, if it has one"
                ))
            })?;
            let hash = handle.best_supported_rsa_hash().await.map_err(failed)?.flatten();
            let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
            handle.authenticate_publickey(user, key).await.map_err(failed)?
        }
        None => {
            let password = password.unwrap_or_default();
            let first =
                handle.authenticate_password(user.clone(), password).await.map_err(failed)?;
            match &first {
                AuthResult::Failure { remaining_methods, .. }
                    if remaining_methods.contains(&MethodKind::KeyboardInteractive) =>
                {
                    return answer(handle, user, password).await;
                }
                _ => first,
            }
        }
    };
    if result.success() { Ok(()) } else { Err(rejected()) }
}

/// Some servers ask for the password as if a person sat there.
async fn answer(
    handle: &mut Handle<HostCheck>,
    user: String,
    password: &str,
) -> Result<(), ConnectorError> {
    const ROUNDS: usize = 3;
    let failed = |why: russh::Error| of_ssh(&why);
    let mut asked =
        handle.authenticate_keyboard_interactive_start(user, None).await.map_err(failed)?;
    for _ in 0..ROUNDS {
        let KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } = asked else { break };
        let answers = prompts.iter().map(|_| password.to_owned()).collect();
        asked = handle.authenticate_keyboard_interactive_respond(answers).await.map_err(failed)?;
    }
    match asked {
        KeyboardInteractiveAuthResponse::Success => Ok(()),
        _ => Err(rejected()),
    }
}

fn rejected() -> ConnectorError {
    let message = "the server rejects the login".to_owned();
    ConnectorError { kind: ErrorKind::Credentials, message }
}

/// Holds the server's key against `known_hosts`.
struct HostCheck {
    host: String,
    port: u16,
    known_hosts: PathBuf,
    /// Why it was refused.
    said: Arc<Mutex<Option<ConnectorError>>>,
}

impl HostCheck {
    /// The kinds of keys that are known of this host first: a server shows only one.
    fn preferred(&self) -> Preferred {
        let known = known_hosts::known_host_keys_path(&self.host, self.port, &self.known_hosts);
        let known = known.unwrap_or_default();
        let all = Preferred::default();
        // An RSA key signs by several algorithms.
        let is_same =
            |a: &Algorithm, b: &Algorithm| a == b || (a.clone().is_rsa() && b.clone().is_rsa());
        let is_known = |algorithm: &Algorithm| {
            known.iter().any(|(_, key)| is_same(&key.algorithm(), algorithm))
        };
        let (mut sorted, rest): (Vec<_>, Vec<_>) = all.key.iter().cloned().partition(is_known);
        sorted.extend(rest);
        Preferred { key: Cow::Owned(sorted), ..all }
    }

    /// Whether `known_hosts` has the key in a line `@revoked hosts algorithm key`. The hosts do not
    /// matter: such a key proves nothing anywhere.
    fn is_revoked(&self, key: &PublicKey) -> bool {
        let key = key.public_key_base64();
        // What cannot be read is told by the look for known keys.
        let text = std::fs::read(&self.known_hosts).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some("@revoked") && words.nth(2) == Some(key.as_str())
        })
    }

    fn refuse(&self, message: String) -> bool {
        let error = ConnectorError::source(message);
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        false
    }
}

impl client::Handler for HostCheck {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else {
            return Ok(self.refuse("it shows a certificate, which is not read".to_owned()));
        };
        let (path, print) = (self.known_hosts.display(), key.fingerprint(HashAlg::Sha256));
        if self.is_revoked(key) {
            return Ok(self.refuse(format!(
                "its key ({}, {print}) is marked @revoked in {path}: who has it may be anybody; \
                 nothing was sent to it. Ask its owner for the new key",
                key.algorithm()
            )));
        }
        let found =
            known_hosts::check_known_hosts_path(&self.host, self.port, key, &self.known_hosts);
        Ok(match found {
            Ok(true) => true,
            Ok(false) => self.refuse(format!(
                "its key ({}, {print}) is not in {path}, so nothing was sent to it; if its owner \
                 confirms that key, add it: ssh-keyscan -p {} {} >> known_hosts",
                key.algorithm(),
                self.port,
                self.host
            )),
            Err(russh::keys::Error::KeyChanged { .. }) => self.refuse(format!(
                "its key ({}, {print}) is not the one that {path} has for it: another server \
                 answers there, or its owner changed the key; nothing was sent to it. Ask its \
                 owner before you change that file",
                key.algorithm()
            )),
            Err(why) => self.refuse(format!("{path} cannot be read: {why}")),
        })
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, ConnectorError> {
    tokio::time::timeout(limit, work).await.map_err(|_| {
        ConnectorError::temporary(format!("no answer within {} s", limit.as_secs_f32()))
    })
}

fn cut(why: &std::io::Error) -> ConnectorError {
    ConnectorError::temporary(format!("the connection was cut: {why}"))
}

fn of_ssh(why: &russh::Error) -> ConnectorError {
    match why {
        russh::Error::NoCommonAlgo { .. } => {
            ConnectorError::source(format!("it speaks no SSH that is safe enough: {why}"))
        }
        _ => ConnectorError::temporary(format!("no SSH connection: {why}")),
    }
}

fn of_sftp(why: SftpError) -> ConnectorError {
    match &why {
        SftpError::Status(status) => match status.status_code {
            StatusCode::NoSuchFile => ConnectorError::source(
                "there is no such file; check `source`, or wait for the file to be delivered",
            ),
            StatusCode::PermissionDenied => {
                ConnectorError::source("it may not be read by this user")
            }
            _ => ConnectorError::temporary(format!("the server says: {why}")),
        },
        _ => ConnectorError::temporary(format!("the connection was cut: {why}")),
    }
}
