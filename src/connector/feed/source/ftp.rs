//! Servers that speak FTP, with or without TLS. Always passive.

use std::io::Read;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use suppaftp::list::{File as Listed, ListParser};
use suppaftp::types::{FileType, Response};
use suppaftp::{FtpError, Mode, RustlsConnector, RustlsFtpStream, Status};

use super::newest::Candidate;
use super::server::{Address, Files, Look, STALL, Scheme};
use crate::connector::http::{tls_failure, trusting};
use crate::connector::{ConnectorError, ErrorKind};
use crate::settings::Secret;

/// What is read at once, in bytes.
const BLOCK: usize = 64 << 10;
/// Where TLS begins before anything is said.
const IMPLICIT_PORT: u16 = 990;
/// The name and word of who has none.
const ANONYMOUS: (&str, &str) = ("anonymous", "anonymous@");

/// A connection to an FTP server.
pub(super) struct Ftp {
    stream: RustlsFtpStream,
}

impl Ftp {
    pub(super) fn connect(address: &Address) -> Result<Ftp, ConnectorError> {
        let Address { host, port, entry, connect_timeout, .. } = address;
        let found = (host.as_str(), *port).to_socket_addrs().map_err(|why| {
            ConnectorError::temporary(format!("the name {host} cannot be resolved: {why}"))
        })?;
        let socket = connect(found, *connect_timeout)?;
        let is_ipv6 = socket.peer_addr().is_ok_and(|peer| peer.is_ipv6());
        let mut stream = match (address.scheme, *port) {
            (Scheme::Ftps, IMPLICIT_PORT) => {
                drop(socket);
                let connector = connector(address)?;
                RustlsFtpStream::connect_secure_implicit((host.as_str(), *port), connector, host)
                    .map_err(of_ftp)?
            }
            (Scheme::Ftps, _) => {
                let connector = connector(address)?;
                let plain = RustlsFtpStream::connect_with_stream(socket).map_err(of_ftp)?;
                plain.into_secure(connector, host).map_err(of_auth)?
            }
            _ => RustlsFtpStream::connect_with_stream(socket).map_err(of_ftp)?,
        };
        let timeout = *connect_timeout;
        stream = stream.passive_stream_builder(move |peer| {
            connect([peer], timeout)
                .map_err(|why| FtpError::ConnectionError(std::io::Error::other(why.message)))
        });
        stream.set_mode(if is_ipv6 { Mode::ExtendedPassive } else { Mode::Passive });
        // Servers behind a router often tell an address that only they can reach.
        stream.set_passive_nat_workaround(true);
        let user = entry.username.as_deref().unwrap_or(ANONYMOUS.0);
        let password = entry.password.as_ref().map_or(ANONYMOUS.1, Secret::expose);
        stream.login(user, password).map_err(|why| match why {
            FtpError::UnexpectedResponse(said) if (500..600).contains(&said.status.code()) => {
                ConnectorError {
                    kind: ErrorKind::Credentials,
                    message: format!("it rejects the login: {}", words(&said)),
                }
            }
            other => of_ftp(other),
        })?;
        stream.transfer_type(FileType::Binary).map_err(of_ftp)?;
        Ok(Ftp { stream })
    }
}

impl Files for Ftp {
    fn list(&mut self, folder: &str) -> Result<Vec<Candidate>, ConnectorError> {
        let folder = (!folder.is_empty()).then_some(folder);
        let (lines, is_exact) = match self.stream.mlsd(folder) {
            Ok(lines) => (lines, true),
            Err(FtpError::UnexpectedResponse(_)) => {
                (self.stream.list(folder).map_err(of_ftp)?, false)
            }
            Err(why) => return Err(of_ftp(why)),
        };
        let parsed = |line: &String| match is_exact {
            true => ListParser::parse_mlsd(line).ok(),
            false => ListParser::parse_posix(line).or_else(|_| ListParser::parse_dos(line)).ok(),
        };
        let files = lines.iter().filter_map(parsed).filter(|file| !file.is_directory());
        Ok(files.map(|file: Listed| candidate(&file)).collect())
    }

    fn look(&mut self, path: &str) -> Result<Look, ConnectorError> {
        let length = match self.stream.size(path) {
            Ok(length) => Some(length as u64),
            // Not every server knows these.
            Err(FtpError::UnexpectedResponse(said)) if is_unknown(said.status) => None,
            Err(why) => return Err(of_ftp(why)),
        };
        let modified = self.stream.mdtm(path).ok().and_then(|time| {
            let seconds = u64::try_from(time.and_utc().timestamp()).ok()?;
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
        });
        Ok(Look { length, modified })
    }

    fn fetch(
        &mut self,
        path: &str,
        keep: &mut dyn FnMut(&[u8]) -> Result<(), ConnectorError>,
    ) -> Result<(), ConnectorError> {
        let mut stream = self.stream.retr_as_stream(path).map_err(of_ftp)?;
        let mut block = vec![0; BLOCK];
        loop {
            match stream.read(&mut block) {
                Ok(0) => break,
                Ok(count) => keep(&block[..count])?,
                Err(why) if why.kind() == std::io::ErrorKind::Interrupted => {}
                Err(why) => return Err(of_io(&why)),
            }
        }
        // Only the server's last word says that this was all.
        stream.finish().map_err(|why| match why {
            FtpError::UnexpectedResponse(said) => {
                let words = words(&said);
                ConnectorError::temporary(format!("the transfer was cut; the server says: {words}"))
            }
            other => of_ftp(other),
        })
    }
}

fn connect(
    addresses: impl IntoIterator<Item = SocketAddr>,
    timeout: Duration,
) -> Result<TcpStream, ConnectorError> {
    let mut why = None;
    for address in addresses {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => {
                let limited = stream
                    .set_read_timeout(Some(STALL))
                    .and_then(|()| stream.set_write_timeout(Some(STALL)));
                return limited.map(|()| stream).map_err(|why| of_io(&why));
            }
            Err(error) => why = Some(error),
        }
    }
    Err(match why {
        Some(why) => ConnectorError::temporary(format!("no connection: {why}")),
        None => ConnectorError::temporary("its name has no address"),
    })
}

fn connector(address: &Address) -> Result<RustlsConnector, ConnectorError> {
    let mut roots = Vec::new();
    if let Some(path) = &address.entry.ca_file {
        let found =
            CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        roots = found.map_err(|why| ConnectorError::usage(format!("`http.ca_file`: {why}")))?;
    }
    let config = trusting(roots)
        .map_err(|why| ConnectorError::usage(format!("TLS cannot be used: {why}")))?;
    Ok(RustlsConnector::from(Arc::new(config)))
}

fn candidate(file: &Listed) -> Candidate {
    // Some servers give the path.
    let name = file.name().rsplit('/').next().unwrap_or_default().to_owned();
    Candidate { name, length: file.size() as u64, modified: Some(file.modified()) }
}

fn is_unknown(status: Status) -> bool {
    matches!(status, Status::BadCommand | Status::NotImplemented | Status::NotImplementedParameter)
}

fn of_io(why: &std::io::Error) -> ConnectorError {
    if let Some(error) = tls_failure(why) {
        return error;
    }
    ConnectorError::temporary(match why.kind() {
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => {
            format!("no byte for {} s", STALL.as_secs())
        }
        _ => format!("the connection was cut: {why}"),
    })
}

/// Why TLS did not begin: most servers that have none refuse the very word.
fn of_auth(why: FtpError) -> ConnectorError {
    match why {
        FtpError::UnexpectedResponse(said) if said.status.code() >= 500 => {
            ConnectorError::source(format!(
                "it offers no TLS (to AUTH TLS it says: {}), so nothing was sent to it; ask its owner \
                 for ftps, or write ftp://, with which everyone on the way reads the password",
                words(&said)
            ))
        }
        other => of_ftp(other),
    }
}

fn of_ftp(why: FtpError) -> ConnectorError {
    match why {
        FtpError::ConnectionError(why) => of_io(&why),
        FtpError::UnexpectedResponse(said) => {
            let kind = match said.status.code() {
                530 | 532 | 430 => ErrorKind::Credentials,
                500..600 => ErrorKind::Source,
                _ => ErrorKind::Temporary,
            };
            ConnectorError { kind, message: format!("the server says: {}", words(&said)) }
        }
        FtpError::SecureError(why) => {
            ConnectorError::temporary(format!("no secure connection: {why}"))
        }
        other => ConnectorError::temporary(other.to_string()),
    }
}

/// `550 No such file`.
fn words(said: &Response) -> String {
    let text = String::from_utf8_lossy(&said.body);
    let text = text.trim();
    match text.starts_with(|c: char| c.is_ascii_digit()) {
        true => text.to_owned(),
        false => format!("{} {text}", said.status.code()),
    }
}
