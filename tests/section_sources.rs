//! Stock and prices of one integration from two sources, each with its own options, guards and
//! memory.

use crate::support::Shop;

const PARTED: &str = r#"
[integrations.w]
type = "wholesaler"
[integrations.w.stock]
direction = "download"
warehouse = "main"
connector = "csv"
source = "stock.csv"
delimiter = "|"
fields = { sku = "code", quantity = "qty" }
[integrations.w.prices]
direction = "download"
price_group = "retail"
source = "prices.xml"
connector = "xml"
items = "/list/p"
fields = { sku = "@code", price = "." }
"#;
const INVENTORY: &str = "sku,stock.main,price.retail\nMUG-01,1,10\nTEA-01,2,20\n";

fn parted() -> Shop {
    Shop::new()
        .config(&PARTED.replace("price = \".\"", "price = \"@price\""))
        .file("stock.csv", "code|qty\nMUG-01|5\nTEA-01|6\n")
        .file(
            "prices.xml",
            "<list><p code='MUG-01' price='11'/><p code='TEA-01' price='22'/></list>",
        )
        .inventory(INVENTORY)
}

#[test]
fn each_section_takes_its_values_from_its_own_source() {
    let shop = parted();
    let run = shop.run("pull w --format json").code(0).one_run();
    assert_eq!(
        run.changes(),
        [
            "MUG-01 stock 1→5 applied",
            "TEA-01 stock 2→6 applied",
            "MUG-01 prices 10.00→11.00 applied",
            "TEA-01 prices 20.00→22.00 applied",
        ]
    );
    assert_eq!((run.number("items"), run.number("linked")), (4, 4));
    assert!(shop.run("pull w --format json").code(0).one_run().changes().is_empty());
    shop.run("check w").code(0);
    assert_eq!(shop.json("list w")["items"].as_array().unwrap().len(), 4);
}

#[test]
fn only_the_sources_of_the_wanted_sections_are_contacted() {
    let shop = parted();
    std::fs::remove_file(shop.path("prices.xml")).unwrap();
    shop.run("pull w --only stock").code(0).stock("main", "MUG-01", "5");
    shop.run("pull w").code(1).stderr("prices.xml").price("retail", "MUG-01", "10.00");
}

#[test]
fn a_source_that_fails_leaves_both_sections_as_they_were() {
    let shop = parted();
    shop.write("prices.xml", "<list><p code='MUG-01' price='11'/>");
    shop.run("pull w").code(1).stock("main", "MUG-01", "1");
}

#[test]
fn a_guard_on_one_delivery_stops_only_what_it_feeds() {
    let shop = parted().config("[integrations.w.stock.guard]\nsentinels = [\"LID-01\"]");
    let run = shop.run("pull w --format json").code(4).one_run();
    assert_eq!(run.guards(), ["sentinels – without LID-01>LID-01"]);
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "1");
    assert_eq!(shop.price("retail", "MUG-01").unwrap(), "11.00");
}

#[test]
fn what_one_source_lacks_is_measured_against_its_own_last_delivery() {
    let shop = parted();
    shop.run("pull w").code(0);
    shop.write("stock.csv", "code|qty\nMUG-01|5\n");
    let run = shop.run("pull w --format json").code(0).one_run();
    assert_eq!(run.number("missing"), 1);
    shop.run("check w").code(0);
}

#[test]
fn products_and_links_that_one_source_makes_the_other_finds() {
    let shop = parted().config("").file("import.csv", "");
    let config = shop
        .read("invsync.toml")
        .replace("type = \"wholesaler\"", "type = \"wholesaler\"\nunlinked = \"create\"");
    shop.write("invsync.toml", config);
    shop.write("stock.csv", "code|qty\nNEW-01|5\n");
    shop.write("prices.xml", "<list><p code='NEW-01' price='7'/></list>");
    let run = shop.run("pull w --format json").code(0).one_run();
    assert_eq!(run.number("created"), 1);
    assert_eq!(shop.price("retail", "NEW-01").unwrap(), "7.00");
    shop.run("undo 2").code(0);
    assert_eq!(shop.skus(), ["MUG-01", "TEA-01"]);
}

#[test]
fn a_store_of_two_files_is_written_in_both() {
    let config = PARTED
        .replace("wholesaler", "store")
        .replace("download", "send")
        .replace("price = \".\"", "price = \"@price\"");
    let shop = parted();
    let base = crate::support::BASE;
    shop.write("invsync.toml", format!("{base}{config}"));
    shop.run("push w").code(0);
    assert_eq!(shop.read("stock.csv"), "code|qty\nMUG-01|1\nTEA-01|2\n");
    assert!(shop.read("prices.xml").contains("price='10'"));
    assert!(shop.run("push w --format json").code(0).one_run().changes().is_empty());
    shop.run("undo 2").code(0);
    assert_eq!(shop.read("stock.csv"), "code|qty\nMUG-01|5\nTEA-01|6\n");
}

#[test]
fn a_section_may_have_a_source_of_its_own_beside_the_integrations() {
    let shop = parted();
    let config = shop.read("invsync.toml");
    let config = config.replace(
        "[integrations.w.stock]",
        "connector = \"csv\"\nsource = \"all.csv\"\nfields = { sku = \"s\", price = \"p\" }\n\
         [integrations.w.stock]",
    );
    let prices = config.find("source = \"prices.xml\"").unwrap();
    shop.write("invsync.toml", &config[..prices]);
    shop.write("all.csv", "s,p\nMUG-01,13\n");
    shop.run("pull w").code(0).stock("main", "MUG-01", "5").price("retail", "MUG-01", "13.00");
}

#[test]
fn a_section_takes_the_connector_of_the_integration_where_it_names_none() {
    let shop = parted();
    let config = shop.read("invsync.toml").replace("connector = \"csv\"\n", "");
    shop.write("invsync.toml", &config);
    shop.run("pull w").code(2).stderr("`integrations.w.stock.connector` is missing");
    let named = config.replace("\"wholesaler\"", "\"wholesaler\"\nconnector = \"csv\"");
    shop.write("invsync.toml", named);
    shop.run("pull w").code(0).stock("main", "MUG-01", "5");
}

#[test]
fn errors_of_a_sections_own_source_name_their_lines() {
    let shop = parted();
    let config = shop.read("invsync.toml").replace("delimiter = \"|\"", "delimitr = \"|\"");
    shop.write(
        "invsync.toml",
        config.replace("fields = { sku = \"code\", quantity", "fields = { sku = \"code\", name"),
    );
    shop.run("pull w")
        .code(2)
        .stderr("`integrations.w.stock.delimitr`")
        .stderr("`fields.quantity`");
}

const CATALOGUE: &str = r#"
[integrations.w]
type = "wholesaler"
connector = "csv"
source = "catalogue.csv"
fields = { sku = "sku", ean = "ean", price = "price" }
[integrations.w.stock]
direction = "download"
warehouse = "main"
[integrations.w.prices]
direction = "download"
price_group = "retail"
"#;

#[test]
fn a_catalogue_and_a_stock_file_are_joined_by_sku() {
    let shop = Shop::new()
        .config(CATALOGUE)
        .config("[[integrations.w.join]]\nsource = \"stock.json\"\nconnector = \"json\"\nkey = \"code\"\nfields = { quantity = \"free\" }")
        .file("catalogue.csv", "sku,ean,price\nMUG-01,,11\nTEA-01,,22\nLID-01,,3\n")
        .file("stock.json", r#"[{"code":"TEA-01","free":6},{"code":"MUG-01","free":"5"},{"code":"MUG-01","free":5},{"code":"LID-01","free":1},{"code":"LID-01","free":2}]"#)
        .inventory("sku,stock.main,price.retail\nLID-01,9,3\nMUG-01,1,10\nTEA-01,2,20\n");
    let run = shop.run("pull w --format json").code(3).one_run();
    assert_eq!(
        run.changes(),
        [
            "MUG-01 stock 1→5 applied",
            "TEA-01 stock 2→6 applied",
            "MUG-01 prices 10.00→11.00 applied",
            "TEA-01 prices 20.00→22.00 applied",
        ]
    );
    assert_eq!(run.problems(), ["duplicate_sku LID-01 1"]);
    assert_eq!((run.number("items"), run.number("linked")), (3, 3));
}

#[test]
fn what_a_joined_file_lacks_is_unknown_and_a_cut_one_changes_nothing() {
    let join = "[[integrations.w.join]]\nsource = \"stock.csv\"\nkey = \"code\"\nfields = { quantity = \"free\" }";
    let shop = Shop::new()
        .config(CATALOGUE)
        .config(join)
        .file("catalogue.csv", "sku,ean,price\nMUG-01,,11\nTEA-01,,22\n")
        .file("stock.csv", "code,free\nTEA-01,6\n")
        .inventory(INVENTORY);
    shop.run("pull w").code(0).stock("main", "MUG-01", "1").stock("main", "TEA-01", "6");
    shop.write("stock.csv", "code,free\n\"TEA-01,6\n");
    shop.write("catalogue.csv", "sku,ean,price\nMUG-01,,12\nTEA-01,,22\n");
    shop.run("pull w").code(1).stderr("stock.csv").price("retail", "MUG-01", "11.00");
    let config = shop.read("invsync.toml").replace("key = \"code\"", "kye = \"code\"");
    shop.write("invsync.toml", config);
    shop.run("pull w").code(2).stderr("`integrations.w.join.kye`; did you mean `key`?");
}

#[test]
fn rows_of_one_sku_are_added_up_where_the_config_says_so() {
    let shop = Shop::new()
        .config(
            &CATALOGUE
                .replace("source", "rows = \"sum\"\nsource")
                .replace("ean = \"ean\"", "quantity = \"qty\""),
        )
        .file(
            "catalogue.csv",
            "sku,place,qty,price\nMUG-01,a,2,11\nTEA-01,a,,22\nMUG-01,b,3,11\nTEA-01,b,4,23\n",
        )
        .inventory(INVENTORY);
    let run = shop.run("pull w --format json").code(3).one_run();
    assert_eq!(
        run.changes(),
        [
            "MUG-01 stock 1→5 applied",
            "TEA-01 stock 2→4 applied",
            "MUG-01 prices 10.00→11.00 applied"
        ]
    );
    assert_eq!(run.problems(), ["duplicate_sku TEA-01 5"]);
    assert_eq!((run.number("items"), run.number("duplicates")), (2, 0));
    assert_eq!(shop.json("list w")["items"][0]["quantity"], "5");
}

#[test]
fn the_rows_of_a_joined_file_are_added_up_where_it_says_so() {
    let join = "[[integrations.w.join]]\nsource = \"stock.csv\"\nkey = \"code\"\nrows = \"sum\"\n\
                fields = { quantity = \"free\" }";
    let shop = Shop::new()
        .config(CATALOGUE)
        .config(join)
        .file("catalogue.csv", "sku,ean,price\nMUG-01,,11\nTEA-01,,22\n")
        .file("stock.csv", "code,place,free\nMUG-01,a,2\nMUG-01,b,3\nTEA-01,a,7\n")
        .inventory(INVENTORY);
    shop.run("pull w").code(0).stock("main", "MUG-01", "5").stock("main", "TEA-01", "7");
}

/// A wholesaler whose stock stands in one file a warehouse.
fn several_files() -> Shop {
    let source = "source = [\"north.csv\", { exec = [\"cat\", \"south.csv\"] }]";
    Shop::new()
        .config(
            &CATALOGUE
                .replace("source = \"catalogue.csv\"", source)
                .replace("ean = \"ean\"", "quantity = \"qty\""),
        )
        .file("north.csv", "sku,qty,price\nMUG-01,5,11\n")
        .file("south.csv", "price,sku,qty\n22,TEA-01,6\n")
        .inventory(INVENTORY)
}

#[test]
fn several_files_of_one_source_are_one_delivery() {
    let shop = several_files();
    let run = shop.run("pull w --format json").code(0).one_run();
    assert_eq!((run.number("items"), run.number("linked")), (2, 2));
    assert_eq!(shop.stock("main", "TEA-01").unwrap(), "6");
    assert_eq!(shop.run("pull w --format json").code(0).one_run().text("status"), "unchanged");
    // What one of them has anew, or stands in both, is seen.
    shop.write("south.csv", "price,sku,qty\n22,TEA-01,6\n11,MUG-01,4\n");
    let run = shop.run("pull w --format json").code(3).one_run();
    assert_eq!((run.number("items"), run.number("duplicates")), (3, 1));
    assert_eq!(run.problems(), ["duplicate_sku MUG-01 3"]);
    let config = shop.read("invsync.toml").replace("source = [", "rows = \"sum\"\nsource = [");
    shop.write("invsync.toml", config);
    shop.run("pull w").code(0).stock("main", "MUG-01", "9");
}

#[test]
fn of_several_files_a_missing_one_changes_nothing() {
    let shop = several_files();
    shop.write("south.csv", "price,sku\n22,TEA-01\n");
    shop.run("pull w").code(1).stderr("`fields.quantity`").stock("main", "MUG-01", "1");
    std::fs::remove_file(shop.path("north.csv")).unwrap();
    shop.run("pull w").code(1).stderr("north.csv").stock("main", "MUG-01", "1");
    let config = shop.read("invsync.toml");
    shop.write("invsync.toml", config.replace("\"north.csv\"", "5"));
    shop.run("pull w").code(2).stderr("`integrations.w.source` must be a path or URL");
    shop.write("invsync.toml", config.replace("wholesaler", "store").replace("download", "send"));
    shop.run("push w").code(2).stderr("what stands in several files cannot be written");
}
