//! Every command of the README does what the README says, in a fresh copy of the sample.

use std::fs;
use std::path::Path;

use crate::support::{Shop, squeezed, words};

/// What a test of the program cannot run: getting and building the program itself, and the
/// schedule of the user's own machine.
const NOT_RUN: [&str; 7] =
    ["git clone", "cd invsync", "cargo build", "cargo test", "(crontab", "systemctl", "journalctl"];
const CARGO_RUN: &str = "cargo run --release -- ";

/// One command of the README, what it prints there, and the exit code it is said to have.
struct Shown {
    line: usize,
    command: String,
    output: String,
    code: i32,
}

/// The commands of all `console` blocks. A command stands behind `$ `; what follows is what it
/// prints, `…` stands for lines left out, and `# exit code N` behind a command is its exit code.
fn commands(readme: &str) -> Vec<Shown> {
    let mut commands: Vec<Shown> = Vec::new();
    let mut is_console = false;
    for (at, line) in readme.lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            is_console = language == "console";
        } else if let (true, Some(command)) = (is_console, line.strip_prefix("$ ")) {
            let (command, code) = command.split_once("# exit code ").unwrap_or((command, "0"));
            let command = command.trim().to_owned();
            commands.push(Shown {
                line: at + 1,
                command,
                output: String::new(),
                code: code.parse().unwrap(),
            });
        } else if let (true, Some(shown)) = (is_console, commands.last_mut()) {
            shown.output += &format!("{line}\n");
        }
    }
    commands
}

fn copy(from: &Path, shop: &Shop, name: &str) {
    if from.is_dir() {
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{name}/{}", entry.file_name().to_str().unwrap());
            copy(&entry.path(), shop, &name);
        }
    } else {
        shop.write(name, fs::read(from).unwrap());
    }
}

/// A fresh clone, as far as the program sees it.
pub(crate) fn clone() -> Shop {
    let shop = Shop::new();
    fs::remove_file(shop.path("invsync.toml")).unwrap();
    for name in ["sample-config.toml", "examples"] {
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name), &shop, name);
    }
    shop
}

/// Times and process ids differ from run to run.
fn steady(text: &str) -> String {
    let is_time = |word: &str| word.parse::<f64>().is_ok();
    let lines = squeezed(text);
    let lines = lines.lines().map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        let mut steady = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let before_seconds = words.get(at + 1) == Some(&"s");
            let is_moment = word.len() == 20 && word.ends_with('Z');
            steady.push(if (before_seconds && is_time(word)) || is_moment { "TIME" } else { word });
        }
        steady.join(" ")
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Whether what was printed is what the README shows.
fn is_as_shown(printed: &str, shown: &str) -> bool {
    let printed = steady(printed);
    let shown = steady(shown);
    let mut rest = printed.as_str();
    for (at, part) in shown.split("…\n").enumerate() {
        let part = part.trim_end_matches('…').trim();
        let Some(place) = rest.find(part) else { return false };
        if at == 0 && place != 0 {
            return false;
        }
        rest = &rest[place + part.len()..];
    }
    shown.ends_with('…') || rest.trim().is_empty()
}

#[test]
fn every_command_of_the_readme_does_what_the_readme_says() {
    let readme = include_str!("../README.md");
    let commands = commands(readme);
    let shop = clone();
    let (mut ran, mut config) = (0, String::new());
    for shown in &commands {
        if let Some(path) = shown.command.strip_prefix("export INVSYNC_CONFIG=") {
            path.clone_into(&mut config);
            continue;
        }
        if NOT_RUN.iter().any(|start| shown.command.starts_with(start)) {
            continue;
        }
        let (command, to_file) = match shown.command.split_once(" > ") {
            Some((command, file)) => (command, Some(file)),
            None => (shown.command.as_str(), None),
        };
        let args = command.strip_prefix(CARGO_RUN).or_else(|| command.strip_prefix("invsync "));
        let args = args.unwrap_or_else(|| panic!("README.md:{}: what is {command}?", shown.line));
        let mut command = shop.command(words(args));
        if !config.is_empty() {
            command.env("INVSYNC_CONFIG", &config);
        }
        let done = shop.finish(&mut command);
        let place = format!("README.md:{}: {}", shown.line, shown.command);
        assert_eq!(done.code, Some(shown.code), "{place}\n{}\n{}", done.stdout, done.stderr);
        if let Some(file) = to_file {
            shop.write(file, &done.stdout);
        } else if !shown.output.trim().is_empty() {
            let printed = format!("{}{}", done.stderr, done.stdout);
            assert!(is_as_shown(&printed, &shown.output), "{place} prints\n{printed}");
        }
        ran += 1;
    }
    assert!(ran >= 15, "only {ran} commands were found");
}

#[test]
fn other_blocks_hold_no_command() {
    let readme = include_str!("../README.md");
    for fence in ["```sh", "```bash", "```shell"] {
        assert!(!readme.contains(fence), "commands stand in ```console blocks, which are tested");
    }
}

#[test]
fn the_sample_runs_from_a_fresh_clone() {
    let shop = clone();
    shop.run("--config sample-config.toml pull store-a")
        .code(3)
        .stdout("MUG-01 Mug \"Bonjour\", white 4 3 -1 applied")
        .stdout("MUG-04 Espresso cup & saucer – 24 applied")
        .stdout("unlinked")
        .stdout("invalid_value");
    shop.run("--config sample-config.toml sync --all").code(3);
    shop.run("--config sample-config.toml sync --all").code(3).stdout_lacks("applied");
}

#[test]
fn the_sample_leaves_what_is_tracked_as_it_is() {
    let shop = clone();
    let before = shop.all_files();
    shop.run("--config sample-config.toml pull --all").code(3);
    shop.run("--config sample-config.toml push --all --dry-run").code(0);
    let after = shop.all_files();
    for (name, bytes) in before {
        assert_eq!(after.get(&name), Some(&bytes), "{name:?}");
    }
}
