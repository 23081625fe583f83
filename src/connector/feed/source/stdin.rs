//! `source = "-"`: what is piped in, taken whole before anything of it is used.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::fetched::{Fetched, new_file, not_kept};
use crate::around::Around;
use crate::connector::{ConnectorError, Origin};

/// How long a wait goes on before it looks again whether it is to stop.
const GLANCE: Duration = Duration::from_millis(50);
/// What is read at once, in bytes.
const BLOCK: usize = 64 << 10;
/// Where it comes from, for messages.
const NAME: &str = "standard input";

/// Everything that comes, up to its end.
pub(super) fn fetch(around: &Around) -> Result<Fetched, ConnectorError> {
    if io::stdin().is_terminal() {
        return Err(ConnectorError::source(
            "standard input is a terminal; pipe the feed in: invsync pull NAME < feed.csv",
        ));
    }
    let mut file = new_file()?;
    let (sender, blocks) = mpsc::sync_channel(4);
    // Reading blocks, so a thread does it: one that is left behind ends with the process.
    std::thread::Builder::new()
        .spawn(move || {
            loop {
                let block = read_block();
                let is_last = block.as_ref().map_or(true, Vec::is_empty);
                if sender.send(block).is_err() || is_last {
                    return;
                }
            }
        })
        .map_err(|why| ConnectorError::temporary(format!("no thread can be started: {why}")))?;
    loop {
        match blocks.recv_timeout(GLANCE) {
            Ok(Ok(block)) if block.is_empty() => break,
            Ok(Ok(block)) => file.write_all(&block).map_err(|why| not_kept(&why))?,
            Ok(Err(why)) => {
                return Err(ConnectorError::source(format!("{NAME} cannot be read: {why}")));
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if around.is_interrupted() {
            return Err(ConnectorError::interrupted());
        }
    }
    Fetched::temporary(NAME.to_owned(), file, Origin::default())
}

/// The next bytes; none at the end.
fn read_block() -> io::Result<Vec<u8>> {
    let mut block = vec![0; BLOCK];
    loop {
        match io::stdin().lock().read(&mut block) {
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
            Ok(count) => {
                block.truncate(count);
                return Ok(block);
            }
        }
    }
}
