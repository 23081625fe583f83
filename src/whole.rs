//! Files for people and other programs that appear whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::leftovers;

/// Writes a file in one step: whoever looks sees the old one or the new one, never a part. What is
/// no plain file, such as `/dev/stdout` or a pipe, is written to as it is.
pub(crate) fn write(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let there = std::fs::metadata(&target).ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        let mut out = BufWriter::new(std::fs::File::create(&target)?);
        fill(&mut out)?;
        return out.flush();
    }
    leftovers::clear(&target);
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let (prefix, mut builder) = (leftovers::prefix(&target), tempfile::Builder::new());
    builder.prefix(&prefix).suffix(leftovers::SUFFIX);
    let made = with_usual_permissions(&mut builder).tempfile_in(folder)?;
    leftovers::hold(made.as_file());
    let mut out = BufWriter::with_capacity(1 << 16, made);
    fill(&mut out)?;
    let made = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    if let Some(there) = there {
        made.as_file().set_permissions(there.permissions())?;
    }
    made.as_file().sync_all()?;
    made.persist(&target).map(drop).map_err(|failed| failed.error)
}

/// A temporary file is private; this one is made as any other file of its owner's, with what the
/// umask leaves.
#[cfg(unix)]
pub(crate) fn with_usual_permissions<'b, 'p, 's>(
    builder: &'b mut tempfile::Builder<'p, 's>,
) -> &'b tempfile::Builder<'p, 's> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(std::fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
pub(crate) fn with_usual_permissions<'b, 'p, 's>(
    builder: &'b mut tempfile::Builder<'p, 's>,
) -> &'b tempfile::Builder<'p, 's> {
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_could_not_be_filled_leaves_the_old_one_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        write(&path, |out| out.write_all(b"old")).unwrap();
        let failed = write(&path, |out| {
            out.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }
}
