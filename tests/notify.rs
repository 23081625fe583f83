//! `[notify]`: a program is told of runs that did not go well.

use serde_json::Value;

use crate::support::Shop;

const GOOD: &str = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,3,12.30\n";
const BAD_CELL: &str = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,many,12.30\n";

/// Keeps what it is told in `told.json`, one object a line.
const KEEP: &str = r#"
[notify]
command = ["sh", "-c", "cat >> told.json"]
"#;

fn told(shop: &Shop) -> Vec<Value> {
    if !shop.path("told.json").exists() {
        return Vec::new();
    }
    let told = shop.read("told.json");
    let runs = told.lines().map(|line| {
        let told: Value = serde_json::from_str(line).unwrap();
        assert_eq!(told["schema_version"], 1);
        assert_eq!(told["runs"].as_array().unwrap().len(), 1);
        told["runs"][0].clone()
    });
    runs.collect()
}

#[test]
fn it_is_told_of_failed_partial_and_blocked_runs_and_of_no_other() {
    let shop = Shop::downloading(GOOD).config(KEEP).inventory("sku\nMUG-01\n");
    shop.run("pull store-a").code(0);
    assert!(told(&shop).is_empty());
    shop.write("store.csv", BAD_CELL);
    let printed = shop.run("pull store-a --format json").code(3);
    assert_eq!(told(&shop), [printed.one_run().0], "the run as it was printed");
    std::fs::remove_file(shop.path("store.csv")).unwrap();
    shop.run("pull store-a --quiet").code(1);
    assert_eq!(told(&shop)[1]["status"], "failed");
    shop.write("store.csv", "id,sku,ean,name,qty,price\n2,CUP-02,,Cup,3,12.30\n");
    shop.run("pull store-a").code(4);
    assert_eq!(told(&shop)[2]["status"], "blocked");
}

#[test]
fn it_is_not_told_of_dry_runs_and_locked_ones() {
    let shop = Shop::downloading(BAD_CELL).config(KEEP);
    shop.run("pull store-a --dry-run").code(3);
    shop.run("init").code(0);
    let lock = std::fs::File::create(shop.path("inventory.db.store-a.lock")).unwrap();
    lock.lock().unwrap();
    shop.run("pull store-a").code(6);
    assert!(told(&shop).is_empty());
}

#[test]
fn on_says_of_which_runs_it_is_told() {
    let shop = Shop::downloading(BAD_CELL).config(KEEP).config("on = [\"failed\"]");
    shop.run("pull store-a").code(3);
    assert!(told(&shop).is_empty());
    std::fs::remove_file(shop.path("store.csv")).unwrap();
    shop.run("pull store-a").code(1);
    assert_eq!(told(&shop).len(), 1);
}

#[test]
fn a_program_that_fails_changes_nothing_about_the_run() {
    for (command, why) in [
        (r#"["false"]"#, "it ended with exit status: 1"),
        (r#"["sh", "-c", "echo no mail today >&2; exit 3"]"#, "it said: no mail today"),
        (r#"["./no-such-program"]"#, "it cannot be started"),
        (r#"["sh", "-c", "echo ${TOKEN}; exit 1", "${TOKEN}"]"#, "it said: ***"),
    ] {
        let notify = format!("[notify]\ncommand = {command}\n");
        let shop = Shop::downloading(BAD_CELL).config(&notify);
        let ran = shop.run_with(("TOKEN", "s3cret-token"), "pull store-a").code(3);
        assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
        ran.stderr("warning: `notify.command` was not told of this run: ").stderr(why);
        assert_eq!(shop.price("retail", "MUG-01"), None);
    }
}

#[test]
fn a_program_that_hangs_is_ended() {
    let notify = "[notify]\ncommand = [\"sh\", \"-c\", \"sleep 600 & wait\"]\ntimeout = \"1s\"\n";
    let shop = Shop::downloading(BAD_CELL).config(notify);
    let began = std::time::Instant::now();
    shop.run("pull store-a").code(3).stderr("it did not end within 1 s (`notify.timeout`)");
    assert!(began.elapsed().as_secs() < 60);
}

#[test]
fn what_is_wrong_with_its_table_is_told() {
    let shop = Shop::new().config("[notify]\non = [\"failed\", \"ok\"]\ntimeout = \"0s\"\n");
    let ran = shop.run("pull --all").code(2);
    insta::assert_snapshot!(ran.stderr, @r#"
        error: invsync.toml:9: `notify.command` is missing
        invsync.toml:10: `notify.on` must be "failed", "partial", "blocked" or "interrupted"
        invsync.toml:11: `notify.timeout` must be longer than "0s"
        "#);
}
