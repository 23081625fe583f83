//! Standard output, which may go away, fill up, or be wanted only if something went wrong.

use std::io::{self, BufWriter, Seek as _, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::SpooledTempFile;

use crate::model::Exit;

/// Results held back by `--quiet` that stay in memory; more goes to a temporary file.
const HELD_IN_MEMORY_BYTES: usize = 1 << 20;
/// Bytes handed to standard output at once.
const BUFFER_BYTES: usize = 1 << 16;

/// Where results go. Writing never fails: what a run does must not depend on who reads about it.
/// A closed pipe ends the printing, any other failure is told by [`Output::finish`].
pub(super) struct Output {
    target: BufWriter<Box<dyn Write + Send>>,
    held: Option<SpooledTempFile>,
    reader: Reader,
    failure: Option<io::Error>,
}

/// Who reads the output.
#[derive(Clone, Default)]
pub(super) struct Reader {
    is_gone: Arc<AtomicBool>,
}

impl Reader {
    /// Whether nobody will read what is printed from now on.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }
}

impl Output {
    /// Standard output as it is, or what is held with `--quiet` until it is known whether
    /// anybody wants it.
    pub(super) fn stdout(quiet: bool) -> Output {
        let held = quiet.then(|| SpooledTempFile::new(HELD_IN_MEMORY_BYTES));
        Output::new(Box::new(io::stdout()), held)
    }

    fn new(target: Box<dyn Write + Send>, held: Option<SpooledTempFile>) -> Output {
        let target = BufWriter::with_capacity(BUFFER_BYTES, target);
        Output { target, held, reader: Reader::default(), failure: None }
    }

    /// Who reads this output.
    pub(super) fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Prints what was held, unless all went well, and says what could not be printed.
    pub(super) fn finish(mut self, exit: Exit) -> io::Result<()> {
        if let Some(mut held) = self.held.take().filter(|_| exit != Exit::Done) {
            let copied =
                held.seek(SeekFrom::Start(0)).and_then(|_| io::copy(&mut held, &mut self.target));
            self.note(copied);
        }
        self.flush()?;
        self.failure.map_or(Ok(()), Err)
    }

    fn note<T>(&mut self, result: io::Result<T>) {
        if let Err(error) = result {
            self.reader.is_gone.store(true, Ordering::Relaxed);
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.failure.get_or_insert(error);
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.reader.is_gone() {
            let result = match &mut self.held {
                Some(held) => held.write_all(bytes),
                None => self.target.write_all(bytes),
            };
            self.note(result);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.held.is_none() && !self.reader.is_gone() {
            let result = self.target.flush();
            self.note(result);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A standard output that takes what it is given, or fails.
    #[derive(Clone, Default)]
    struct Screen {
        text: Arc<std::sync::Mutex<Vec<u8>>>,
        fails: Option<io::ErrorKind>,
    }

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.fails {
                Some(kind) => Err(kind.into()),
                None => self.text.lock().unwrap().write(bytes),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn printed(fails: Option<io::ErrorKind>, quiet: bool, exit: Exit) -> (io::Result<()>, Vec<u8>) {
        let screen = Screen { fails, ..Screen::default() };
        let held = quiet.then(|| SpooledTempFile::new(4));
        let mut out = Output::new(Box::new(screen.clone()), held);
        out.write_all(b"results").unwrap();
        out.flush().unwrap();
        let result = out.finish(exit);
        let text = screen.text.lock().unwrap().clone();
        (result, text)
    }

    #[test]
    fn quiet_prints_only_when_something_went_wrong() {
        assert_eq!(printed(None, false, Exit::Done).1, b"results");
        assert_eq!(printed(None, true, Exit::Done).1, b"");
        assert_eq!(printed(None, true, Exit::Partial).1, b"results");
    }

    #[test]
    fn a_closed_pipe_is_no_error_and_a_full_disk_is() {
        for quiet in [false, true] {
            assert!(printed(Some(io::ErrorKind::BrokenPipe), quiet, Exit::Partial).0.is_ok());
            let (result, _) = printed(Some(io::ErrorKind::StorageFull), quiet, Exit::Partial);
            assert_eq!(result.unwrap_err().kind(), io::ErrorKind::StorageFull);
        }
    }

    #[test]
    fn a_reader_that_left_is_known() {
        let screen = Screen { fails: Some(io::ErrorKind::BrokenPipe), ..Screen::default() };
        let mut out = Output::new(Box::new(screen), None);
        assert!(!out.reader().is_gone());
        out.write_all(&[b'x'; BUFFER_BYTES * 2]).unwrap();
        assert!(out.reader().is_gone());
    }
}
