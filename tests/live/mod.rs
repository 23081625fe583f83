//! The program against real store servers, which `tests/live/run` installs, starts and stops. Without
//! it these tests are listed as ignored; asked for without a server they fail and say what to do.

mod medusa;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// A server that runs, as its script left word of it.
struct Server {
    folder: PathBuf,
    seed: Value,
}

impl Server {
    /// The server of this name.
    fn find(name: &str) -> Server {
        let servers = std::env::var_os("INVSYNC_LIVE_SERVERS").unwrap_or_else(|| {
            panic!("no live servers: run these tests by tests/live/run, which starts them")
        });
        let folder = PathBuf::from(servers).join(name);
        let seed = std::fs::read(folder.join("seed.json")).unwrap_or_else(|why| {
            panic!("{} has no server that was started and filled: {why}", folder.display())
        });
        Server { folder, seed: serde_json::from_slice(&seed).unwrap() }
    }

    /// A text that the seeding left.
    fn text(&self, name: &str) -> String {
        self.seed[name].as_str().unwrap().to_owned()
    }
}

/// What curl gets.
fn curl(args: &[&str]) -> Value {
    let output = Command::new("curl").args(["-sSf", "-g"]).args(args).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "curl {args:?}: {stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}
