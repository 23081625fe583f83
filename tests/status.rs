//! `status`: how each section stands, for people, scripts and monitoring.

use crate::support::{STORE_A, Shop, squeezed};

const ROWS: &str = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,3,12.30\n";
const EVERY: &str = r#"
[integrations.store-a.stock]
direction = "download"
warehouse = "main"
every = "15m"
[integrations.store-a.prices]
direction = "send"
price_group = "retail"
"#;

fn shop() -> Shop {
    Shop::new().config(STORE_A).config(EVERY).file("store.csv", ROWS)
}

fn pass(shop: &Shop, minutes: i64) {
    let sql = "UPDATE runs SET started_ms = started_ms - ?1, finished_ms = finished_ms - ?1";
    shop.sql().execute(sql, [minutes * 60_000]).unwrap();
}

#[test]
fn what_never_ran_is_overdue_and_no_inventory_is_made_to_say_so() {
    let shop = shop();
    let before = shop.all_files();
    let ran = shop.run("status").code(9);
    insta::assert_snapshot!(squeezed(&ran.stdout), @"
        inventory inventory.db: not made yet
        integration section direction target every last success state
        store-a stock download main 15m never overdue, never ran
        store-a prices send retail – never never ran
        ");
    shop.is_untouched_since(&before);
}

#[test]
fn a_section_is_overdue_after_twice_its_every() {
    let shop = shop();
    shop.run("sync --all").code(0);
    shop.run("status").code(0).stdout("store-a stock download main 15m 0s ago ok");
    pass(&shop, 30);
    shop.run("status").code(9).stdout("store-a stock download main 15m 30m ago overdue");
    shop.run("status --only prices").code(0).stdout_lacks("stock");
    shop.run("status store-a --quiet").code(9).stdout("overdue");
    shop.run("pull store-a").code(0);
    shop.run("status --quiet").code(0).silent();
}

#[test]
fn the_last_error_is_told_until_it_went_well_again() {
    let shop = shop();
    shop.run("pull store-a").code(0);
    std::fs::remove_file(shop.path("store.csv")).unwrap();
    shop.run("pull store-a").code(1);
    shop.run("pull store-a").code(1);
    shop.run("status")
        .code(0)
        .stdout("store-a stock download main 15m 0s ago failed")
        .stdout("store.csv")
        .stdout("`invsync runs 3`, 2 failures in a row; due again ");
    let section = &shop.json("status")["sections"][0];
    assert_eq!((&section["failures"], &section["last_run"]["run_id"]), (&2.into(), &3.into()));
    assert_eq!(section["last_run"]["status"], "failed");
    assert!(section["last_error"].as_str().unwrap().contains("store.csv"));
    shop.write("store.csv", ROWS);
    shop.run("pull store-a").code(0);
    assert!(shop.json("status")["sections"][0]["last_error"].is_null());
}

#[test]
fn of_a_stopped_run_the_section_that_went_on_has_a_success() {
    let rows: String = (1..=20).map(|n| format!("{n},S{n},,,0,{n}\n")).collect();
    let products: String = (1..=20).map(|n| format!("S{n},5,{n}\n")).collect();
    let shop = Shop::downloading(&format!("id,sku,ean,name,qty,price\n{rows}"))
        .inventory(&format!("sku,stock.main,price.retail\n{products}"));
    shop.run("pull store-a").code(4);
    let status = shop.json("status");
    let (stock, prices) = (&status["sections"][0], &status["sections"][1]);
    assert!(stock["last_success_at"].is_null());
    assert!(stock["last_error"].as_str().unwrap().contains("guard max_changed stopped it"));
    assert!(prices["last_success_at"].is_string());
    assert!(prices["last_error"].is_null());
}

#[test]
fn changes_without_an_answer_are_counted() {
    let shop = shop().inventory("sku,price.retail\nMUG-01,13\n");
    shop.run("push store-a").code(0);
    shop.sql().execute("UPDATE changes SET status = 5 WHERE run_id = 2", []).unwrap();
    shop.run("status --only prices").code(0).stdout("changes uncertain: 1").stdout("the next push");
    let status = shop.json("status");
    assert_eq!(status["inventory"]["uncertain"], 1);
    assert_eq!(status["sections"][1]["uncertain"], 1);
}

#[test]
fn a_killed_run_is_told() {
    let shop = shop();
    shop.run("pull store-a").code(0);
    shop.sql().execute("UPDATE runs SET status = 'running', finished_ms = NULL", []).unwrap();
    shop.run("status").code(9).stdout("the run ended without an end (killed, or the power failed)");
}

#[test]
fn it_needs_no_secrets_and_contacts_nobody() {
    let shop = Shop::new().config(
        r#"
[integrations.web]
type = "store"
connector = "woocommerce"
url = "http://127.0.0.1:1"
consumer_key = "${KEY}"
consumer_secret = { command = ["false"] }
stock = { direction = "send", warehouse = "main", every = "1h" }
"#,
    );
    shop.run("status").code(9).stdout("web stock send main 1h never overdue, never ran");
}

#[test]
fn prometheus_reads_it() {
    let shop = shop();
    shop.run("pull store-a").code(0);
    shop.sql()
        .execute("UPDATE runs SET started_ms = 1790000000000, finished_ms = 1790000001999", [])
        .unwrap();
    let ran = shop.run("status --format prometheus");
    let bytes = std::fs::metadata(shop.path("inventory.db")).unwrap().len().to_string();
    insta::assert_snapshot!(ran.stdout.replace(&bytes, "BYTES"), @r#"
        # HELP invsync_section_last_success_timestamp_seconds When the section last went well; 0: never.
        # TYPE invsync_section_last_success_timestamp_seconds gauge
        invsync_section_last_success_timestamp_seconds{integration="store-a",section="stock",direction="download"} 1790000001
        invsync_section_last_success_timestamp_seconds{integration="store-a",section="prices",direction="send"} 0
        # HELP invsync_section_last_run_timestamp_seconds When the last run of the section began; 0: never.
        # TYPE invsync_section_last_run_timestamp_seconds gauge
        invsync_section_last_run_timestamp_seconds{integration="store-a",section="stock",direction="download"} 1790000000
        invsync_section_last_run_timestamp_seconds{integration="store-a",section="prices",direction="send"} 0
        # HELP invsync_section_every_seconds How often the section is to run by itself.
        # TYPE invsync_section_every_seconds gauge
        invsync_section_every_seconds{integration="store-a",section="stock",direction="download"} 900
        # HELP invsync_section_overdue 1 where the last success is too long ago, or there was none yet.
        # TYPE invsync_section_overdue gauge
        invsync_section_overdue{integration="store-a",section="stock",direction="download"} 1
        invsync_section_overdue{integration="store-a",section="prices",direction="send"} 0
        # HELP invsync_section_failures How many of the last runs of the section failed in a row.
        # TYPE invsync_section_failures gauge
        invsync_section_failures{integration="store-a",section="stock",direction="download"} 0
        invsync_section_failures{integration="store-a",section="prices",direction="send"} 0
        # HELP invsync_uncertain_items Changes that were sent without an answer and not settled yet.
        # TYPE invsync_uncertain_items gauge
        invsync_uncertain_items{integration="store-a",section="stock",direction="download"} 0
        invsync_uncertain_items{integration="store-a",section="prices",direction="send"} 0
        # HELP invsync_section_last_run_status 1 with the status of the section's last run.
        # TYPE invsync_section_last_run_status gauge
        invsync_section_last_run_status{integration="store-a",section="stock",direction="download",status="ok"} 1
        # HELP invsync_inventory_bytes What the files of the inventory take.
        # TYPE invsync_inventory_bytes gauge
        invsync_inventory_bytes BYTES
        "#);
}

#[test]
fn prometheus_is_a_format_of_status_only() {
    let stderr = shop().run("pull store-a --format prometheus").code(2).stderr;
    insta::assert_snapshot!(stderr, @"error: --format prometheus goes with `status` only; here it is table, json, csv or markdown");
}

#[test]
fn csv_and_markdown_have_a_row_for_each_section() {
    let shop = Shop::downloading(ROWS);
    let csv = shop.run("status --format csv").code(0).stdout;
    insta::assert_snapshot!(csv, @"
        integration,section,direction,target,every_seconds,last_success_at,age_seconds,overdue,due_at,failures,uncertain,last_run_id,last_status,last_error
        store-a,stock,download,main,,,,false,,0,0,,,
        store-a,prices,download,retail,,,,false,,0,0,,,
        ");
    let markdown = shop.run("status --format markdown").code(0).stdout;
    assert_eq!(markdown.lines().count(), 4);
}
