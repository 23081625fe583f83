//! Programs of the user's that are started: found as the config names them, waited for no longer
//! than they may take, ended with all that they started.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// How long a wait goes on before it looks again whether the program ended, or is to be ended.
const GLANCE: Duration = Duration::from_millis(20);
/// How much of the end of what a program says is looked at, in bytes.
const TAIL_BYTES: u64 = 2 << 10;
/// How many of its last lines are kept.
const LAST_LINES: usize = 3;

/// A program with its arguments, about to run in a folder. No shell has a look at them.
pub(crate) fn command<'w>(mut words: impl Iterator<Item = &'w str>, folder: &Path) -> Command {
    let program = Path::new(words.next().unwrap_or_default());
    // A bare name is looked for in PATH; a path is one beside the config.
    let is_path = program.components().count() > 1;
    let program = if is_path { folder.join(program) } else { program.to_owned() };
    // A folder that is not said is this one.
    let folder = if folder.as_os_str().is_empty() { ".".as_ref() } else { folder };
    let program = if is_path { std::path::absolute(&program).unwrap_or(program) } else { program };
    let mut command = Command::new(program);
    command.args(words).current_dir(folder);
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        // Of its own, so that all it starts can be ended with it.
        command.process_group(0);
    }
    command
}

/// How waiting for a program came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// It ended by itself.
    Ended(ExitStatus),
    /// It took too long and was ended.
    TooLong,
    /// It was ended because a signal asked for that.
    Interrupted,
}

/// Waits for a program, so long at most.
pub(crate) fn wait(
    child: &mut Child,
    limit: Duration,
    is_interrupted: &dyn Fn() -> bool,
) -> io::Result<Waited> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Waited::Ended(status));
        }
        let is_over = began.elapsed() >= limit;
        if is_over || is_interrupted() {
            end(child);
            return Ok(if is_over { Waited::TooLong } else { Waited::Interrupted });
        }
        std::thread::sleep(GLANCE);
    }
}

/// Ends a program and all that it started.
fn end(child: &mut Child) {
    #[cfg(target_os = "linux")]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The last lines of what a program said; `None` where it said nothing. They may hold secrets.
pub(crate) fn last_lines(mut said: File) -> Option<String> {
    let mut tail = Vec::new();
    let length = said.metadata().map_or(0, |metadata| metadata.len());
    said.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES))).ok()?;
    said.take(TAIL_BYTES).read_to_end(&mut tail).ok()?;
    let tail = String::from_utf8_lossy(&tail);
    let lines: Vec<&str> = tail.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    (!last.is_empty()).then(|| last.join(" | "))
}
