//! `--jobs`: several integrations at once, as if one after the other.

use std::fmt::Write as _;

use crate::support::Shop;

const PLACES: &str = "[inventory]\npath = \"inventory.db\"\n[warehouses]\n";

/// Integrations `s0`, `s1`, … each with a warehouse of its own, whose feeds are printed by these
/// programs, in a shop that knows `MUG-01`.
fn shop(programs: &[String]) -> Shop {
    let mut config = PLACES.to_owned();
    for n in 0..programs.len() {
        writeln!(config, "w{n} = \"W{n}\"").unwrap();
    }
    for (n, program) in programs.iter().enumerate() {
        let program = program.replace('"', "\\\"");
        writeln!(
            config,
            "[integrations.s{n}]\ntype = \"store\"\nconnector = \"csv\"\n\
             source = {{ exec = [\"sh\", \"-c\", \"{program}\"] }}\n\
             fields = {{ sku = \"sku\", quantity = \"qty\" }}\n\
             http = {{ download_timeout = \"20s\" }}\n\
             stock = {{ direction = \"download\", warehouse = \"w{n}\" }}"
        )
        .unwrap();
    }
    let shop = Shop::new().file("invsync.toml", config).file("feed.csv", "sku,qty\nMUG-01,5\n");
    shop.inventory("sku\nMUG-01\n")
}

/// Each of them prints its feed only when all the others are under way.
fn at_the_same_time(count: usize) -> Vec<String> {
    let all: Vec<_> = (0..count).map(|n| format!("[ -e here{n} ]")).collect();
    let all = all.join(" && ");
    (0..count)
        .map(|n| format!("touch here{n}; until {all}; do sleep 0.02; done; cat feed.csv"))
        .collect()
}

#[test]
fn jobs_work_on_several_integrations_at_the_same_time() {
    let shop = shop(&at_the_same_time(3));
    let json = shop.run("pull --all --jobs 3 --format json").code(0).json();
    let mut names: Vec<_> =
        json["runs"].as_array().unwrap().iter().map(|run| run["integration"].to_string()).collect();
    names.sort();
    assert_eq!(names, ["\"s0\"", "\"s1\"", "\"s2\""]);
    for n in 0..3 {
        assert_eq!(shop.stock(&format!("w{n}"), "MUG-01").unwrap(), "5");
    }
}

#[test]
fn fewer_jobs_than_integrations_do_them_all_and_the_worst_exit_code_wins() {
    let mut programs = at_the_same_time(2);
    programs.extend(["echo broken >&2; exit 3", "cat feed.csv", "cat feed.csv"].map(str::to_owned));
    let shop = shop(&programs);
    let ran = shop.run("sync --all --jobs 2").code(1);
    assert_eq!(ran.stdout.matches("1 stock changed").count(), 4, "{}", ran.stdout);
    for n in [0, 1, 3, 4] {
        assert_eq!(shop.stock(&format!("w{n}"), "MUG-01").unwrap(), "5");
    }
    let ran = shop.run("sync --all --jobs 9").code(1);
    assert_eq!(ran.stdout.matches("nothing to change").count(), 4, "{}", ran.stdout);
}

#[test]
fn every_report_is_printed_whole() {
    let programs: Vec<String> = (0..4).map(|_| "cat feed.csv".to_owned()).collect();
    let shop = shop(&programs);
    let skus: String = (0..3000).map(|n| format!("S{n}\n")).collect();
    let rows: String = (0..3000).map(|n| format!("S{n},{n}\n")).collect();
    shop.write("feed.csv", format!("sku,qty\n{rows}"));
    shop.write("more.csv", format!("sku\n{skus}"));
    shop.run("inventory import more.csv").code(0);
    let csv = shop.run("pull --all --jobs 4 --format csv").code(0).stdout;
    let names: Vec<_> = csv.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    let runs = names.chunk_by(|a, b| a == b).map(<[_]>::len);
    assert_eq!(runs.collect::<Vec<_>>(), [3000; 4]);
}

#[test]
fn in_a_sync_all_pulls_come_before_all_pushes() {
    let shop = shop(&["cat feed.csv".to_owned(), "cat feed.csv".to_owned()]);
    let mut config = shop.read("invsync.toml");
    for n in 0..2 {
        write!(
            config,
            "[integrations.t{n}]\ntype = \"store\"\nconnector = \"csv\"\nsource = \"t{n}.csv\"\n\
             fields = {{ sku = \"sku\", quantity = \"qty\" }}\n\
             stock = {{ direction = \"send\", warehouse = \"w{n}\" }}\n"
        )
        .unwrap();
        shop.write(&format!("t{n}.csv"), "sku,qty\nMUG-01,0\n");
    }
    shop.write("invsync.toml", config);
    shop.run("sync --all --jobs 4")
        .code(0)
        .wrote("t0.csv", "sku,qty\nMUG-01,5\n")
        .wrote("t1.csv", "sku,qty\nMUG-01,5\n");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_all_that_are_under_way_and_begins_no_more() {
    use crate::signals::{signal, wait_until};
    let mut programs: Vec<String> = (0..2).map(|n| format!("touch here{n}; sleep 60")).collect();
    programs.push("touch here2; cat feed.csv".to_owned());
    let shop = shop(&programs);
    let child = shop.start("pull --all --jobs 2");
    wait_until("both are under way", || (0..2).all(|n| shop.path(&format!("here{n}")).exists()));
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(!shop.path("here2").exists());
    let runs = shop.json("runs");
    let statuses: Vec<_> =
        runs["runs"].as_array().unwrap().iter().map(|run| &run["status"]).collect();
    assert_eq!(statuses, ["interrupted", "interrupted", "ok"]);
}

#[test]
fn a_number_of_jobs_is_at_least_one() {
    shop(&["cat feed.csv".to_owned()]).run("pull --all --jobs 0").code(2).stderr("1..=64");
}
