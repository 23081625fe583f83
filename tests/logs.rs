//! What is said on stderr: a line for each run with `-v`, lines of JSON with `--log-format json`.

use serde_json::Value;

use crate::support::Shop;

const GOOD: &str = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,3,12.30\n";

fn shop() -> Shop {
    Shop::downloading(GOOD).inventory("sku\nMUG-01\n")
}

fn lines(stderr: &str) -> Vec<Value> {
    stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn verbose_has_one_line_for_each_run() {
    let stderr = shop().run("pull store-a -v").code(0).stderr;
    let line = stderr.trim_end();
    let (at, line) = line.split_once(' ').unwrap();
    assert!(at.len() == 20 && at.ends_with('Z'), "{at}");
    let (line, rest) = line.split_once(" seconds=").unwrap();
    assert_eq!(line, "pull store-a ok items=1 linked=1 stock=1 prices=1");
    assert!(rest.ends_with(" run=2"), "{rest}");
    shop().run("pull store-a --dry-run -v").code(0).stderr(" dry_run");
}

#[test]
fn json_has_a_line_for_each_message_and_run_and_nothing_else() {
    let shop = Shop::downloading("");
    let ran = shop.run("pull store-a --log-format json").code(1);
    let lines = lines(&ran.stderr);
    let levels: Vec<_> = lines.iter().map(|line| line["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["info", "error", "error"], "{}", ran.stderr);
    assert!(lines.iter().all(|line| line["at"].is_string() && line["message"].is_string()));
    assert_eq!(lines[0]["message"], "made the inventory inventory.db");
    let run = &lines[2];
    assert_eq!((&run["run_id"], &run["status"]), (&1.into(), &"failed".into()));
    assert_eq!((&run["integration"], &run["command"]), (&"store-a".into(), &"pull".into()));
    assert_eq!(run["error"], lines[1]["message"]);
}

#[test]
fn warnings_and_wrong_usage_are_lines_of_json_too() {
    let shop = shop();
    let ran = shop.run("pull store-x --log-format json").code(2);
    assert_eq!(lines(&ran.stderr)[0]["level"], "error");
    let shop = shop.config("[notify]\ncommand = [\"./is-not-there\"]\n");
    shop.write("store.csv", "");
    let ran = shop.run("pull store-a --log-format json").code(1);
    let levels: Vec<_> = lines(&ran.stderr).into_iter().map(|line| line["level"].clone()).collect();
    assert!(levels.contains(&"warning".into()), "{levels:?}");
}

#[test]
fn quiet_prints_nothing_at_all_when_all_went_well() {
    let shop = shop();
    shop.run("pull store-a --quiet -v --log-format json").code(0).silent();
    shop.write("store.csv", "");
    let ran = shop.run("pull store-a --quiet -v --log-format json").code(1);
    assert_eq!(lines(&ran.stderr).last().unwrap()["status"], "failed");
}

#[test]
fn wrong_usage_is_a_line_of_json_too() {
    let shop = Shop::new();
    for usage in ["pul st --log-format json", "pull st --bogus --log-format=json"] {
        let ran = shop.run(usage).code(2);
        let line: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
        assert_eq!(line["level"], "error");
        assert!(line["message"].as_str().unwrap().starts_with("un"), "{line}");
    }
}
