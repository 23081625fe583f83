//! Asked to stop, robbed of its reader or of its inventory, or beside others: a run ends where it
//! is safe, in time, and says what it did.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::support::{DOWNLOAD, SEND, STORE_A, Shop, words};

const HEAD: &str = "id,sku,ean,name,qty,price\n";
const STORE: &str = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,3,12.30\n";
/// The signals that ask a run to stop. A hang-up that was ignored where the tests were started (by
/// nohup, say) stays ignored by what they start.
fn stops() -> Vec<&'static str> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
    let ignored = u64::from_str_radix(ignored.unwrap_or("0"), 16).unwrap_or(0);
    let hang_up = Some("HUP").filter(|_| ignored & 1 == 0);
    ["INT", "TERM"].into_iter().chain(hang_up).collect()
}

/// How long a run that is asked to stop may take.
const IN_TIME: Duration = Duration::from_secs(2);

fn shop() -> Shop {
    Shop::downloading(STORE).inventory("sku,stock.main\nMUG-01,4\n")
}

pub(crate) fn signal(child: &Child, name: &str) {
    let kill = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
}

/// What a run said that was asked to stop, with its exit code; it took no longer than it may.
fn stopped(mut child: Child, name: &str) -> (Option<i32>, String) {
    let asked = Instant::now();
    signal(&child, name);
    let code = child.wait().unwrap().code();
    let took = asked.elapsed();
    assert!(took < IN_TIME, "{name}: it took {took:?}");
    let output = child.wait_with_output().unwrap();
    (code, String::from_utf8(output.stderr).unwrap())
}

pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Another program that writes to the inventory for as long as this lives.
fn writer(shop: &Shop) -> Connection {
    let conn = shop.sql();
    conn.execute_batch("BEGIN IMMEDIATE").unwrap();
    conn
}

fn is_locked_by(shop: &Shop, child: &Child) -> bool {
    let holder = format!("process {} ", child.id());
    std::fs::read_to_string(shop.path("inventory.db.store-a.lock"))
        .is_ok_and(|text| text.starts_with(&holder))
}

fn is_whole(shop: &Shop) {
    let check: String =
        shop.sql().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn who_waits_for_a_lock_can_be_stopped() {
    for name in stops() {
        let shop = shop();
        let writer = writer(&shop);
        let first = shop.start("pull store-a");
        wait_until("it has the lock", || is_locked_by(&shop, &first));
        let second = shop.start("pull store-a --wait 5m");
        std::thread::sleep(Duration::from_millis(200));
        let (code, said) = stopped(second, name);
        assert_eq!(code, Some(130), "{said}");
        assert!(said.contains("interrupted"), "{said}");
        drop(writer);
        assert_eq!(first.wait_with_output().unwrap().status.code(), Some(0));
        assert_eq!(shop.json("runs")["runs"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn who_waits_for_another_programs_write_can_be_stopped() {
    for name in stops() {
        let shop = shop();
        let writer = writer(&shop);
        let pull = shop.start("pull store-a");
        wait_until("it has the lock", || is_locked_by(&shop, &pull));
        std::thread::sleep(Duration::from_millis(100));
        let (code, said) = stopped(pull, name);
        assert_eq!(code, Some(130), "{said}");
        drop(writer);
        shop.run("pull store-a").code(0).stock("main", "MUG-01", "3");
    }
}

/// A store of so many items that every phase of a run takes a while.
fn large(rows: u32, quantity: u32) -> String {
    let rows: String = (0..rows).map(|n| format!("{n},X{n},,Name {n},{quantity},1.50\n")).collect();
    HEAD.to_owned() + &rows
}

#[test]
fn a_pull_that_is_stopped_anywhere_is_applied_whole_or_not_at_all() {
    let stops = stops();
    const ROWS: u32 = 20_000;
    let fresh = Shop::downloading(&large(ROWS, 3)).inventory("sku\nMUG-01\n");
    let config = fresh.read("invsync.toml");
    fresh.write("invsync.toml", config.replacen("type = ", "unlinked = \"create\"\ntype = ", 1));
    let (mut interrupted, mut done) = (0, 0);
    for at in 0..12_u64 {
        let shop = fresh.copy();
        let pull = shop.start("pull store-a --quiet");
        std::thread::sleep(Duration::from_millis(15 + at * at * 5));
        let is_over = signal_if_alive(pull, stops[at as usize % stops.len()]);
        let count: u32 =
            shop.sql().query_row("SELECT count(*) FROM stock_levels", [], |r| r.get(0)).unwrap();
        is_whole(&shop);
        let status = shop.json("runs")["runs"][0]["status"].clone();
        match is_over {
            Some(0) => {
                done += 1;
                assert_eq!((count, status.as_str()), (ROWS, Some("ok")));
            }
            // Between its start and its first record nothing is known of it.
            Some(130) => {
                interrupted += 1;
                assert_eq!(count, 0);
                assert!(
                    status == "interrupted" || shop.json("runs")["runs"][0]["command"] == "import"
                );
            }
            code => panic!("exit code {code:?}"),
        }
    }
    assert!(interrupted > 0, "{interrupted} interrupted, {done} done");
}

/// Asks a run to stop that may have ended by now.
fn signal_if_alive(mut child: Child, name: &str) -> Option<i32> {
    if let Some(status) = child.try_wait().unwrap() {
        return status.code();
    }
    stopped(child, name).0
}

#[test]
fn a_push_that_is_stopped_anywhere_knows_what_it_sent() {
    let stops = stops();
    const ROWS: u32 = 10_000;
    let inventory: String = (0..ROWS).map(|n| format!("X{n},4,1.60\n")).collect();
    let inventory = format!("sku,stock.main,price.retail\n{inventory}");
    let fresh = Shop::sending(&large(ROWS, 3), &inventory);
    let after = large(ROWS, 4).replace(",1.50\n", ",1.60\n");
    let mut interrupted = 0;
    for at in 0..9_u64 {
        let shop = fresh.copy();
        let push = shop.start("push store-a --quiet --allow all");
        std::thread::sleep(Duration::from_millis(10 + at * at * 6));
        let code = signal_if_alive(push, stops[at as usize % stops.len()]);
        is_whole(&shop);
        // Before it listens to signals it has done nothing.
        assert!(matches!(code, None | Some(0 | 130)), "{code:?}");
        interrupted += u32::from(code == Some(130));
        let changed = shop.read("store.csv").lines().zip(fresh.read("store.csv").lines()).fold(
            [0, 0],
            |[stock, prices], (now, before)| {
                let (now, before): (Vec<_>, Vec<_>) =
                    (now.split(',').collect(), before.split(',').collect());
                [stock + u32::from(now[4] != before[4]), prices + u32::from(now[5] != before[5])]
            },
        );
        let recorded: BTreeMap<u32, u32> = shop
            .sql()
            .prepare(
                "SELECT section, count(*) FROM changes JOIN runs ON runs.id = run_id
                WHERE command = 'push' AND changes.status IN (0, 6) GROUP BY section",
            )
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let recorded = [0, 1].map(|section| recorded.get(&section).copied().unwrap_or(0));
        assert_eq!(recorded, changed, "the record and the file differ");
        shop.run("push store-a --quiet --allow all").code(0);
        assert!(shop.read("store.csv") == after, "the next push did not finish");
    }
    assert!(interrupted > 0);
}

#[test]
fn a_second_signal_ends_at_once_and_nothing_is_lost() {
    let shop = shop();
    let writer = writer(&shop);
    let mut pull = shop.start("pull store-a");
    wait_until("it has the lock", || is_locked_by(&shop, &pull));
    signal(&pull, "INT");
    std::thread::sleep(Duration::from_millis(50));
    signal(&pull, "INT");
    let code = pull.wait().unwrap().code();
    assert!(matches!(code, None | Some(130)), "{code:?}");
    drop(writer);
    is_whole(&shop);
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "3");
}

#[test]
fn a_hang_up_that_is_ignored_stays_ignored() {
    let shop = shop();
    let writer = writer(&shop);
    let own = shop.command(words("pull store-a"));
    let mut under = Command::new("sh");
    under.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(own.get_program());
    under.args(own.get_args()).current_dir(own.get_current_dir().unwrap());
    let mut pull = under.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until("it has the lock", || is_locked_by(&shop, &pull));
    signal(&pull, "HUP");
    std::thread::sleep(Duration::from_millis(100));
    drop(writer);
    assert_eq!(pull.wait().unwrap().code(), Some(0));
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "3");
}

#[test]
fn a_reader_that_goes_away_changes_nothing_of_the_run() {
    let shop = Shop::downloading(&large(5_000, 3)).inventory("sku\nMUG-01\n");
    let config = shop.read("invsync.toml");
    shop.write("invsync.toml", config.replacen("type = ", "unlinked = \"create\"\ntype = ", 1));
    for format in ["json", "csv", "table --limit 0"] {
        let mut pull = shop.start(&format!("pull store-a --format {format}"));
        drop(pull.stdout.take());
        assert_eq!(pull.wait().unwrap().code(), Some(0), "{format}");
    }
    let count: u32 =
        shop.sql().query_row("SELECT count(*) FROM stock_levels", [], |r| r.get(0)).unwrap();
    assert_eq!(count, 5_000);
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_find_no_room_are_an_error_and_the_run_is_recorded() {
    let shop = shop();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = shop.command(words("pull store-a")).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the results could not be printed"), "{said}");
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "3");
    shop.run("runs 2").code(0).stdout("MUG-01");
}

#[test]
fn the_holder_of_a_lock_is_named_with_its_command_and_its_start() {
    let shop = shop();
    let writer = writer(&shop);
    let mut first = shop.start("pull store-a");
    wait_until("it has the lock", || is_locked_by(&shop, &first));
    shop.run("pull store-a")
        .code(6)
        .stderr(&format!("process {} on ", first.id()))
        .stderr("(pull) since 20")
        .stderr("--wait");
    drop(writer);
    first.wait().unwrap();
    // The text that is left of a lock is no lock.
    shop.run("pull store-a").code(0);
}

#[test]
fn many_runs_and_readers_at_once_never_hear_of_a_locked_database() {
    let names = ["a", "b", "c", "d"];
    let mut shop = Shop::new().file("store.csv", large(3_000, 1));
    for name in names {
        let own = format!("store-{name}");
        shop = shop
            .config(&STORE_A.replace("store-a", &own).replace("store.csv", &format!("{own}.csv")))
            .config(&DOWNLOAD.replace("store-a", &own))
            .config(&format!(
                "[integrations.{own}.guard]\nmax_changed = \"100%\"\nsame_factor = \"allow\""
            ))
            .file(&format!("{own}.csv"), large(3_000, 1));
    }
    let skus: String = (0..3_000).map(|n| format!("X{n}\n")).collect();
    let shop = shop.inventory(&format!("sku\n{skus}"));
    std::thread::scope(|scope| {
        for (at, name) in names.into_iter().enumerate() {
            let shop = &shop;
            scope.spawn(move || {
                for round in 0..5 {
                    shop.write(
                        &format!("store-{name}.csv"),
                        large(3_000, 1 + round * 4 + at as u32),
                    );
                    shop.run(&format!("pull store-{name} --quiet")).code(0).silent();
                }
            });
        }
        for command in ["runs --quiet", "inventory list --quiet", "history X1 --quiet"] {
            let shop = &shop;
            scope.spawn(move || {
                for _ in 0..15 {
                    shop.run(command).code(0).silent();
                }
            });
        }
    });
    is_whole(&shop);
    assert_eq!(shop.json("runs")["runs"].as_array().unwrap().len(), 21);
}

#[test]
fn a_reader_in_the_middle_of_reading_blocks_no_run() {
    let shop = shop();
    let reader = shop.sql();
    reader.execute_batch("BEGIN; SELECT count(*) FROM stock").unwrap();
    let since = Instant::now();
    shop.run("pull store-a").code(0);
    assert!(since.elapsed() < IN_TIME);
    // It still sees what it began with.
    let sees = |conn: &Connection| -> String {
        conn.query_row("SELECT quantity FROM stock_levels", [], |row| row.get(0)).unwrap()
    };
    assert_eq!((sees(&reader), sees(&shop.sql())), ("4".to_owned(), "3".to_owned()));
}

#[test]
fn a_backup_in_the_middle_of_a_write_holds_what_was_committed() {
    let shop = shop();
    let writer = writer(&shop);
    writer.execute_batch("UPDATE stock SET quantity = 9000000").unwrap();
    shop.run("inventory backup copy.db").code(0);
    drop(writer);
    let copy = Connection::open(shop.path("copy.db")).unwrap();
    let check: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    let quantity: String =
        copy.query_row("SELECT quantity FROM stock_levels", [], |row| row.get(0)).unwrap();
    assert_eq!((check.as_str(), quantity.as_str()), ("ok", "4"));
}

#[test]
fn what_stands_in_a_log_beside_the_inventory_is_not_lost() {
    let shop = shop();
    let other = shop.sql();
    other
        .execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE stock SET quantity = 9000000")
        .unwrap();
    // A machine that lost power: nobody closed the file.
    let crashed = shop.copy();
    assert!(crashed.bytes("inventory.db-wal").len() > 4_000);
    drop(other);
    crashed.run("inventory list").code(0).stock("main", "MUG-01", "9");
    crashed.run("pull store-a").code(0).stdout("9 3 -6 applied").stock("main", "MUG-01", "3");
    // A log that is cut in the middle of its last page holds what was whole before.
    let torn = shop.copy();
    let other = torn.sql();
    other
        .execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE stock SET quantity = 8000000")
        .unwrap();
    other.execute_batch("UPDATE stock SET quantity = 7000000").unwrap();
    let copy = torn.copy();
    drop(other);
    let log = copy.bytes("inventory.db-wal");
    copy.write("inventory.db-wal", &log[..log.len() - 100]);
    std::fs::remove_file(copy.path("inventory.db-shm")).unwrap();
    copy.run("inventory list").code(0).stock("main", "MUG-01", "8");
    is_whole(&copy);
}

/// A pull that waits for another program while something happens to its inventory.
fn while_it_runs(shop: &Shop, happens: impl FnOnce()) -> std::process::Output {
    let writer = writer(shop);
    let pull = shop.start("pull store-a");
    wait_until("it has the lock", || is_locked_by(shop, &pull));
    std::thread::sleep(Duration::from_millis(50));
    happens();
    drop(writer);
    pull.wait_with_output().unwrap()
}

#[test]
fn a_run_does_not_claim_to_have_written_an_inventory_that_was_taken_away() {
    let shop = shop();
    let output = while_it_runs(&shop, || {
        std::fs::rename(shop.path("inventory.db"), shop.path("moved.db")).unwrap();
    });
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("inventory.db") && said.contains("run this again"), "{said}");
}

#[test]
fn a_run_does_not_claim_to_have_written_an_inventory_that_was_replaced() {
    let shop = shop();
    let other = shop.copy().bytes("inventory.db");
    let output = while_it_runs(&shop, || {
        shop.write("restored.db", &other);
        std::fs::rename(shop.path("restored.db"), shop.path("inventory.db")).unwrap();
    });
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("inventory.db") && said.contains("run this again"), "{said}");
}

#[test]
fn a_store_that_changes_between_plan_and_write_is_left_alone() {
    let shop = Shop::new()
        .config(STORE_A)
        .config(SEND)
        .file("store.csv", STORE)
        .inventory("sku,stock.main\nMUG-01,4\n");
    let writer = writer(&shop);
    let push = shop.start("push store-a");
    wait_until("it has the lock", || is_locked_by(&shop, &push));
    shop.write("store.csv", STORE.replace("Mug,3", "Mug,2"));
    drop(writer);
    // It was changed before it was read, or after.
    assert!(matches!(push.wait_with_output().unwrap().status.code(), Some(0 | 1 | 3)));
    shop.run("push store-a").code(0);
    assert_eq!(shop.read("store.csv"), STORE.replace("Mug,3", "Mug,4"));
}
