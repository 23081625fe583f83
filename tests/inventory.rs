//! The inventory's own commands: init, list, set, import, export, backup.

use crate::support::{DOWNLOAD, STORE_A, Shop};

const CSV: &str = "\
sku,ean,name,parent_sku,stock.main,stock.outlet,price.retail
MUG-01,4006381333931,\"Mug, \"\"big\"\"\",,3,,12.30
MUG-R,,Red mug,MUG-01,0.5,-2,13.00
";

#[test]
fn an_export_imported_again_is_the_same_inventory() {
    let shop = Shop::new().inventory(CSV);
    let export = shop.run("inventory export").code(0).stdout;
    assert_eq!(export, CSV);
    let again = Shop::new().inventory(&export);
    assert_eq!(again.run("inventory export").stdout, CSV);
    shop.write("export.csv", export);
    let run = shop.run("inventory import export.csv --format json").code(0).one_run();
    assert!(run.changes().is_empty());
}

#[test]
fn an_import_touches_only_the_columns_that_the_file_has() {
    Shop::new()
        .inventory(CSV)
        .inventory("stock.outlet,sku\n7,MUG-01\n,MUG-R\n")
        .run("inventory export")
        .code(0)
        .stdout("MUG-01,4006381333931,\"Mug, \"\"big\"\"\",,3,7,12.30\nMUG-R,,Red mug,MUG-01,0.5,-2,13.00");
}

#[test]
fn a_bad_cell_is_a_problem_with_its_line_and_the_rest_is_done() {
    let shop =
        Shop::new().file("in.csv", "sku,stock.main,price.retail\nA,x,1\nB,2,1e5\nC,3,3\n,4,4\n");
    let run = shop.run("inventory import in.csv --format json").code(3).one_run();
    let problems = run.0["problems"].as_array().unwrap();
    let lines: Vec<_> = problems.iter().map(|problem| problem["line"].clone()).collect();
    assert_eq!(lines, [2, 3, 5]);
    assert_eq!(
        shop.values(),
        ["A price.retail 1.00", "B stock.main 2", "C price.retail 3.00", "C stock.main 3"]
    );
}

#[test]
fn an_undeclared_column_is_wrong_usage_and_names_the_nearest() {
    let shop = Shop::new().file("in.csv", "sku,stock.mian\nA,1\n");
    shop.run("inventory import in.csv").code(2).stderr("stock.mian").stderr("main");
    shop.write("in.csv", "sku,colour\nA,red\n");
    shop.run("inventory import in.csv").code(2).stderr("colour");
    shop.run("inventory import missing.csv").code(2).stderr("missing.csv");
}

#[test]
fn set_changes_values_of_one_product() {
    let shop = Shop::new().inventory(CSV);
    shop.run("inventory set MUG-01 stock.main=5 price.retail=9.9")
        .code(0)
        .stock("main", "MUG-01", "5")
        .price("retail", "MUG-01", "9.90")
        .stock("main", "MUG-R", "0.5");
    shop.run("inventory set MUG-01 stock.main=").code(0).stock("main", "MUG-01", "–");
}

#[test]
fn set_refuses_what_it_does_not_understand() {
    let shop = Shop::new().inventory(CSV);
    shop.run("inventory set MUG-O1 stock.main=5").code(2).stderr("MUG-01");
    shop.run("inventory set MUG-01 stock.mian=5").code(2).stderr("main");
    shop.run("inventory set MUG-01 stock.main=five").code(2).stderr("five");
    shop.run("inventory set MUG-01 stock.main=1.0000001").code(2);
    shop.run("inventory set MUG-01 stock.main").code(2);
    shop.run("inventory set MUG-01 stock.main=3").code(0).stock("main", "MUG-01", "3");
}

#[test]
fn a_list_in_json_has_all_values_as_text() {
    let list = Shop::new().inventory(CSV).json("inventory list");
    assert_eq!(list["schema_version"], 1);
    let expected = serde_json::json!({
        "sku": "MUG-01", "ean": "4006381333931", "name": "Mug, \"big\"", "parent_sku": null,
        "stock": {"main": "3", "outlet": null}, "prices": {"retail": "12.30"}
    });
    assert_eq!(list["products"][0], expected);
}

#[test]
fn one_product_is_listed_when_asked() {
    let shop = Shop::new().inventory(CSV);
    shop.run("inventory list --sku MUG-R")
        .code(0)
        .stdout("Red mug")
        .stdout_lacks("MUG-01 4006381333931");
}

#[test]
fn a_backup_is_a_whole_inventory_and_never_overwrites() {
    let shop = Shop::new().inventory(CSV);
    shop.run("inventory backup copy.db").code(0);
    let copy = shop.bytes("copy.db");
    shop.run("inventory set MUG-01 stock.main=99").code(0);
    shop.run("inventory backup copy.db").code(2).stderr("copy.db");
    assert_eq!(shop.bytes("copy.db"), copy);
    shop.write("inventory.db", copy);
    shop.run("inventory export")
        .code(0)
        .stdout("MUG-01,4006381333931,\"Mug, \"\"big\"\"\",,3,,12.30");
}

#[test]
fn init_makes_a_config_and_an_inventory_and_keeps_what_is_there() {
    let shop = Shop::new();
    std::fs::remove_file(shop.path("invsync.toml")).unwrap();
    shop.run("init").code(0).stderr("invsync.toml").stderr("inventory.db");
    shop.run("inventory list").code(0);
    shop.run("check --all").code(0);
    let before = shop.all_files();
    shop.run("init").code(0).stderr("kept");
    shop.is_untouched_since(&before);
}

#[test]
fn commands_that_need_an_inventory_say_how_to_make_one() {
    for command in ["inventory set A stock.main=1", "inventory list", "inventory export", "runs"] {
        Shop::new().run(command).code(2).stderr("invsync init");
    }
}

#[test]
fn the_views_for_other_programs_keep_their_columns() {
    let shop = Shop::new().inventory(CSV);
    let sql = shop.sql();
    let columns = |view: &str| -> Vec<String> {
        let statement = sql.prepare(&format!("SELECT * FROM {view}")).unwrap();
        statement.column_names().map(str::to_owned).collect()
    };
    assert_eq!(columns("stock_levels"), ["sku", "warehouse", "quantity", "updated_at"]);
    assert_eq!(columns("price_list"), ["sku", "price_group", "currency", "price", "updated_at"]);
    let row: (String, String, String, String) = sql
        .query_row("SELECT sku, quantity, typeof(quantity), updated_at FROM stock_levels WHERE warehouse = 'outlet'", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .unwrap();
    assert_eq!((row.0.as_str(), row.1.as_str(), row.2.as_str()), ("MUG-R", "-2", "text"));
    assert!(row.3.ends_with('Z') && row.3.len() == 20, "{}", row.3);
}

#[test]
fn the_currency_of_a_price_group_is_not_changed_silently() {
    let shop = Shop::new().inventory(CSV);
    let config = shop.read("invsync.toml").replace("EUR", "USD");
    shop.write("invsync.toml", config);
    shop.run("inventory set MUG-01 price.retail=1").code(2).stderr("EUR");
    shop.run("inventory import import.csv").code(2).stderr("EUR").stderr("invsync.toml:8:");
}

#[test]
fn a_seed_with_a_bad_cell_is_partial_and_names_its_line() {
    let shop = Shop::new()
        .config(STORE_A)
        .config(DOWNLOAD)
        .file("seed.csv", "sku,stock.main\nMUG-01,many\n")
        .file("store.csv", "id,sku,ean,name,qty,price\n1,MUG-01,,,3,1\n");
    let config = shop.read("invsync.toml").replace("[inventory]", "[inventory]\nseed = 'seed.csv'");
    shop.write("invsync.toml", config);
    for command in ["pull store-a --dry-run", "pull store-a"] {
        let said = shop.run(command).code(3).stderr;
        assert!(said.contains("seed.csv:2: "), "{said}");
    }
    shop.run("pull store-a").code(0);
}

#[test]
fn products_are_found_by_every_word_in_their_sku_ean_or_name_whatever_its_case() {
    let shop = Shop::new().inventory(
        "sku,ean,name\nMUG-01,4006381333931,\"Mug \"\"Größe\"\", blue\"\nMUG-02,,Mug white\nCUP-01,,Blue cup\n",
    );
    let found = |text: &str| {
        let json = shop.json(&format!("inventory search {text}"));
        let products = json["products"].as_array().unwrap().iter();
        products.map(|p| p["sku"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("BLUE"), ["CUP-01", "MUG-01"]);
    assert_eq!(found("blue mug"), ["MUG-01"]);
    assert_eq!(found("\"mug blue\""), ["MUG-01"]);
    assert_eq!(found("grösse"), Vec::<String>::new());
    assert_eq!(found("GRÖßE"), ["MUG-01"]);
    assert_eq!(found("400638"), ["MUG-01"]);
    assert_eq!(found("g-02"), ["MUG-02"]);
    shop.run("inventory search mug --limit 1").code(0).stdout("… and 1 more");
    shop.run("inventory search").code(2);
}
