//! Feeds on servers of files: against OpenSSH's SFTP server and vsftpd, where they are installed.

#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use tempfile::TempDir;

use crate::support::Shop;

const CSV: &str = "sku,qty\nA,3\nB,4\n";

/// A server of files with a folder of its own; it ends with this.
struct Server {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that a test needs. Where it is not installed the test says so and does not run,
/// but with CI set it fails.
fn program(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/usr/local/sbin"];
    let found = folders.iter().map(|folder| Path::new(folder).join(name)).find(|p| p.exists());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{name} is not installed");
        #[allow(clippy::print_stderr, reason = "a test that did not run must say so")]
        {
            eprintln!("not run: {name} is not installed");
        }
    }
    found
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    fn start(folder: TempDir, port: u16, command: &mut Command) -> Server {
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap();
        let server = Server { folder, port, child };
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || std::fs::read_to_string(server.path("log")).unwrap();
            assert!(Instant::now() < until, "it does not start: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a file there, an hour old.
    fn put(&self, name: &str, text: &str) {
        let path = self.path("files").join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path("files")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn new_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir(folder.path().join("files")).unwrap();
    folder
}

fn shop(source: &str, more: &str) -> Shop {
    Shop::new().inventory("sku\nA\nB\n").config(&format!(
        "[integrations.w]\ntype = \"wholesaler\"\nconnector = \"csv\"\nsource = \"{source}\"\n\
         fields = {{ sku = \"sku\", quantity = \"qty\" }}\n\
         stock = {{ direction = \"download\", warehouse = \"main\" }}\n\
         [integrations.w.http]\nretries = 0\n{more}"
    ))
}

fn key(folder: &Path, name: &str, kind: &str) -> String {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", "", "-f"])
        .arg(folder.join(name))
        .status();
    assert!(made.unwrap().success());
    std::fs::read_to_string(folder.join(format!("{name}.pub"))).unwrap()
}

fn user() -> String {
    let id = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(id.stdout).unwrap().trim().to_owned()
}

/// An SFTP server with an ed25519 and an RSA key, and two users' keys that it lets in.
fn sftp_server() -> Option<Server> {
    let sshd = program("sshd")?;
    let (folder, port) = (new_folder(), free_port());
    // OpenSSH wants it where it is started by root.
    let _ = std::fs::create_dir_all("/run/sshd");
    let at = folder.path().to_owned();
    key(&at, "host", "ed25519");
    key(&at, "host_rsa", "rsa");
    let keys = key(&at, "user", "ed25519") + &key(&at, "user_rsa", "rsa");
    std::fs::write(at.join("authorized_keys"), keys).unwrap();
    let at = at.display();
    let config = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {at}/host\nHostKey {at}/host_rsa\n\
         AuthorizedKeysFile {at}/authorized_keys\nStrictModes no\nUsePAM no\nPidFile none\n\
         PasswordAuthentication yes\nKbdInteractiveAuthentication no\n\
         PermitRootLogin yes\nSubsystem sftp internal-sftp\n"
    );
    std::fs::write(folder.path().join("config"), config).unwrap();
    let config = folder.path().join("config");
    let mut command = Command::new(sshd);
    command.args(["-D", "-e", "-f"]).arg(config);
    Some(Server::start(folder, port, &mut command))
}

impl Server {
    fn sftp(&self, path: &str) -> String {
        format!("sftp://127.0.0.1:{}{}/{path}", self.port, self.path("files").display())
    }

    /// `known_hosts` with one of the server's keys.
    fn knows(&self, host_key: &str) -> String {
        let text = std::fs::read_to_string(self.path(&format!("{host_key}.pub"))).unwrap();
        format!("# ours\n[127.0.0.1]:{} {text}", self.port)
    }

    fn login(&self, user_key: &str) -> String {
        format!(
            "[integrations.w.login]\nusername = \"{}\"\nkey_file = \"{}\"\n\
             known_hosts = \"known_hosts\"\n",
            user(),
            self.path(user_key).display()
        )
    }
}

#[test]
fn a_file_is_fetched_by_sftp() {
    let Some(server) = sftp_server() else { return };
    server.put("stock.csv", CSV);
    for (host_key, user_key) in [("host", "user"), ("host_rsa", "user_rsa")] {
        let shop = shop(&server.sftp("stock.csv"), &server.login(user_key))
            .file("known_hosts", server.knows(host_key));
        shop.run("pull w -v").code(0).stock("main", "A", "3").stock("main", "B", "4");
        // The same bytes are nothing new.
        let run = shop.run("pull w --format json").code(0).one_run();
        assert_eq!(run.text("status"), "unchanged");
    }
}

#[test]
fn the_newest_file_of_an_sftp_server_is_read_and_nothing_is_touched() {
    let Some(server) = sftp_server() else { return };
    for (name, text) in [
        ("s-20261123.csv", "sku,qty\nA,1\n"),
        ("s-20261124.csv", "sku,qty\nA,2\n"),
        ("s-20261125.csv.part", "sku,qty\nA,9\n"),
        ("s-20261126.csv", ""),
    ] {
        server.put(name, text);
    }
    let before = server.names();
    let shop = shop(&server.sftp("s-*.csv*"), &server.login("user"))
        .file("known_hosts", server.knows("host"));
    let ran = shop.run("pull w -v").code(0).stock("main", "A", "2");
    ran.stderr("s-20261124.csv, the newest of 2 by the numbers in their names");
    assert_eq!(server.names(), before);
    let guard = shop.config("[integrations.w.guard]\nmax_age = \"30m\"\n");
    guard.run("pull w").code(4).stdout("max_age");
}

#[test]
fn a_server_that_is_not_the_known_one_gets_nothing() {
    let Some(server) = sftp_server() else { return };
    server.put("stock.csv", CSV);
    let place = |known: &str| {
        shop(&server.sftp("stock.csv"), &server.login("user")).file("known_hosts", known)
    };
    place("").run("pull w").code(1).stderr("is not in").stderr("ssh-keyscan");
    let other = server.knows("host").replace(
        &std::fs::read_to_string(server.path("host.pub")).unwrap(),
        &std::fs::read_to_string(server.path("user.pub")).unwrap(),
    );
    place(&other).run("pull w").code(1).stderr("is not the one that");
    let host = std::fs::read_to_string(server.path("host.pub")).unwrap();
    let revoked = format!("@revoked * {host}{}", server.knows("host"));
    place(&revoked).run("pull w").code(1).stderr("is marked @revoked");
    let log = std::fs::read_to_string(server.path("log")).unwrap();
    assert!(!log.contains("Accepted"), "{log}");
    // Marks of other keys say nothing of this one.
    let user = std::fs::read_to_string(server.path("user.pub")).unwrap();
    let others = format!("@revoked * {user}@cert-authority * {host}");
    place(&others).run("pull w").code(1).stderr("is not in");
    place(&(others + &server.knows("host"))).run("pull w").code(0).stock("main", "A", "3");
}

#[test]
fn what_is_wrong_at_an_sftp_server_is_named() {
    let Some(server) = sftp_server() else { return };
    let at = |path: &str, login: &str| {
        shop(&server.sftp(path), login).file("known_hosts", server.knows("host"))
    };
    let login = server.login("user");
    at("none.csv", &login).run("pull w").code(1).stderr("there is no such file");
    at("none-*.csv", &login).run("pull w").code(1).stderr("no file matches");
    at("", &login).run("pull w").code(1).stderr("it is a folder");
    let password = "[integrations.w.login]\nusername = \"nobody-here\"\npassword = \"w0rd-s3cret\"\n\
                    known_hosts = \"known_hosts\"\n";
    let place = at("stock.csv", password);
    let ran = place.run("pull w -v").code(8).stderr("check [integrations.w.login]");
    assert!(!ran.stderr.contains("w0rd-s3cret") && !ran.stdout.contains("w0rd-s3cret"));
    let no_key = login.replace("/user\"", "/none\"");
    at("stock.csv", &no_key).run("pull w").code(1).stderr("`login.key_file` cannot be used");
    shop("sftp://127.0.0.1/x.csv", "").run("pull w").code(2).stderr("sftp needs a user");
    let nobody = format!("sftp://127.0.0.1:{}/x", free_port());
    shop(&nobody, &login).file("known_hosts", "").run("pull w").code(7).stderr("no connection");
}

/// An FTP server for `anonymous`, who needs a password there; `tls`: and speaks nothing but TLS, with
/// a certificate of its own that is of this kind.
fn ftp_server(tls: Option<IsCa>) -> Option<Server> {
    let vsftpd = program("vsftpd")?;
    let (folder, port) = (new_folder(), free_port());
    let at = folder.path().display();
    std::fs::write(folder.path().join("words"), "w0rd-s3cret\n").unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let mut config = format!(
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\n\
         anonymous_enable=YES\nlocal_enable=NO\nwrite_enable=NO\nanon_root={at}/files\n\
         secure_email_list_enable=YES\nemail_password_file={at}/words\n\
         run_as_launching_user=YES\nsecure_chroot_dir={at}/empty\nseccomp_sandbox=NO\n\
         pasv_address=127.0.0.1\nvsftpd_log_file={at}/vsftpd.log\nxferlog_enable=YES\n"
    );
    if let Some(is_ca) = tls {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.is_ca = is_ca;
        let key = KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("tls.pem"), made.pem() + &key.serialize_pem()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), made.pem()).unwrap();
        config += &format!(
            "ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_data_ssl=YES\n\
             force_anon_logins_ssl=YES\nrsa_cert_file={at}/tls.pem\nssl_ciphers=HIGH\n"
        );
    }
    std::fs::write(folder.path().join("config"), config).unwrap();
    let config = folder.path().join("config");
    Some(Server::start(folder, port, Command::new(vsftpd).arg(config)))
}

const FTP_LOGIN: &str =
    "[integrations.w.login]\nusername = \"anonymous\"\npassword = \"w0rd-s3cret\"\n";

#[test]
fn a_file_is_fetched_by_ftp_and_the_newest_of_several_too() {
    let Some(server) = ftp_server(None) else { return };
    server.put("stock.csv", CSV);
    let url = |path: &str| format!("ftp://127.0.0.1:{}/{path}", server.port);
    let place = shop(&url("stock.csv"), FTP_LOGIN);
    place.run("pull w -v").code(0).stock("main", "A", "3").stock("main", "B", "4");
    for (name, text) in [
        ("s-9.csv", "sku,qty\nA,1\n"),
        ("s-10.csv", "sku,qty\nA,2\n"),
        ("s-11.csv.tmp", "sku,qty\nA,9\n"),
    ] {
        server.put(name, text);
    }
    let place = shop(&url("s-*"), FTP_LOGIN);
    let ran = place.run("pull w -v").code(0).stock("main", "A", "2");
    ran.stderr("s-10.csv, the newest of 2 by the numbers in their names");
    let guard = place.config("[integrations.w.guard]\nmax_age = \"30m\"\n");
    guard.run("pull w").code(4).stdout("max_age");
    shop(&url("none.csv"), FTP_LOGIN).run("pull w").code(1).stderr("the server says: 550");
    let wrong = FTP_LOGIN.replace("w0rd-s3cret", "other-w0rd");
    let place = shop(&url("stock.csv"), &wrong);
    let ran = place.run("pull w -v").code(8).stderr("it rejects the login");
    assert!(!ran.stderr.contains("other-w0rd"));
    let nobody = format!("ftp://127.0.0.1:{}/x", free_port());
    shop(&nobody, FTP_LOGIN).run("pull w").code(7).stderr("Connection refused");
}

#[test]
fn a_file_is_fetched_by_ftp_over_tls() {
    // The second is what `openssl req -x509` makes.
    let self_signed = "no secure connection: its certificate is self-signed";
    for (is_ca, why) in [
        (IsCa::NoCa, self_signed),
        (IsCa::Ca(BasicConstraints::Unconstrained), "put that very one into `http.ca_file`"),
    ] {
        let Some(server) = ftp_server(Some(is_ca)) else { return };
        server.put("stock.csv", CSV);
        let url = format!("ftps://127.0.0.1:{}/stock.csv", server.port);
        let trusted = format!("ca_file = \"{}\"\n{FTP_LOGIN}", server.path("ca.pem").display());
        shop(&url, &trusted).run("pull w").code(0).stock("main", "A", "3");
        // Trying later would not help.
        shop(&url, FTP_LOGIN).run("pull w").code(1).stderr(why);
    }
    let Some(server) = ftp_server(Some(IsCa::NoCa)) else { return };
    let url = |scheme: &str| format!("{scheme}://127.0.0.1:{}/stock.csv", server.port);
    let trusted = format!("ca_file = \"{}\"\n{FTP_LOGIN}", server.path("ca.pem").display());
    // It asks for TLS, so nothing is said without.
    shop(&url("ftp"), &trusted).run("pull w").code(8);
}

#[test]
fn a_pattern_for_folders_is_an_error_of_the_config_and_nobody_is_contacted() {
    let shop = Shop::new().config(
        "[integrations.w]\ntype = \"wholesaler\"\nconnector = \"csv\"\n\
         source = \"ftp://127.0.0.1:1/in-*/stock.csv\"\n\
         fields = { sku = \"sku\", quantity = \"qty\" }\n\
         stock = { direction = \"download\", warehouse = \"main\" }\n",
    );
    shop.run("pull w").code(2).stderr("only the name of the file in `source` may hold");
}

/// An FTP server for one login that knows no TLS; it sends `sent` and then says `last`. Its port.
fn scripted_ftp_server(sent: &'static str, last: &'static str) -> u16 {
    let (commands, data) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (port, data_port) =
        (commands.local_addr().unwrap().port(), data.local_addr().unwrap().port());
    std::thread::spawn(move || -> std::io::Result<()> {
        let mut to = commands.accept()?.0;
        let mut from = BufReader::new(to.try_clone()?);
        write!(to, "220 ready\r\n")?;
        let mut line = String::new();
        while from.read_line(&mut line)? > 0 {
            match line.split_whitespace().next().unwrap_or_default() {
                "AUTH" => write!(to, "530 Please login with USER and PASS.\r\n")?,
                "USER" => write!(to, "331 and the password?\r\n")?,
                "PASS" => write!(to, "230 welcome\r\n")?,
                "TYPE" => write!(to, "200 binary\r\n")?,
                "PASV" => {
                    let (high, low) = (data_port / 256, data_port % 256);
                    write!(to, "227 entering (127,0,0,1,{high},{low})\r\n")?;
                }
                "RETR" => {
                    write!(to, "150 here it comes\r\n")?;
                    write!(data.accept()?.0, "{sent}")?;
                    write!(to, "{last}\r\n")?;
                }
                _ => write!(to, "502 what?\r\n")?,
            }
            line.clear();
        }
        Ok(())
    });
    port
}

#[test]
fn a_transfer_that_the_server_gives_up_may_be_tried_later() {
    for (last, code) in [("500 OOPS: child died", 7), ("426 aborted", 7), ("226 done", 0)] {
        let port = scripted_ftp_server(CSV, last);
        let shop = shop(&format!("ftp://127.0.0.1:{port}/stock.csv"), FTP_LOGIN);
        let ran = shop.run("pull w").code(code);
        if code == 7 {
            ran.stderr("the transfer was cut").stock("main", "A", "–");
        }
    }
}

#[test]
fn a_server_that_offers_no_tls_is_named_and_gets_no_password() {
    let port = scripted_ftp_server(CSV, "226 done");
    let shop = shop(&format!("ftps://127.0.0.1:{port}/stock.csv"), FTP_LOGIN);
    shop.run("pull w").code(1).stderr("it offers no TLS").stderr("530 Please login");
}
