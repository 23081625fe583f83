//! A real browser without a screen.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

/// What it is called here.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The name of the browser; where there is none that is said loudly, and fails in CI.
pub(crate) fn browser() -> Option<&'static str> {
    let is_there = |name: &&str| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    };
    let found = NAMES.into_iter().find(is_there);
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "chromium is missing");
        // Past what a test's output is kept back in.
        let said = b"NOT RUN: chromium is missing; no page was looked at\n";
        std::io::stderr().write_all(said).unwrap();
    }
    found
}

/// Opens a page; `args` say what to do with it.
pub(crate) fn open(browser: &str, page: &Path, hash: &str, args: &[&str]) -> Output {
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]);
    command.args(["--no-first-run", "--disable-background-networking", "--disable-sync"]);
    command.args(["--disable-component-update", "--enable-logging=stderr"]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.args(args).arg(format!("file://{}{hash}", page.display()));
    command.output().unwrap()
}

/// The page as it stands after its script ran.
pub(crate) fn dom(browser: &str, page: &Path, hash: &str) -> String {
    let output = open(browser, page, hash, &["--dump-dom"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("Content Security Policy"), "{said}");
    String::from_utf8(output.stdout).unwrap()
}
