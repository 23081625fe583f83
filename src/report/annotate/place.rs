//! Where a finding is, as those see it who look at a repository from its root.

use std::path::{Component, Path, PathBuf};

use crate::model::Finding;

/// The files that findings are about.
#[derive(Clone, Debug)]
pub struct Tree {
    /// What paths are shown relative to: the root of the repository, or else the current folder.
    pub root: PathBuf,
    /// What paths of messages are relative to: the current folder.
    pub folder: PathBuf,
    /// The config, as messages name it.
    pub config: String,
}

/// A file below the root, with `/` between its folders, and a line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) line: u64,
}

impl Tree {
    /// Where a finding is: in its own file, or, where that is none of the tree, where the config
    /// asks for it.
    pub(super) fn place_of(&self, found: &Finding) -> Place {
        let file = found.problem.file.as_deref().and_then(|file| self.below_root(file));
        match file {
            Some(path) => Place { path, line: found.problem.line.unwrap_or(1) },
            None => self.in_config(found.config_line),
        }
    }

    /// A line of the config; 0: its first.
    pub(super) fn in_config(&self, line: u64) -> Place {
        let path = self.below_root(&self.config).unwrap_or_else(|| self.config.clone());
        Place { path, line: line.max(1) }
    }

    fn below_root(&self, file: &str) -> Option<String> {
        let whole = plain(&self.folder.join(file));
        let below = whole.strip_prefix(plain(&self.root)).ok()?;
        let names: Vec<_> = below.iter().map(|name| name.to_string_lossy()).collect();
        Some(names.join("/")).filter(|path| !path.is_empty())
    }
}

/// Without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Problem, ProblemKind, Severity};

    fn place(file: Option<&str>, line: Option<u64>) -> String {
        let tree = Tree {
            root: "/repo".into(),
            folder: "/repo/shop/bin".into(),
            config: "../invsync.toml".to_owned(),
        };
        let problem = Problem {
            kind: ProblemKind::Unlinked,
            item_id: None,
            sku: None,
            file: file.map(str::to_owned),
            line,
            message: String::new(),
            accepted: None,
        };
        let found = Finding { problem, severity: Severity::Warning, config_line: 12 };
        let place = tree.place_of(&found);
        format!("{}:{}", place.path, place.line)
    }

    #[test]
    fn paths_are_those_of_the_repository() {
        assert_eq!(place(Some("./feed.csv"), Some(7)), "shop/bin/feed.csv:7");
        assert_eq!(place(Some("/repo/links/a.csv"), Some(7)), "links/a.csv:7");
        assert_eq!(place(Some("feed.csv"), None), "shop/bin/feed.csv:1");
    }

    #[test]
    fn what_is_not_in_the_repository_is_where_the_config_asks_for_it() {
        assert_eq!(place(None, Some(7)), "shop/invsync.toml:12");
        assert_eq!(place(Some("/srv/feed.csv"), Some(7)), "shop/invsync.toml:12");
    }
}
