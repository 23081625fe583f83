//! Which file is the config: `--config FILE`, else `$INVSYNC_CONFIG`, else `./invsync.toml`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The name that is looked for where none is given.
pub const DEFAULT_NAME: &str = "invsync.toml";

/// The variable that names the config where `--config` does not.
pub const VARIABLE: &str = "INVSYNC_CONFIG";

/// There is no config; exit 2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// The file of `--config` is missing.
    #[error(
        "the config {0} does not exist: check the path after --config, \
         or make one there with `invsync --config {0} init`"
    )]
    Flag(PathBuf),
    /// The file of `$INVSYNC_CONFIG` is missing.
    #[error(
        "the config {0} does not exist: check the path in $INVSYNC_CONFIG, \
         or make one there with `invsync init`"
    )]
    Variable(PathBuf),
    /// Nothing is named and the current folder has none.
    #[error(
        "there is no invsync.toml in the current folder: name a config with --config FILE or \
         $INVSYNC_CONFIG, or make one here with `invsync init`"
    )]
    Default,
}

/// The config to read; it exists.
pub fn find(flag: Option<&Path>) -> Result<PathBuf, FindError> {
    Place::of(flag, std::env::var_os(VARIABLE)).existing()
}

/// The config's path, whether or not it is there already: what `invsync init` makes.
pub fn locate(flag: Option<&Path>) -> PathBuf {
    Place::of(flag, std::env::var_os(VARIABLE)).into_path()
}

/// Where the config is looked for, and who said so.
enum Place {
    Flag(PathBuf),
    Variable(PathBuf),
    Default,
}

impl Place {
    fn of(flag: Option<&Path>, variable: Option<OsString>) -> Place {
        match (flag, variable) {
            (Some(path), _) => Place::Flag(path.to_owned()),
            // As most programs do, an empty variable counts as none.
            (None, Some(path)) if !path.is_empty() => Place::Variable(path.into()),
            _ => Place::Default,
        }
    }

    fn existing(self) -> Result<PathBuf, FindError> {
        match self {
            Place::Flag(path) if is_missing(&path) => Err(FindError::Flag(path)),
            Place::Variable(path) if is_missing(&path) => Err(FindError::Variable(path)),
            Place::Default if is_missing(Path::new(DEFAULT_NAME)) => Err(FindError::Default),
            place => Ok(place.into_path()),
        }
    }

    fn into_path(self) -> PathBuf {
        match self {
            Place::Flag(path) | Place::Variable(path) => path,
            Place::Default => PathBuf::from(DEFAULT_NAME),
        }
    }
}

/// What is there but unreadable is not missing: reading it tells why.
fn is_missing(path: &Path) -> bool {
    matches!(path.try_exists(), Ok(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_beats_the_variable_beats_the_folder() {
        let flag = Some(Path::new("flag.toml"));
        let path = |flag, variable: &str| Place::of(flag, Some(variable.into())).into_path();
        assert_eq!(path(flag, "variable.toml"), Path::new("flag.toml"));
        assert_eq!(path(None, "variable.toml"), Path::new("variable.toml"));
        assert_eq!(path(None, ""), Path::new("invsync.toml"));
        assert_eq!(Place::of(None, None).into_path(), Path::new("invsync.toml"));
    }

    #[test]
    fn a_missing_config_is_named_with_the_way_to_make_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.toml");
        let by_flag = Place::of(Some(&path), None).existing().unwrap_err().to_string();
        let by_variable = Place::of(None, Some(path.clone().into())).existing().unwrap_err();
        for why in [by_flag, by_variable.to_string()] {
            assert!(why.contains("shop.toml") && why.contains("init"), "{why}");
        }
        std::fs::write(&path, "").unwrap();
        assert_eq!(Place::of(Some(&path), None).existing(), Ok(path));
    }
}
