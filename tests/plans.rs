//! Saved plans: looked at today, applied tomorrow, exactly or not at all.

use std::process::Stdio;

use serde_json::Value;

use crate::support::{BASE, DOWNLOAD, STORE_A, Shop};

const STORE: &str = "\
id,sku,ean,name,qty,price
17,MUG-01,,Mug,3,12.30
18,TEA-01,,Tea,7,39.00
19,CUP-01,,Cup,1,2.00
";
const INVENTORY: &str = "sku,stock.main,price.retail\nMUG-01,4,12.30\nTEA-01,7,35\nCUP-01,1,2\n";

fn pulling() -> Shop {
    Shop::downloading(STORE).inventory(INVENTORY)
}

fn pushing() -> Shop {
    Shop::sending(STORE, INVENTORY)
}

/// Everything of a plan but its times and hashes.
fn plan(shop: &Shop) -> Value {
    serde_json::from_str(&shop.read("plan.json")).unwrap()
}

#[test]
fn a_plan_is_what_a_dry_run_shows_and_writes_nothing_but_its_file() {
    let shop = pulling();
    let dry = shop.run("pull store-a --dry-run").code(0);
    let before = shop.all_files();
    let planned = shop.run("plan store-a -o plan.json").code(0);
    let table = |text: &str| text.lines().filter(|l| !l.starts_with("pull ")).collect::<String>();
    assert_eq!(table(&planned.stdout), table(&dry.stdout));
    let file = shop.bytes("plan.json");
    std::fs::remove_file(shop.path("plan.json")).unwrap();
    shop.is_untouched_since(&before);
    shop.write("plan.json", file);
    shop.run("plan store-a -o other.json --dry-run").code(0).stderr("the plan was not saved");
    assert!(!shop.path("other.json").exists());
    let plan = plan(&shop);
    assert_eq!((&plan["schema_version"], &plan["command"]), (&1.into(), &"pull".into()));
    assert_eq!(plan["changed"], serde_json::json!({"stock": 1, "prices": 1}));
    assert_eq!(
        plan["changes"][0],
        serde_json::json!({"section": "stock", "item_id": "17", "sku": "MUG-01",
            "warehouse": "main", "before": "4", "after": "3", "status": "planned", "message": null})
    );
    let links = plan["changes"].as_array().unwrap().iter().filter(|row| row["section"] == "links");
    assert_eq!(links.count(), 3);
}

#[test]
fn an_applied_plan_is_a_run_like_any_other_and_can_be_undone() {
    let shop = pulling();
    shop.run("plan store-a -o plan.json").code(0);
    let run = shop.run("apply plan.json --format json").code(0).one_run();
    assert_eq!((run.text("command"), run.text("status")), ("pull", "ok"));
    assert_eq!(run.changes(), ["MUG-01 stock 4→3 applied", "TEA-01 prices 35.00→39.00 applied"]);
    let id = run.number("run_id");
    shop.run(&format!("undo {id}")).code(0).stock("main", "MUG-01", "4");
}

#[test]
fn a_push_is_planned_and_applied_too() {
    let shop = pushing();
    shop.run("plan store-a -o plan.json").code(0).stdout("MUG-01");
    assert_eq!(shop.read("store.csv"), STORE);
    shop.run("apply plan.json").code(0);
    let sent = STORE.replace("Mug,3", "Mug,4").replace("39.00", "35.00");
    assert_eq!(shop.read("store.csv"), sent);
}

#[test]
fn what_changed_since_makes_a_plan_stale_and_is_named() {
    let shop = pulling();
    shop.run("plan store-a -o plan.json").code(0);
    shop.write("store.csv", STORE.replace("Mug,3", "Mug,2").replace("Cup,1", "Cup,5"));
    shop.run("inventory set TEA-01 price.retail=39").code(0);
    let values = shop.values();
    let ran = shop.run("apply plan.json").code(1);
    insta::assert_snapshot!(ran.stderr, @r"
    error: store-a: the plan is stale: 3 changes are not what would be done now
      CUP-01 stock.main (item 19): not in the plan, now 1 → 5
      MUG-01 stock.main (item 17): planned 4 → 3, now 4 → 2
      TEA-01 price.retail (item 18): planned 35.00 → 39.00, now nothing to do
    price.retail was written to since the plan was made
    Plan again: invsync plan store-a --pull. Nothing was changed in the inventory.
    ");
    assert_eq!(shop.values(), values);
    let links = "SELECT (SELECT count(*) FROM links), (SELECT sku_links FROM integrations)";
    let links: (i64, Option<Vec<u8>>) =
        shop.sql().query_row(links, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(links, (0, None));
}

#[test]
fn a_stale_push_sends_nothing_and_keeps_no_link() {
    let shop = pushing();
    shop.run("plan store-a -o plan.json").code(0);
    let now = STORE.replace("Cup,1,2.00", "Cup,1,2.50");
    shop.write("store.csv", &now);
    shop.run("apply plan.json").code(1).stderr("CUP-01 price.retail (item 19): not in the plan");
    assert_eq!(shop.read("store.csv"), now);
    let links: i64 =
        shop.sql().query_row("SELECT count(*) FROM links", [], |row| row.get(0)).unwrap();
    assert_eq!(links, 0);
}

#[test]
fn what_a_plan_does_not_touch_may_change() {
    let shop = pulling();
    shop.run("plan store-a -o plan.json").code(0);
    shop.run("inventory set CUP-01 stock.outlet=9").code(0);
    shop.run("apply plan.json").code(0).stock("main", "MUG-01", "3").stock("outlet", "CUP-01", "9");
}

#[test]
fn a_new_link_alone_makes_a_plan_stale() {
    let shop = pulling();
    shop.run("plan store-a -o plan.json").code(0);
    shop.run("inventory import new.csv").code(2);
    shop.write("new.csv", "sku,stock.main,price.retail\nNEW-01,1,1\n");
    shop.run("inventory import new.csv").code(0);
    shop.write("store.csv", format!("{STORE}20,NEW-01,,New,1,1\n"));
    shop.run("apply plan.json").code(1).stderr("link of item 20: not in the plan, now – → NEW-01");
}

#[test]
fn a_plan_is_applied_once() {
    let shop = pulling();
    shop.run("plan store-a -o plan.json").code(0);
    shop.run("apply plan.json").code(0);
    shop.run("apply plan.json").code(1).stderr("nothing of it is left to do. Was it applied?");
}

#[test]
fn a_dry_run_of_apply_says_whether_the_plan_still_holds() {
    let shop = pulling();
    shop.run("plan store-a -o plan.json").code(0);
    let before = shop.all_files();
    shop.run("apply plan.json --dry-run").code(0).stdout("planned");
    shop.is_untouched_since(&before);
    shop.write("store.csv", STORE.replace("Mug,3", "Mug,2"));
    shop.run("apply plan.json --dry-run").code(1).stderr("planned 4 → 3, now 4 → 2");
}

#[test]
fn the_options_of_a_plan_are_kept_in_it() {
    let shop = pulling();
    shop.run("plan store-a --only prices --sku TEA-01 -o plan.json").code(0);
    shop.run("apply plan.json --only stock").code(2).stderr("belong to `invsync plan`");
    let run = shop.run("apply plan.json --format json").code(0).one_run();
    assert_eq!(run.changes(), ["TEA-01 prices 35.00→39.00 applied"]);
}

#[test]
fn a_plan_that_a_guard_stopped_is_applied_only_with_the_guard_allowed_when_it_was_made() {
    let rows: String = (10..40).map(|n| format!("{n},S{n},,,9,1\n")).collect();
    let old: String = (10..40).map(|n| format!("S{n},5,1\n")).collect();
    let shop = Shop::downloading(&format!("id,sku,ean,name,qty,price\n{rows}"))
        .inventory(&format!("sku,stock.main,price.retail\n{old}"));
    shop.run("plan store-a -o plan.json").code(4);
    shop.run("apply plan.json")
        .code(4)
        .stderr("max_changed stopped stock")
        .stderr("Nothing was changed")
        .stock("main", "S10", "5");
    shop.run("plan store-a --allow max_changed -o plan.json").code(0);
    let run = shop.run("apply plan.json --format json").code(0).one_run();
    assert_eq!(run.guards(), ["max_changed stock 100%>50% allowed"]);
}

#[test]
fn what_was_held_back_stays_held_back_and_the_rest_is_applied() {
    let shop = pulling();
    shop.write("store.csv", STORE.replace("39.00", "390.00"));
    shop.run("plan store-a -o plan.json").code(4);
    let run = shop.run("apply plan.json --format json").code(4).one_run();
    assert_eq!(run.changes(), ["MUG-01 stock 4→3 applied", "TEA-01 prices 35.00→390.00 held_back"]);
}

#[test]
fn a_file_that_is_no_whole_plan_is_refused() {
    let shop = pulling();
    shop.run("plan store-a -o plan.json").code(0);
    let whole = shop.read("plan.json");
    let refused = |text: &str, why: &str| {
        shop.write("plan.json", text);
        shop.run("apply plan.json").code(2).stderr(why);
    };
    refused(&whole.replace("\"3\"", "\"1\""), "was changed after it was made");
    refused(&format!("{whole}\n"), "was changed after it was made");
    refused(&whole[..whole.len() - 10], "ends in the middle");
    let lines: Vec<_> = whole.lines().collect();
    refused(&lines[..3].join("\n"), "ends in the middle");
    refused("", "is no plan that `invsync plan` wrote");
    refused("{\"schema_version\":1,\"runs\":[]}\n", "is no plan");
    refused(&whole.replace("\"tool_version\":\"", "\"tool_version\":\"9"), "was made by invsync 9");
    shop.run("apply nothing.json").code(2).stderr("nothing.json cannot be read");
    shop.write("plan.json", &whole);
    shop.run("apply plan.json").code(0);
}

#[test]
fn a_plan_belongs_to_its_config_and_its_inventory() {
    let shop = pulling();
    shop.run("plan store-a -o plan.json").code(0);
    let config = shop.read("invsync.toml");
    shop.write("invsync.toml", config.replace("store-a", "store-b"));
    shop.run("apply plan.json").code(2).stderr("is of `store-a`, which invsync.toml does not have");
    shop.write("invsync.toml", config.replace("qty", "stock"));
    shop.run("apply plan.json").code(2).stderr("what invsync.toml says of store-a is not what");
    shop.write("invsync.toml", format!("# a comment\n\n{config}"));
    std::fs::rename(shop.path("inventory.db"), shop.path("kept.db")).unwrap();
    shop.run("inventory import import.csv").code(0);
    shop.run("apply plan.json").code(2).stderr("another inventory than");
    std::fs::rename(shop.path("kept.db"), shop.path("inventory.db")).unwrap();
    shop.run("apply plan.json").code(0);
}

#[test]
fn a_plan_takes_one_direction() {
    let both = "[integrations.store-a.stock]\ndirection = \"download\"\nwarehouse = \"main\"\n\
                [integrations.store-a.prices]\ndirection = \"send\"\nprice_group = \"retail\"\n";
    let shop =
        Shop::new().config(STORE_A).config(both).file("store.csv", STORE).inventory(INVENTORY);
    shop.run("plan store-a -o plan.json").code(2).stderr("say --pull or --push");
    shop.run("plan store-a --push -o plan.json").code(0);
    assert_eq!(plan(&shop)["command"], "push");
    shop.run("plan store-a --only stock -o plan.json").code(0);
    assert_eq!(plan(&shop)["command"], "pull");
    let shop = pulling();
    shop.run("plan store-a --push -o plan.json").code(2).stderr("has no section");
}

#[test]
fn a_plan_goes_through_standard_output_and_input() {
    let shop = pulling();
    let plan = shop.run("plan store-a -o -").code(0).stdout;
    assert!(plan.starts_with("{\"schema_version\":1,") && plan.ends_with("\"}\n"), "{plan}");
    shop.write("piped.json", &plan);
    let piped = std::fs::File::open(shop.path("piped.json")).unwrap();
    let mut apply = shop.command(["apply", "-"]);
    shop.finish(apply.stdin(Stdio::from(piped))).code(0).stock("main", "MUG-01", "3");
}

#[test]
fn a_plan_that_failed_leaves_the_old_file() {
    let shop = pulling().file("plan.json", "old");
    shop.write("store.csv", "");
    shop.run("plan store-a -o plan.json").code(1).wrote("plan.json", "old");
    shop.run("plan store-a -o no/such/folder.json").code(1);
}

#[test]
fn a_plan_may_be_made_before_there_is_an_inventory() {
    let shop = Shop::new().config(STORE_A).config(DOWNLOAD).file("store.csv", STORE);
    let config = shop
        .read("invsync.toml")
        .replace("path = \"inventory.db\"", "path = \"inventory.db\"\nseed = \"seed.csv\"");
    assert!(config.len() > BASE.len());
    shop.write("invsync.toml", config);
    shop.write("seed.csv", INVENTORY);
    shop.run("plan store-a -o plan.json").code(0);
    assert!(!shop.path("inventory.db").exists());
    shop.run("apply plan.json").code(0).stock("main", "MUG-01", "3");
}

#[test]
fn a_product_that_a_plan_makes_is_part_of_it() {
    let shop = Shop::downloading(STORE);
    let config = shop.read("invsync.toml").replace("source =", "unlinked = \"create\"\nsource =");
    shop.write("invsync.toml", config);
    shop.run("plan store-a -o plan.json").code(0);
    let more = format!("{STORE}20,NEW-01,,New,,\n");
    shop.write("store.csv", &more);
    shop.run("apply plan.json").code(1).stderr("link of item 20: not in the plan");
    assert!(shop.skus().is_empty());
    shop.write("store.csv", STORE);
    shop.run("apply plan.json").code(0);
    assert_eq!(shop.skus(), ["CUP-01", "MUG-01", "TEA-01"]);
}

#[test]
fn a_plan_of_two_sources_makes_the_links_that_both_would_make_once() {
    let section = |place: &str, file: &str, value: &str| {
        format!(
            "{{ direction = \"download\", {place}, connector = \"csv\", source = \"{file}\", \
             fields = {{ item_id = \"id\", sku = \"sku\", {value} }} }}"
        )
    };
    let stock = section("warehouse = \"main\"", "stock.csv", "quantity = \"qty\"");
    let prices = section("price_group = \"retail\"", "prices.csv", "price = \"price\"");
    let config =
        format!("[integrations.w]\ntype = \"wholesaler\"\nstock = {stock}\nprices = {prices}\n");
    let shop = Shop::new()
        .config(&config)
        .file("stock.csv", "id,sku,qty\n17,MUG-01,3\n")
        .file("prices.csv", "id,sku,price\n17,MUG-01,12\n18,TEA-01,39\n")
        .inventory(INVENTORY);
    shop.run("plan w -o plan.json").code(0);
    shop.run("apply plan.json --dry-run").code(0);
    shop.run("apply plan.json").code(0).stock("main", "MUG-01", "3");
}

#[test]
fn a_product_is_made_as_the_plan_showed_it_or_not_at_all() {
    let shop = Shop::downloading(STORE);
    let config = shop.read("invsync.toml").replace("source =", "unlinked = \"create\"\nsource =");
    shop.write("invsync.toml", config);
    shop.run("plan store-a -o plan.json").code(0);
    let mug = plan(&shop)["changes"].as_array().unwrap().iter().find_map(|row| {
        (row["section"] == "products" && row["sku"] == "MUG-01").then(|| row["name"].clone())
    });
    assert_eq!(mug, Some("Mug".into()));
    shop.write("store.csv", STORE.replace(",,Mug", ",4006381333931,Plate"));
    let ran = shop.run("apply plan.json").code(1);
    ran.stderr("new product MUG-01: planned \"Mug\", now \"Plate\", EAN 4006381333931");
    assert!(shop.skus().is_empty());
    shop.write("store.csv", STORE);
    shop.write("made.csv", "sku,name\nMUG-01,Somebody's mug\n");
    shop.run("inventory import made.csv").code(0);
    shop.run("apply plan.json").code(1).stderr("MUG-01: planned \"Mug\", now nothing to do");
}

#[test]
fn a_refused_plan_is_no_attempt_that_failed() {
    let shop = pulling();
    let config = shop.read("invsync.toml").replace("direction =", "every = \"1d\"\ndirection =");
    shop.write("invsync.toml", config);
    shop.run("pull store-a").code(0);
    shop.write("store.csv", STORE.replace("Mug,3", "Mug,2"));
    shop.run("plan store-a -o plan.json").code(0);
    shop.write("store.csv", STORE.replace("Mug,3", "Mug,1"));
    let runs = shop.json("runs");
    shop.run("apply plan.json").code(1).stderr("the plan is stale");
    assert_eq!(shop.json("runs"), runs);
    shop.run("sync --all --due").code(0).stock("main", "MUG-01", "3");
}
