//! Presets: what each makes of a feed of its family, how a config overrides one, and what can be
//! written with one.

use crate::support::feeds::{feed, listed};
use crate::support::{BASE, Shop};

fn example(file: &str) -> Vec<u8> {
    std::fs::read(format!("{}/examples/feeds/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn is(toml: &str, file: &str, expected: &[&str]) {
    assert_eq!(listed(toml, example(file)), expected, "{file}");
}

fn preset(name: &str, file: &str, expected: &[&str]) {
    is(&format!("preset = \"{name}\""), file, expected);
}

#[test]
fn catalogues_of_bmecat() {
    preset(
        "bmecat-1.2",
        "bmecat-1.2.xml",
        &["SCR-M4 SCR-M4 4006381333931 Screw M4 . 0.084 EUR", "NUT-M4 NUT-M4 . Nut M4 . . EUR"],
    );
    preset(
        "bmecat-2005",
        "bmecat-2005.xml",
        &[
            "SCR-M4 SCR-M4 4006381333931 Schraube M4 . 0.105 EUR",
            "NUT-M4 NUT-M4 4006381333948 Mutter M4 . . EUR",
        ],
    );
    is(
        "preset = \"bmecat-2005\"\n[integrations.x.fields]\n\
         name = \"PRODUCT_DETAILS/DESCRIPTION_SHORT[@lang='eng']\"",
        "bmecat-2005.xml",
        &[
            "SCR-M4 SCR-M4 4006381333931 Screw M4 . 0.105 EUR",
            "NUT-M4 NUT-M4 4006381333948 . . . EUR",
        ],
    );
}

#[test]
fn comparison_sites() {
    preset(
        "ceneo",
        "ceneo.xml",
        &["101 MUG-01 4006381333931 Kubek \"Dzień dobry\" 12 49.9 PLN", "102 . . Imbryk . 199 PLN"],
    );
    preset(
        "heureka",
        "heureka.xml",
        &[
            "101 . 4006381333931 Hrnek Dobrý den . 5000.5 CZK",
            "https://shop.example.com/102 . . Konvice . 899 CZK",
        ],
    );
    preset(
        "zbozi",
        "zbozi.xml",
        &[
            "101 . 4006381333931 Hrnek . 250 CZK",
            "https://shop.example.com/102 . . Konvice . 743.8 CZK",
        ],
    );
    preset(
        "idealo",
        "idealo.csv",
        &[
            "MUG-01 MUG-01 4006381333931 Mug; with a saucer . 14.9 EUR",
            "TEA-01 TEA-01 . Teapot . 39 EUR",
        ],
    );
    preset(
        "yml",
        "yml.xml",
        &["101 MUG-01 4006381333931 Чашка 1 250 UAH", "102 . . Чайник 0 900.5 UAH"],
    );
}

#[test]
fn google_merchant_as_rss_and_as_text() {
    preset(
        "google-merchant",
        "google-merchant.xml",
        &[
            "MUG-01 MUG-01 4006381333931 Mug & saucer 1 12.3 EUR",
            "TEA-01 TEA-01 . Teapot . 39 EUR",
            "LID-01 LID-01 . Lid 0 4.5 EUR",
        ],
    );
    let text = "preset = \"google-merchant\"\nconnector = \"csv\"";
    let lines = ["MUG-01 MUG-01 4006381333931 Mug 1 14.9 EUR", "TEA-01 TEA-01 . Teapot . 39 EUR"];
    is(text, "google-merchant.tsv", &lines);
    preset(
        "meta",
        "meta.csv",
        &["MUG-01 MUG-01 . Mug 1 12.3 EUR", "MUG-02 MUG-02 . Mug, red 0 14.9 EUR"],
    );
}

#[test]
fn sizes_of_iof_and_its_choices() {
    preset(
        "iof",
        "iof.xml",
        &[
            "15-2 15-2 . Koszulka 7 90 PLN",
            "15-3 15-3 . Koszulka . 100 PLN",
            "15-4 15-4 . Koszulka . 100 PLN",
        ],
    );
    is(
        "preset = \"iof\"\n[integrations.x.fields]\n\
         quantity = { path = \"stock[@id='1']/@quantity\", values = { \"-1\" = \"\" } }\n\
         price = { first = [\"price/@gross\", \"../price/@gross\"], values = { \"0\" = \"\" } }\n\
         ean = \"@code_producer\"",
        "iof.xml",
        &[
            "15-2 15-2 4006381333931 Koszulka 3 110.7 PLN",
            "15-3 15-3 . Koszulka . 123 PLN",
            "15-4 15-4 . Koszulka . 123 PLN",
        ],
    );
}

#[test]
fn exports_of_shops() {
    preset(
        "woocommerce-csv",
        "woocommerce-csv.csv",
        &[
            "44 MUG-01 . Mug, \"Bonjour\" 3 12.3 .",
            "46 SHIRT-S . T-shirt - S 8 19.9 .",
            "47 SONG . Song . 0.99 .",
        ],
    );
    preset(
        "shopify-products",
        "shopify-products.csv",
        &["SHIRT-S SHIRT-S 4006381333931 T-shirt 8 19.9 .", "SHIRT-M SHIRT-M . . 0 21 ."],
    );
    preset("shopify-inventory", "shopify-inventory.csv", &["MUG-01 MUG-01 . Mug 3 . ."]);
    is(
        "preset = \"shopify-inventory\"\nfields.quantity = \"Harbour street\"\n\
         where = [{ path = \"Harbour street\", not = [\"not stocked\"] }, { path = \"SKU\", not = [\"\"] }]",
        "shopify-inventory.csv",
        &["MUG-01 MUG-01 . Mug 1 . .", "SHIRT-S SHIRT-S . T-shirt 8 . ."],
    );
    preset(
        "prestashop-stock",
        "prestashop-stock.csv",
        &["MUG-01 MUG-01 . Mug 3 . .", "SHIRT-S SHIRT-S . T-shirt 10 . ."],
    );
}

/// A store with a preset, whose file is an example, and what the inventory has.
fn store(preset: &str, sections: &str, inventory: &str) -> Shop {
    let config = format!(
        "{BASE}[integrations.x]\ntype = \"store\"\npreset = \"{preset}\"\nsource = \"feed\"\n{sections}"
    );
    Shop::new()
        .file("invsync.toml", config)
        .file("feed", example(&format!("{preset}.csv")))
        .inventory(inventory)
}

const STOCK: &str = "stock = { direction = \"send\", warehouse = \"main\" }\n";
const PRICES: &str = "prices = { direction = \"send\", price_group = \"retail\" }\n";

#[test]
fn exports_of_shops_are_written_and_keep_every_other_byte() {
    let both = format!("{STOCK}{PRICES}");
    let inventory = "sku,stock.main,price.retail\nMUG-01,17,13\nSHIRT-S,2,20.5\n";
    let old = |file: &str| String::from_utf8(example(file)).unwrap();
    let shop = store("woocommerce-csv", &both, inventory);
    let new = old("woocommerce-csv.csv")
        .replace(",1,3,,,12.30,", ",1,17,,,13.00,")
        .replace(",1,8,,15.00,19.90,", ",1,2,,15.00,20.50,");
    shop.run("push x").code(0).wrote("feed", &new);

    let shop = store("shopify-products", &both, inventory);
    let new = old("shopify-products.csv").replace("shopify,8,deny,19.90", "shopify,2,deny,20.50");
    shop.run("push x").code(0).wrote("feed", &new);

    let shop = store("shopify-inventory", STOCK, inventory);
    let new = old("shopify-inventory.csv").replace("MUG-01,,,3,1", "MUG-01,,,17,1");
    shop.run("push x").code(0).wrote("feed", &new);

    let shop = store("prestashop-stock", STOCK, inventory);
    let new = old("prestashop-stock.csv")
        .replace("1;5;2;3;", "1;5;2;17;")
        .replace("1;10;0;10;", "1;10;0;2;");
    shop.run("push x").code(0).wrote("feed", &new);
}

#[test]
fn an_error_in_a_key_of_its_own_keeps_its_line_and_one_of_the_preset_has_its() {
    let error = |toml: &str| feed(toml, "x").run("list x").code(2).stderr.clone();
    let base = BASE.lines().count() + 3;
    let why = error("preset = \"iof\"\n\n[integrations.x.fields]\nquantity = { sum = [\"a b\"] }");
    assert!(
        why.contains(&format!("invsync.toml:{}: `integrations.x.fields.quantity`", base + 4)),
        "{why}"
    );
    let why = error("preset = \"iof\"\nfields.nmae = \"x\"");
    assert!(why.contains("unknown key `integrations.x.fields.nmae`; did you mean"), "{why}");
    let why = error("\npreset = \"ioff\"");
    assert!(why.contains(&format!("invsync.toml:{}: `integrations.x.preset`", base + 2)), "{why}");
    assert!(why.contains("did you mean \"iof\"?"), "{why}");
    assert!(error("preset = \"iof\"\nconnector = \"json\"").contains("for the connector \"xml\""));
    // Without a header the names of the preset are no columns: the error is where it is asked for.
    let why = error("header_row = 0\npreset = \"meta\"");
    assert!(
        why.contains(&format!("invsync.toml:{}: `integrations.x.fields.sku`", base + 2)),
        "{why}"
    );
}

#[test]
fn a_section_with_a_source_of_its_own_can_have_a_preset() {
    let config = format!(
        "{BASE}[integrations.x]\ntype = \"wholesaler\"\nsource = \"prices.xml\"\npreset = \"bmecat-1.2\"\n\
         prices = {{ direction = \"download\", price_group = \"retail\" }}\n\
         [integrations.x.stock]\ndirection = \"download\"\nwarehouse = \"main\"\n\
         source = \"stock.csv\"\npreset = \"prestashop-stock\"\n"
    );
    let stock =
        String::from_utf8(example("prestashop-stock.csv")).unwrap().replace("MUG-01", "SCR-M4");
    let shop = Shop::new()
        .file("invsync.toml", config)
        .file("prices.xml", example("bmecat-1.2.xml"))
        .file("stock.csv", stock)
        .inventory("sku\nSCR-M4\n");
    shop.run("pull x").code(0).stock("main", "SCR-M4", "3").price("retail", "SCR-M4", "0.084");
}

#[test]
fn presets_are_listed_and_printed_as_toml() {
    let shop = Shop::new();
    let list = shop.json("presets");
    let names: Vec<_> =
        list["presets"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"iof") && names.contains(&"woocommerce-csv"), "{names:?}");
    assert!(names.is_sorted(), "{names:?}");
    let printed = shop.run("presets heureka").code(0).stdout;
    // What is printed is what it stands for.
    is(&printed.replace("[fields]", "[integrations.x.fields]"), "heureka.xml", &listed_heureka());
    shop.run("presets google-merchant").code(0).stdout("as RSS").stdout("as csv or tsv");
    shop.run("presets huereka").code(2).stderr("did you mean \"heureka\"?");
}

fn listed_heureka() -> [&'static str; 2] {
    [
        "101 . 4006381333931 Hrnek Dobrý den . 5000.5 CZK",
        "https://shop.example.com/102 . . Konvice . 899 CZK",
    ]
}

#[test]
fn stock_that_woocommerce_keeps_at_the_parent_is_unknown_and_stays_so() {
    let csv = "ID,Type,SKU,Name,Stock,Regular price\n12,simple,MUG,Mug,5,12.50\n\
               14,variation,SH-M,Shirt,parent,9.00\n";
    is_listed(
        "preset = \"woocommerce-csv\"",
        csv,
        &["12 MUG . Mug 5 12.5 .", "14 SH-M . Shirt . 9 ."],
    );
    let store = "[integrations.s]\ntype = \"store\"\npreset = \"woocommerce-csv\"\nsource = \"s.csv\"\n\
                 stock = { direction = \"send\", warehouse = \"main\" }\n";
    let shop = Shop::new().config(store).file("s.csv", csv);
    let shop = shop.inventory("sku,stock.main\nMUG,4\nSH-M,7\n");
    let ran = shop.run("push s").code(3).stdout("\"parent\"");
    ran.wrote("s.csv", &csv.replace("Mug,5", "Mug,4"));
}

#[test]
fn roubles_have_an_old_code_and_barcodes_an_apostrophe() {
    let offer = "<yml_catalog><shop><offers><offer id=\"1\"><vendorCode>A</vendorCode>\
                 <price>90</price><currencyId>RUR</currencyId></offer></offers></shop></yml_catalog>";
    is_listed("preset = \"yml\"", offer, &["1 A . . . 90 RUB"]);
    let csv = "Variant SKU,Variant Barcode,Title,Variant Inventory Qty,Variant Price\n\
               A,'4006381333931,Mug,1,2\nB,'x1,Pot,1,2\n";
    is_listed(
        "preset = \"shopify-products\"",
        csv,
        &["A A 4006381333931 Mug 1 2 .", "B B 'x1 Pot 1 2 ."],
    );
}

fn is_listed(toml: &str, bytes: &str, expected: &[&str]) {
    assert_eq!(listed(toml, bytes), expected);
}

#[test]
fn a_column_that_only_a_preset_names_may_be_missing() {
    let google = "preset = \"google-merchant\"\nconnector = \"csv\"";
    is_of(google, "id,availability,price\nA,in stock,5 EUR\n", &["A A . . 1 5 EUR"]);
    let meta = "id,title,availability,price,gtin\nA,Mug,in stock,5 EUR,4006381333931\n";
    is_of("preset = \"meta\"", meta, &["A A 4006381333931 Mug 1 5 EUR"]);
    let woo = "ID,SKU,Stock,Regular price\n1,A,3,5\n";
    is_of("preset = \"woocommerce-csv\"", woo, &["1 A . . 3 5 ."]);
    let woo = "ID,Type,SKU,\"GTIN, UPC, EAN, or ISBN\",Name,Stock,Regular price\n\
               1,simple,A,4006381333931,Mug,3,5\n";
    is_of("preset = \"woocommerce-csv\"", woo, &["1 A 4006381333931 Mug 3 5 ."]);
    // One that it names itself may not.
    let own = "preset = \"meta\"\nfields.name = \"Title \"";
    let error =
        feed(own, "id,availability,price\nA,in stock,5\n").run("list x").code(1).stderr.clone();
    assert!(error.contains("`fields.name` (config line"), "{error}");
    assert!(error.contains("wants column \"Title\", which is not there"), "{error}");
}

fn is_of(toml: &str, csv: &str, expected: &[&str]) {
    assert_eq!(listed(toml, csv), expected, "{toml}");
}

#[test]
fn a_preset_needs_the_column_of_the_id_and_of_each_value_that_is_worked_on() {
    let with = |sections: &str, csv: &str| {
        feed(&format!("preset = \"shopify-products\"\n{sections}"), csv).inventory("sku\nA\n")
    };
    let stock = "stock = { direction = \"download\", warehouse = \"main\" }";
    let prices = "prices = { direction = \"download\", price_group = \"retail\" }";
    // An export of a shop with several locations.
    let csv = "Title,Variant SKU,Variant Price\nMug,A,5\n";
    with(prices, csv).run("pull x").code(0).price("retail", "A", "5.00");
    let shop = with(stock, csv);
    let ran = shop.run("pull x").code(1);
    let why = "finds no column for `fields.quantity`; name the one that holds it";
    assert!(ran.stderr.contains(why), "{}", ran.stderr);
    assert!(ran.stderr.contains("its columns are \"Title\", \"Variant SKU\""), "{}", ran.stderr);
    let why = "finds no column for `fields.sku`";
    with(prices, "Title,Variant Price\nMug,5\n").run("pull x").code(1).stderr(why);
}

#[test]
fn bmecat_of_both_versions_by_one_name() {
    preset(
        "bmecat",
        "bmecat-1.2.xml",
        &["SCR-M4 SCR-M4 4006381333931 Screw M4 . 0.084 EUR", "NUT-M4 NUT-M4 . Nut M4 . . EUR"],
    );
    preset(
        "bmecat",
        "bmecat-2005.xml",
        &[
            "SCR-M4 SCR-M4 4006381333931 Schraube M4 . 0.105 EUR",
            "NUT-M4 NUT-M4 4006381333948 Mutter M4 . . EUR",
        ],
    );
}

#[test]
fn items_may_stand_under_several_names() {
    let toml = "connector = \"xml\"\nitems = [\"/s/a\", \"/s/b\"]\nfields = { sku = \"@k\" }";
    let found = listed(toml, "<s><a k='1'/><c k='2'/><b k='3'/><a k='4'/></s>");
    assert_eq!(found, ["1 1 . . . . .", "3 3 . . . . .", "4 4 . . . . ."]);
    let toml = "connector = \"json\"\nitems = [\"/a\", \"/b\"]\nfields = { sku = \"k\" }";
    let found = listed(toml, "{\"a\": [{\"k\": 1}], \"c\": [{\"k\": 2}], \"b\": {\"k\": 3}}");
    assert_eq!(found, ["1 1 . . . . .", "3 3 . . . . ."]);
    for items in ["[\"/s/a\", \"/t/b\"]", "[\"/s/a\", \"/s/a/b\"]", "[\"/s/*\", \"/s/a\"]", "[]"] {
        let toml = format!("connector = \"xml\"\nitems = {items}\nfields = {{ sku = \"@k\" }}");
        feed(&toml, "<s/>").run("list x").code(2).stderr("`integrations.x.items`: ");
    }
}

#[test]
fn a_joined_file_can_have_a_preset() {
    let join = |more: &str| {
        let config = format!(
            "{BASE}[integrations.x]\ntype = \"wholesaler\"\nsource = \"stock.csv\"\n\
             preset = \"prestashop-stock\"\n\
             stock = {{ direction = \"download\", warehouse = \"main\" }}\n\
             prices = {{ direction = \"download\", price_group = \"retail\" }}\n\
             [[integrations.x.join]]\nsource = \"prices.xml\"\npreset = \"bmecat-1.2\"\n{more}"
        );
        let stock = String::from_utf8(example("prestashop-stock.csv")).unwrap();
        Shop::new()
            .file("invsync.toml", config)
            .file("prices.xml", example("bmecat-1.2.xml"))
            .file("stock.csv", stock.replace("MUG-01", "SCR-M4"))
            .inventory("sku\nSCR-M4\n")
    };
    for more in ["", "key = \"SUPPLIER_AID\"\n", "decimal = \".\"\n"] {
        let shop = join(more);
        shop.run("pull x").code(0).stock("main", "SCR-M4", "3").price("retail", "SCR-M4", "0.084");
    }
    let shop = join("");
    shop.write("invsync.toml", shop.read("invsync.toml").replace("bmecat-1.2", "bmecet"));
    shop.run("pull x").code(2).stderr("`integrations.x.join.preset`: unknown preset: did you mean");
}
