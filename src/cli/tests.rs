use clap::{CommandFactory as _, Parser as _};

use super::Cli;
use super::flags::Allowed;
use crate::model::Guard;

fn parse(words: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(words.split(' '))
}

fn refused(words: &str) -> String {
    let error = parse(words).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{words}");
    error.to_string()
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_explains_itself_with_examples() {
    for command in Cli::command().get_subcommands() {
        assert!(command.get_about().is_some(), "{}", command.get_name());
        assert!(command.get_after_help().is_some(), "{}", command.get_name());
    }
}

#[test]
fn common_flags_stand_before_or_after_the_command() {
    for words in [
        "invsync --config a.toml --dry-run pull store-a",
        "invsync pull store-a --config a.toml --dry-run",
        "invsync pull --dry-run store-a --config=a.toml",
    ] {
        let cli = parse(words).unwrap();
        assert!(cli.common.dry_run && cli.common.config.is_some(), "{words}");
    }
}

#[test]
fn repeatable_flags_add_up() {
    let cli = parse("invsync pull a --sku A --sku B --allow max_changed --allow all").unwrap();
    assert_eq!(cli.common.skus, ["A", "B"]);
    assert_eq!(cli.common.allow, [Allowed::One(Guard::MaxChanged), Allowed::All]);
    assert!(Guard::ALL.iter().all(|guard| cli.common.options().allow.contains(guard)));
}

#[test]
fn an_unknown_guard_lists_the_known_ones() {
    let error = refused("invsync pull a --allow max_change");
    assert!(error.contains("max_changed") && error.contains("`all`"), "{error}");
}

#[test]
fn wrong_usage_is_exit_2() {
    refused("invsync");
    refused("invsync pul a");
    refused("invsync pull a --all");
    refused("invsync pull a --only links");
    refused("invsync pull a --wait soon");
    refused("invsync pull a --limit -1");
    refused("invsync inventory set MUG-01");
    refused("invsync inventory set MUG-01 stock.main");
    refused("invsync link set store-a 17");
}

#[test]
fn durations_and_limits_are_read() {
    let cli = parse("invsync pull a --wait 1h30m --limit 0").unwrap();
    assert_eq!(cli.common.wait.as_secs(), 5400);
    assert_eq!(cli.common.style().limit, None);
    assert_eq!(parse("invsync pull a --wait 0").unwrap().common.wait.as_secs(), 0);
}

#[test]
fn help_and_version_are_no_error() {
    for words in ["invsync --help", "invsync --version", "invsync pull --help", "invsync help"] {
        assert_eq!(parse(words).unwrap_err().exit_code(), 0, "{words}");
    }
}
