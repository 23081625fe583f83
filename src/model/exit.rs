//! Exit codes, and which of several wins.

/// The exit codes of invsync, in the order in which they win over each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Exit {
    /// 0: done, or nothing to do.
    #[default]
    Done,
    /// 10: with `--dry-run --exit-code` there are differences.
    Differences,
    /// 9: of `status`: something is overdue.
    Overdue,
    /// 6: another run holds this integration's lock.
    Locked,
    /// 3: the rest is done and recorded.
    Partial,
    /// 5: `check` found errors.
    CheckFailed,
    /// 4: a guard stopped a section or something was held back.
    Guarded,
    /// 7: trying later may help.
    Temporary,
    /// 8: the other side rejected the credentials.
    Credentials,
    /// 1: the run failed.
    Failed,
    /// 2: wrong usage or config; nobody was contacted. Ends a command before any run starts.
    Usage,
    /// 130: interrupted; what was sent is recorded.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Partial => 3,
            Exit::Guarded => 4,
            Exit::CheckFailed => 5,
            Exit::Locked => 6,
            Exit::Temporary => 7,
            Exit::Credentials => 8,
            Exit::Overdue => 9,
            Exit::Differences => 10,
            Exit::Interrupted => 130,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_first_of_the_contracts_list_wins() {
        let order = [130, 1, 8, 7, 4, 5, 3, 6, 9, 10, 0];
        let mut all = [
            Exit::Done,
            Exit::Differences,
            Exit::Overdue,
            Exit::Locked,
            Exit::Partial,
            Exit::CheckFailed,
            Exit::Guarded,
            Exit::Temporary,
            Exit::Credentials,
            Exit::Failed,
            Exit::Interrupted,
        ];
        all.sort_by_key(|exit| std::cmp::Reverse(*exit));
        assert_eq!(all.map(|exit| u16::from(exit.code())), order.map(|c: u16| c));
    }
}
