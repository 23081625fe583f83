//! What makes a machine run `sync --all --due` by itself: a crontab line, or systemd units.

use std::io::{self, Write};
use std::time::Duration;

use crate::model::Schedule;

/// What is to be run. No path in it holds a line break.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The absolute path of this program.
    pub program: String,
    /// The absolute path of the config.
    pub config: String,
    /// The folder that it runs in.
    pub folder: String,
    /// Who runs it, for a unit of the system.
    pub user: Option<String>,
}

const MINUTE: Duration = Duration::from_secs(60);

/// Prints one line for a crontab.
pub fn crontab(schedule: &Schedule, run: &Invocation, out: &mut dyn Write) -> io::Result<()> {
    let minutes = schedule.tick.max(MINUTE).as_secs() / 60;
    let when = if minutes == 1 { "*".to_owned() } else { format!("*/{minutes}") };
    let (program, config) = (in_shell(&run.program), in_shell(&run.config));
    let command = format!("{program} --config {config} sync --all --due --quiet");
    // In a crontab a percent sign ends the line; the backslash is cron's, the shell never sees it.
    writeln!(out, "{when} * * * * {}", command.replace('%', "\\%"))
}

/// Prints a script that writes the units and starts the timer.
pub fn systemd_units(schedule: &Schedule, run: &Invocation, out: &mut dyn Write) -> io::Result<()> {
    let Invocation { program, config, folder, user } = run;
    let description = config.replace('%', "%%");
    let (program, config) = (in_unit(program), in_unit(config));
    // A path that stands alone takes no quotes.
    let folder = folder.replace('%', "%%");
    let user = user.as_ref().map(|user| format!("User={user}\n")).unwrap_or_default();
    let when = on_calendar(schedule.tick);
    let jitter = match schedule.jitter.min(schedule.tick).as_secs() {
        0 => String::new(),
        seconds => format!("RandomizedDelaySec={seconds}s\nFixedRandomDelay=true\n"),
    };
    write!(
        out,
        "cat > /etc/systemd/system/invsync.service <<'EOF'
[Unit]
Description=invsync: what is due in {description}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
{user}WorkingDirectory={folder}
ExecStart={program} --config {config} sync --all --due --quiet
# The timer goes on whatever happens. Exit codes other than these mark the unit
# as failed. 6: another run is working on it. Add 3 (partial) and 7 (it tries
# again by itself) to hear of less.
SuccessExitStatus=6
EOF
cat > /etc/systemd/system/invsync.timer <<'EOF'
[Unit]
Description=invsync: look whether something is due

[Timer]
OnCalendar={when}
AccuracySec=1s
{jitter}Persistent=true

[Install]
WantedBy=timers.target
EOF
systemctl daemon-reload
systemctl enable --now invsync.timer
"
    )
}

fn on_calendar(tick: Duration) -> String {
    match tick.as_secs() {
        seconds @ 0..60 => format!("*:*:0/{}", seconds.max(1)),
        60 => "*:*".to_owned(),
        seconds => format!("*:0/{}", seconds / 60),
    }
}

/// A word of a shell's command line.
fn in_shell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A word of a unit's command line: `%` begins a specifier there and `$` a variable.
fn in_unit(word: &str) -> String {
    let word = word.replace('%', "%%").replace('$', "$$");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%$".contains(c);
    if word.chars().all(is_plain) {
        return word;
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(config: &str) -> Invocation {
        Invocation {
            program: "/usr/local/bin/invsync".to_owned(),
            config: config.to_owned(),
            folder: "/srv/shop".to_owned(),
            user: Some("shop".to_owned()),
        }
    }

    fn line(seconds: u64, config: &str) -> String {
        let (tick, jitter) = (Duration::from_secs(seconds), Duration::ZERO);
        let schedule = Schedule { tick, jitter, below_a_minute: Vec::new() };
        let mut out = Vec::new();
        crontab(&schedule, &run(config), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_crontab_line_survives_cron_and_the_shell() {
        insta::assert_snapshot!(line(300, "/srv/shop/invsync.toml"), @"*/5 * * * * /usr/local/bin/invsync --config /srv/shop/invsync.toml sync --all --due --quiet");
        insta::assert_snapshot!(line(10, "/srv/50% off/Ann's $HOME.toml"), @r"* * * * * /usr/local/bin/invsync --config '/srv/50\% off/Ann'\''s $HOME.toml' sync --all --due --quiet");
    }

    #[test]
    fn words_of_a_unit_hold_no_specifiers_and_no_variables() {
        assert_eq!(in_unit("/srv/shop/invsync.toml"), "/srv/shop/invsync.toml");
        assert_eq!(in_unit("/srv/50% off/$HOME"), "\"/srv/50%% off/$$HOME\"");
        assert_eq!(in_unit("a\\b\"c"), "\"a\\\\b\\\"c\"");
    }

    #[test]
    fn calendars_of_systemd() {
        let of = |seconds| on_calendar(Duration::from_secs(seconds));
        assert_eq!([10, 60, 300].map(of), ["*:*:0/10", "*:*", "*:0/5"]);
    }
}
