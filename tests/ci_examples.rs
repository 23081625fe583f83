//! The examples for CI: they are YAML, and what they run does on the sample what they say. What
//! needs the service itself, or gets the program, is left out.

use std::path::Path;
use std::process::Command;

use yaml_rust2::{Yaml, YamlLoader};

use crate::readme::clone;
use crate::support::Shop;

/// Programs that need a service or a network.
const NOT_RUN: [&str; 3] = ["cargo install", "install", "scp"];

fn example(name: &str) -> Yaml {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    YamlLoader::load_from_str(&text).unwrap().remove(0)
}

/// The commands of a job that can be run here.
fn commands(lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let is_run = |line: &String| !NOT_RUN.iter().any(|program| line.starts_with(program));
    let commands: Vec<_> = lines.into_iter().filter(is_run).collect();
    assert!(commands.iter().all(|command| command.starts_with("invsync ")), "{commands:?}");
    commands
}

fn texts(yaml: &Yaml) -> Vec<String> {
    yaml.as_vec().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn of_github(job: &str) -> Vec<String> {
    let workflow = example("github.yml");
    let steps = workflow["jobs"][job]["steps"].as_vec().unwrap();
    commands(steps.iter().filter_map(|step| step["run"].as_str().map(str::to_owned)))
}

fn of_gitlab(job: &str) -> Vec<String> {
    commands(texts(&example("gitlab-ci.yml")[job]["script"]))
}

/// Runs the commands of a job as its shell would; gives the exit code of each.
fn run(shop: &Shop, commands: &[String]) -> Vec<i32> {
    let program = Path::new(env!("CARGO_BIN_EXE_invsync")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let code = |command: &String| {
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", command]).current_dir(shop.path(""));
        shell.env("PATH", format!("{}:{path}", program.display()));
        shell.env("INVSYNC_CONFIG", "sample-config.toml");
        shell.env("GITHUB_STEP_SUMMARY", shop.path("summary.md"));
        let output = shell.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked") && !stderr.contains("Usage:"), "{command}: {stderr}");
        output.status.code().unwrap()
    };
    commands.iter().map(code).collect()
}

/// The sample, with the two cells put right that are no numbers.
fn sound() -> Shop {
    let shop = clone();
    let feed = shop.read("examples/store-a.csv");
    shop.write("examples/store-a.csv", feed.replace("5O", "50").replace("\"17,90\"", "17.90"));
    shop
}

#[test]
fn a_pull_request_is_checked_as_the_examples_say() {
    let shop = clone();
    // The sample has two cells that are no numbers: the check fails, what only reports does not.
    assert_eq!(run(&shop, &of_github("check")), [5, 0, 0]);
    assert!(shop.read("summary.md").starts_with("### invsync check: 2 errors, "));
    let sarif: serde_json::Value = serde_json::from_str(&shop.read("invsync.sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(run(&shop, &of_gitlab("check")), [5]);
    assert!(shop.read("invsync.xml").contains("<failure type=\"invalid_value\""));
    assert_eq!(run(&shop, &of_gitlab("report")), [0, 0]);
    assert!(shop.read("invsync.md").contains("| store-a | error | invalid_value |"));
    assert_eq!(run(&sound(), &of_github("check")), [0, 0, 0]);
    assert_eq!(run(&sound(), &of_gitlab("check")), [0]);
}

#[test]
fn the_gate_is_closed_where_something_would_change() {
    for gate in [of_github("gate"), of_gitlab("gate")] {
        let shop = sound();
        assert_eq!(run(&shop, &gate), [10]);
        shop.run("--config sample-config.toml pull --all").code(0);
        assert_eq!(run(&shop, &gate), [0]);
    }
}

#[test]
fn drift_is_found() {
    for drift in [of_github("drift"), of_gitlab("drift")] {
        let shop = sound();
        shop.run("--config sample-config.toml sync --all").code(0);
        assert_eq!(run(&shop, &drift), [0, 0]);
        let feed = shop.read("examples/store-c.json");
        shop.write("examples/store-c.json", feed.replacen("12.30", "11.11", 1));
        assert_eq!(run(&shop, &drift), [5, 10]);
    }
}

#[test]
fn all_that_the_examples_read_is_set_or_named_as_to_be_set() {
    let variables = ["REPOSITORY", "SERVER", "KNOWN_HOSTS", "SSH_KEY"];
    for (name, set) in [("github.yml", ": ${{"), ("gitlab-ci.yml", "")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        for variable in variables {
            assert!(text.contains(&format!("\"$INVSYNC_{variable}")), "{name}: {variable}");
            let is_set = |line: &str| line.contains(&format!("INVSYNC_{variable}{set}"));
            let is_told = |line: &&str| is_set(line) && line.contains('$') != set.is_empty();
            assert!(text.lines().any(|line| is_told(&line)), "{name}: {variable}");
        }
    }
}
