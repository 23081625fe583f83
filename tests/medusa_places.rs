//! Several places of one shop in all that is saved, asked for and explained: plans, pages, `status`,
//! `explain`, the question before a push, files of links.

use serde_json::Value;

use crate::support::Shop;
use crate::support::medusa::{Catalogue, Fake};
use crate::support::squeezed;
use crate::support::woocommerce::Fault;

/// Two variants at two locations.
fn located() -> Fake {
    let mut all = Catalogue::default().with(1, "MUG-01", "3", "12.30").with(2, "TEA-01", "2", "39");
    all.locations.push(("sloc_2".to_owned(), "Online 2".to_owned()));
    all.set_level("iitem_000001", "sloc_2", "8");
    all.set_level("iitem_000002", "sloc_2", "6");
    Fake::start(all)
}

/// A shop with this stock section, and its inventory.
fn shop(fake: &Fake, stock: &str) -> Shop {
    Shop::new()
        .config(&fake.config(&format!("stock = {{ {stock}, every = \"15m\" }}")))
        .inventory("sku,stock.main,stock.outlet\nMUG-01,17,4\nTEA-01,2,6\n")
}

const SEND_BOTH: &str =
    "direction = \"send\", locations = { Main = \"main\", \"Online 2\" = \"outlet\" }";

/// A section that sends the main warehouse to one location.
fn send_to(location: &str) -> String {
    format!("direction = \"send\", warehouse = \"main\", location = \"{location}\"")
}

/// What a location has of the first variant.
fn at(fake: &Fake, location: &str) -> String {
    fake.catalogue(|all| all.level("iitem_000001", location).unwrap().stocked.clone())
}

#[test]
fn a_plan_for_one_location_is_not_applied_to_another() {
    let fake = located();
    // What looks like a line of the config is a name all the same.
    fake.catalogue(|all| all.locations[0].1 = "Online 1".to_owned());
    let shop = shop(&fake, &send_to("Online 1"));
    shop.run("plan web -o plan.json").code(0);
    let plan: Value = serde_json::from_str(&shop.read("plan.json")).unwrap();
    assert_eq!(plan["changes"][0]["at_store"], serde_json::json!([["location", "Online 1"]]));
    let config = shop.read("invsync.toml");
    shop.write("invsync.toml", config.replace("Online 1", "Online 2"));
    shop.run("apply plan.json").code(2).stderr("what invsync.toml says of web is not what");
    assert_eq!((at(&fake, "sloc_1"), at(&fake, "sloc_2")), ("3".into(), "8".into()));
    shop.write("invsync.toml", config);
    shop.run("apply plan.json").code(0);
    assert_eq!((at(&fake, "sloc_1"), at(&fake, "sloc_2")), ("17".into(), "8".into()));
}

#[test]
fn a_plan_for_several_locations_is_applied_to_each_with_the_links_that_it_makes() {
    let fake = located();
    let sending = shop(&fake, SEND_BOTH);
    sending.run("plan web -o plan.json").code(0);
    sending.run("apply plan.json").code(0);
    assert_eq!((at(&fake, "sloc_1"), at(&fake, "sloc_2")), ("17".into(), "4".into()));
    let fake = located();
    let pulling = shop(&fake, &SEND_BOTH.replace("send", "download"));
    pulling.run("plan web -o plan.json").code(0);
    let run = pulling.run("apply plan.json").code(0);
    run.stock("main", "MUG-01", "3").stock("outlet", "MUG-01", "8");
}

#[test]
fn each_location_is_explained_by_its_name() {
    let fake = located();
    let shop = shop(&fake, SEND_BOTH);
    let ran = shop.run("explain MUG-01").code(0);
    let next: Vec<_> = ran.stdout.lines().filter(|line| line.starts_with("push")).collect();
    insta::assert_snapshot!(next.join("\n"), @r"
    push web/Main, stock.main: 3 → 17, planned: the inventory is superior (item variant_000001, linked by sku)
    push web/Online 2, stock.outlet: 8 → 4, planned: the inventory is superior (item variant_000001, linked by sku)
    ");
    let next = shop.json("explain MUG-01")["next"].clone();
    assert_eq!((&next[0]["location"], &next[0]["warehouse"]), (&"Main".into(), &"main".into()));
    assert_eq!(next[1]["location"], "Online 2");
}

#[test]
fn status_counts_what_got_no_answer_where_it_was_sent() {
    let fake = located();
    let shop = shop(&fake, SEND_BOTH);
    fake.fail(Fault::close().after_applying().on("POST").times(1));
    fake.fail(Fault::status(503).skip(2));
    shop.run("push web").code(7);
    fake.heal();
    let json = shop.json("status");
    let shown = |section: &Value| {
        format!("{} {} {}", section["location"], section["warehouse"], section["uncertain"])
    };
    let shown: Vec<_> = json["sections"].as_array().unwrap().iter().map(shown).collect();
    assert_eq!(shown, ["\"Main\" \"main\" 1", "\"Online 2\" \"outlet\" 0"]);
    assert_eq!(json["inventory"]["uncertain"], 1);
    shop.run("status --format prometheus").stdout(
        "invsync_uncertain_items{integration=\"web\",section=\"stock\",direction=\"send\",\
         location=\"Online 2\"} 0",
    );
    let table = squeezed(&shop.run("status").stdout);
    assert!(table.contains("web/Main stock send main 15m never 1"), "{table}");
    // What the config names no more is still counted.
    let config = shop.read("invsync.toml").replace("Main =", "\"Elsewhere\" =");
    shop.write("invsync.toml", config);
    assert_eq!(shop.json("status")["inventory"]["uncertain"], 1);
}

#[test]
fn a_page_names_each_location() {
    let fake = located();
    let shop = shop(&fake, SEND_BOTH);
    shop.run("push web").code(0);
    shop.run("report 2 --html report.html").code(0);
    let page = shop.read("report.html");
    for location in ["Main", "Online 2"] {
        assert!(page.contains(&format!("→ web/{location} (the inventory is superior)")), "{page}");
    }
}

#[test]
fn a_links_file_counts_for_all_locations_and_is_told_of_once() {
    let fake = located();
    let links = "links = \"links.csv\"\nlink_by = []\nstock =";
    let shop = shop(&fake, SEND_BOTH);
    shop.write(
        "invsync.toml",
        shop.read("invsync.toml").replace("stock = {", &format!("{links} {{")),
    );
    shop.write("links.csv", "item_id,sku\nvariant_000001,MUG-01\nvariant_000002,GONE\n");
    let run = shop.run("push web --format json").code(3).one_run();
    assert_eq!(run.problems(), ["invalid_value variant_000002 3"]);
    assert_eq!((at(&fake, "sloc_1"), at(&fake, "sloc_2")), ("17".into(), "4".into()));
    let linked = "SELECT count(*) FROM links WHERE product_id IS NOT NULL";
    let linked: i64 = shop.sql().query_row(linked, [], |row| row.get(0)).unwrap();
    assert_eq!(linked, 1);
}
