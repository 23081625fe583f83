//! Two at once: runs of one integration never overlap.

use std::process::Child;
use std::time::{Duration, Instant};

use crate::support::{DOWNLOAD, STORE_A, Shop};

const STORE: &str = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,3,12.30\n";

fn shop() -> Shop {
    Shop::downloading(STORE)
        .config(&STORE_A.replace("store-a", "store-b"))
        .config(&DOWNLOAD.replace("store-a", "store-b"))
        .inventory("sku,stock.main\nMUG-01,4\n")
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Another program that writes to the inventory for as long as this lives.
fn writer(shop: &Shop) -> rusqlite::Connection {
    let conn = shop.sql();
    conn.execute_batch("BEGIN IMMEDIATE").unwrap();
    conn
}

/// A pull that has its integration's lock, and waits for another program to be done.
fn waiting_pull(shop: &Shop) -> Child {
    let child = shop.start("pull store-a");
    let lock = shop.path("inventory.db.store-a.lock");
    wait_until("it has the lock", || {
        std::fs::read_to_string(&lock).is_ok_and(|text| text.contains("pull"))
    });
    child
}

#[test]
fn a_second_run_of_one_integration_names_the_first_and_exits_6() {
    let shop = shop();
    let writer = writer(&shop);
    let mut first = waiting_pull(&shop);
    let second = shop.run("pull store-a --format json").code(6);
    let run = second.one_run();
    assert_eq!((run.text("status"), run.0["run_id"].is_null()), ("locked", true));
    let holder = format!("process {}", first.id());
    assert!(run.text("error").contains(&holder), "{}", run.text("error"));
    shop.run("push store-b").code(2);
    drop(writer);
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert_eq!(shop.json("runs")["runs"].as_array().unwrap().len(), 2);
}

#[test]
fn a_run_that_may_wait_goes_on_after_the_first() {
    let shop = shop();
    let writer = writer(&shop);
    let mut first = waiting_pull(&shop);
    let second = shop.start("pull store-a --wait 30s");
    std::thread::sleep(Duration::from_millis(200));
    drop(writer);
    let second = second.wait_with_output().unwrap();
    assert_eq!(second.status.code(), Some(0), "{}", String::from_utf8_lossy(&second.stderr));
    assert_eq!(first.wait().unwrap().code(), Some(0));
}

#[test]
fn runs_of_two_integrations_may_overlap() {
    let shop = shop();
    let writer = writer(&shop);
    let mut first = waiting_pull(&shop);
    let mut other = shop.start("pull store-b");
    std::thread::sleep(Duration::from_millis(100));
    drop(writer);
    assert_eq!(other.wait().unwrap().code(), Some(0));
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "3");
}

#[test]
fn another_programs_write_is_waited_for() {
    let shop = shop();
    let writer = writer(&shop);
    let pull = waiting_pull(&shop);
    writer
        .execute_batch("UPDATE stock SET quantity = 7000000; COMMIT")
        .expect("nobody else writes");
    let done = pull.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(0));
    // What the other program wrote is what the pull saw.
    assert!(String::from_utf8(done.stdout).unwrap().contains('7'));
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "3");
}

#[test]
fn a_killed_pull_changed_nothing_and_is_named_by_the_next() {
    let rows: String = (0..300_000).map(|n| format!("{n},X{n},,,1,1\n")).collect();
    let shop = Shop::downloading(&format!("{STORE}{rows}"))
        .config("[integrations.store-a.guard]\nmax_missing = \"100%\"")
        .inventory("sku,stock.main\nMUG-01,4\n");
    let config = shop.read("invsync.toml");
    shop.write("invsync.toml", config.replacen("connector", "unlinked = \"create\"\nconnector", 1));
    let mut pull = shop.start("pull store-a --quiet");
    let sql = shop.sql();
    wait_until("the pull runs", || {
        let count = "SELECT count(*) FROM runs WHERE command = 'pull'";
        sql.query_row(count, [], |row| row.get::<_, i64>(0)).is_ok_and(|count| count == 1)
    });
    std::thread::sleep(Duration::from_millis(30));
    pull.kill().unwrap();
    pull.wait().unwrap();
    drop(sql);
    let check: String =
        shop.sql().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    assert_eq!(shop.values(), ["MUG-01 stock.main 4"]);
    shop.write("store.csv", STORE);
    shop.run("pull store-a").code(0).stderr("run 2").stock("main", "MUG-01", "3");
    assert_eq!(shop.json("runs")["runs"][1]["status"], "crashed");
}

#[test]
fn a_dry_run_needs_no_lock_and_waits_for_nobody() {
    let shop = shop();
    let _writer = writer(&shop);
    let mut first = waiting_pull(&shop);
    shop.run("pull store-a --dry-run").code(0).stdout("MUG-01");
    first.kill().unwrap();
    first.wait().unwrap();
}

#[cfg(unix)]
#[test]
fn an_interrupted_pull_exits_130_and_changes_nothing() {
    let shop = shop();
    let rows: String = (0..300_000).map(|n| format!("{n},X{n},,,1,1\n")).collect();
    shop.write("store.csv", format!("{STORE}{rows}"));
    let pull = shop.start("pull store-a");
    let sql = shop.sql();
    wait_until("the pull runs", || {
        let count = "SELECT count(*) FROM runs WHERE command = 'pull'";
        sql.query_row(count, [], |row| row.get::<_, i64>(0)).is_ok_and(|count| count == 1)
    });
    let kill = std::process::Command::new("kill").args(["-INT", &pull.id().to_string()]).status();
    assert!(kill.unwrap().success());
    assert_eq!(pull.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "4");
    assert_eq!(shop.json("runs")["runs"][0]["status"], "interrupted");
}
