//! `invsync map` and `invsync init --from`: from a feed that nobody has described to a pull.

use crate::support::feeds::{ods, xlsx};
use crate::support::{Shop, zipped};

/// An integration that says where its feed is, and nothing of what is in it.
const UNKNOWN: &str = r#"
[integrations.new.stock]
direction = "download"
warehouse = "main"
[integrations.new.prices]
direction = "download"
price_group = "retail"
[integrations.new]
type = "wholesaler"
unlinked = "create"
"#;

const GERMAN: &str = "Artikelnummer;EAN;Bezeichnung;Bestand;Preis\n\
    A-1;4006381333931;Stift;1.200;1.249,50\n\
    A-2;4006381333948;Block;7;0,99\n\
    Summe;;;;1.250,49\n";

const POLISH: &str = "Indeks,Kod EAN,Nazwa,\"Ilość\",\"Cena netto\"\n\
    P-1,5901234123457,Kubek,\">10\",\"12,50 zł\"\n\
    P-2,5900000000114,Talerz,3,\"1 234,00 zł\"\n";

const KEYED: &str = r#"{"updated": "2026-01-01", "stock": {
    "K-1": {"title": "Mug", "qty": 4, "price": 9.5},
    "K-2": {"title": "Plate", "qty": 0, "price": 12},
    "K-3": {"title": "Bowl", "qty": 11, "price": 7.25}}}"#;

const VARIANTS: &str = r#"<?xml version="1.0"?><feed><meta><count>2</count></meta><products>
    <product><title>Shirt</title><brand>X</brand><variants>
      <variant><sku>V-1</sku><stock>3</stock><price>10.00</price></variant>
      <variant><sku>V-2</sku><stock>0</stock><price>11.00</price></variant></variants></product>
    <product><title>Cap</title><brand>X</brand><variants>
      <variant><sku>V-3</sku><stock>5</stock><price>6.00</price></variant></variants></product>
    </products></feed>"#;

/// A shop with the feed, and no mapping.
fn unmapped(file: &str, feed: &str) -> Shop {
    let shop = Shop::new().file(file, feed);
    shop.config(UNKNOWN).config(&format!("source = \"{file}\""))
}

/// A shop with the feed, no mapping, and only one section.
fn only(section: &str, feed: &str) -> Shop {
    let new = "[integrations.new]\ntype = \"wholesaler\"\nunlinked = \"create\"\nsource = \"feed\"";
    Shop::new().file("feed", feed).config(new).config(section)
}

/// What `map` prints is pasted where the config ends, which is where it says.
fn pasted(shop: Shop) -> Shop {
    let printed = shop.run("map new").code(0).stdout;
    shop.config(&printed)
}

#[test]
fn a_german_price_list_is_mapped_pasted_and_pulled() {
    let shop = pasted(unmapped("liste.csv", GERMAN));
    shop.run("pull new")
        .code(0)
        .stock("main", "A-1", "1200")
        .price("retail", "A-1", "1249.50")
        .price("retail", "A-2", "0.99");
    assert_eq!(shop.skus(), ["A-1", "A-2"]);
}

#[test]
fn a_polish_price_list_is_mapped_pasted_and_pulled() {
    let shop = pasted(unmapped("cennik.csv", POLISH));
    let config = shop.read("invsync.toml").replace("\"EUR\"", "\"PLN\"");
    shop.write("invsync.toml", config);
    shop.run("pull new")
        .code(0)
        .stock("main", "P-1", "10")
        .price("retail", "P-2", "1234.00")
        .price("retail", "P-1", "12.50");
}

#[test]
fn json_keyed_by_sku_is_mapped_pasted_and_pulled() {
    let shop = pasted(unmapped("stock.json", KEYED));
    shop.run("pull new").code(0).stock("main", "K-3", "11").price("retail", "K-1", "9.50");
    assert_eq!(shop.skus(), ["K-1", "K-2", "K-3"]);
}

#[test]
fn xml_with_variants_is_mapped_pasted_and_pulled() {
    let shop = pasted(unmapped("feed.xml", VARIANTS));
    assert!(shop.read("invsync.toml").contains("variants = \"variants/variant\""));
    shop.run("pull new").code(0).stock("main", "V-2", "0").price("retail", "V-3", "6.00");
    shop.run("inventory list").code(0).stdout("V-1 Shirt");
}

#[test]
fn words_for_stock_get_values() {
    let feed =
        "sku,availability,price\nW-1,in stock,1.00\nW-2,out of stock,2.00\nW-3,preorder,3.5\n";
    let shop = pasted(unmapped("words.csv", feed));
    shop.run("pull new")
        .code(0)
        .stock("main", "W-1", "1")
        .stock("main", "W-2", "0")
        .stock("main", "W-3", "–");
}

#[test]
fn a_feed_without_prices_says_so() {
    let shop = unmapped("stock.csv", "sku;qty\nS-1;4 pcs\nS-2;12 pcs\n");
    shop.run("map new").code(0).stdout("# price: not found").stdout("unit = [\"pcs\"]");
}

#[test]
fn rows_without_names_are_told_apart_by_what_they_hold() {
    let shop =
        unmapped("bare.csv", "4006381333931;3;1.50\n4006381333948;4;2.50\n4006381333955;5;3.0\n");
    shop.run("map new")
        .code(1)
        .stdout("header_row = 0")
        .stdout("#quantity = \"#2\"")
        .stderr("Name the columns");
}

#[test]
fn what_is_no_feed_is_refused_as_ever() {
    let page = "<!doctype html><html><head><title>Log in</title></head></html>";
    unmapped("feed.csv", page).run("map new").code(1).stderr("an HTML page titled \"Log in\"");
    unmapped("feed.xml", "<shop><item><sku>1</sku>").run("map new").code(1).stderr("is cut");
    unmapped("feed.json", "[{\"sku\": 1}, {").run("map new").code(1).stderr("is cut");
    Shop::new().run("map nobody").code(2).stderr("there is no integration `nobody`");
}

#[test]
fn without_fields_every_other_command_says_that_they_are_missing() {
    let shop = unmapped("liste.csv", GERMAN);
    shop.run("pull new").code(2).stderr("`integrations.new.connector` is missing");
    let shop = shop.config("connector = \"csv\"");
    shop.run("pull new").code(2).stderr("`integrations.new.fields` is missing");
    shop.run("map new").code(0).stdout_lacks("connector =");
}

#[test]
fn nothing_is_written_and_no_secret_is_shown() {
    let shop = Shop::new().file("secret.csv", GERMAN).config(UNKNOWN);
    let shop = shop.config("source = \"${PLACE}\"\npassword = \"hunter2\"");
    let before = shop.all_files();
    let ran = shop.run_with(("PLACE", "secret.csv"), "map new").code(0).stdout_lacks("hunter2");
    assert!(!ran.stdout.contains("PLACE") && !ran.stdout.contains("secret.csv"));
    shop.is_untouched_since(&before);
}

#[test]
fn scripts_get_the_same_as_an_object() {
    let json = unmapped("liste.csv", GERMAN).json("map new");
    assert_eq!((&json["schema_version"], &json["usable"]), (&1.into(), &true.into()));
    assert_eq!(json["connector"], "csv");
    assert_eq!(json["items"][0]["sku"], "A-1");
    assert_eq!(json["items"][0]["quantity"], "1200");
    let fields = json["fields"].as_array().unwrap();
    let ean = fields.iter().find(|field| field["field"] == "ean").unwrap();
    assert!(ean["evidence"].as_str().unwrap().contains("100% have a right check digit"));
}

#[test]
fn init_makes_a_config_for_a_feed_and_keeps_one_that_is_there() {
    let shop = Shop::new().file("feeds/neu.csv", GERMAN);
    std::fs::remove_file(shop.path("invsync.toml")).unwrap();
    shop.run("init --from feeds/neu.csv").code(0).stderr("created invsync.toml");
    shop.run("pull neu").code(0).stock("main", "A-2", "7").price("retail", "A-1", "1249.50");
    let before = shop.read("invsync.toml");
    shop.run("init --from feeds/neu.csv").code(0).stdout("[integrations.neu.fields]");
    assert_eq!(shop.read("invsync.toml"), before);
}

#[test]
fn the_help_has_examples() {
    Shop::new().run("map --help").code(0).stdout("Examples:").stdout("invsync map wholesaler-b");
}

#[test]
fn bytes_of_windows_1250_are_known_by_their_letters() {
    for (text, name) in [
        ("Indeks;Nazwa;Ilość;Cena\nZ-1;Żółw;2;3,50\n", "Żółw"),
        ("Kód;Název;Skladem;Cena\nZ-1;Škeble a talíř;2;3,50\n", "talíř"),
        ("Cikkszám;Megnevezés;Készlet;Nettó ár\nZ-1;Bőrönd;2;3,50\n", "Bőrönd"),
    ] {
        let (text, _, _) = encoding_rs::WINDOWS_1250.encode(text);
        let shop = Shop::new().file("cp.csv", &text).config(UNKNOWN).config("source = \"cp.csv\"");
        shop.run("map new").code(0).stdout("encoding = \"windows-1250\"").stdout(name);
    }
    let (text, _, _) = encoding_rs::WINDOWS_1252.encode("Ref;Nom;Stock;Prix\nZ-1;Pâté;2;3,50\n");
    let shop = Shop::new().file("cp.csv", &text).config(UNKNOWN).config("source = \"cp.csv\"");
    shop.run("map new").code(0).stdout_lacks("encoding =").stdout("Pâté");
}

#[test]
fn of_a_large_feed_only_the_first_items_are_looked_at() {
    let mut csv = String::from("sku,qty,price\n");
    csv.extend((0..3000).map(|n| format!("L-{n},{},{n}.10\n", n % 9)));
    unmapped("large.csv", &csv).run("map new").code(0).stdout("the first 2000");
    let mut xml = String::from("<shop>");
    xml.extend((0..60_000).map(|n| {
        format!(
            "<item><code>L-{n}</code><name>Thing {n}</name><qty>{}</qty><price>1.5</price></item>",
            n % 9
        )
    }));
    xml += "</shop>";
    unmapped("large.xml", &xml)
        .run("map new")
        .code(0)
        .stdout("100% of 2000 items")
        .stdout("items = \"/shop/item\"");
}

#[test]
fn an_upper_bound_is_asked_about() {
    let feed = "sku,qty,price\nB-1,<5,1.50\nB-2,12,2.50\nB-3,<5,3.00\n";
    let shop = unmapped("bounds.csv", feed);
    shop.run("map new").code(0).stdout("say in `values` what these mean: \"<5\"");
}

#[test]
fn the_name_of_a_variant_is_its_products_where_its_own_is_shorter() {
    let feed = r#"{"products": [{"id": 1, "title": "Long shirt", "variants": [
        {"id": 11, "title": "S", "sku": "T-S", "price": "19.90", "available": true},
        {"id": 12, "title": "M", "sku": "T-M", "price": "19.90", "available": false}]},
        {"id": 2, "title": "Warm cap", "variants": [
        {"id": 21, "title": "Default", "sku": "T-C", "price": "9.00", "available": true}]}]}"#;
    let shop = pasted(unmapped("products.json", feed));
    shop.run("pull new").code(0).stock("main", "T-M", "0");
    shop.run("inventory list").code(0).stdout("T-C Warm cap");
}

/// A row of an xlsx sheet: numbers as numbers, all else as texts.
fn xlsx_row(number: usize, cells: &[&str]) -> String {
    let cell = |text: &&str| match text.parse::<f64>() {
        _ if text.is_empty() => "<c/>".to_owned(),
        Ok(_) => format!("<c><v>{text}</v></c>"),
        Err(_) => format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>"),
    };
    format!("<row r=\"{number}\">{}</row>", cells.iter().map(cell).collect::<String>())
}

/// A sheet with a title above the header, and one that only explains.
fn workbook() -> Vec<u8> {
    let about = xlsx_row(1, &["How to order"]) + &xlsx_row(2, &["Please call us", "", "2026"]);
    let list = [
        xlsx_row(1, &["Preisliste 2026"]),
        xlsx_row(3, &["Artikelnummer", "EAN", "Bezeichnung", "Bestand", "EK netto"]),
        xlsx_row(4, &["B-1", "4006381333931", "Stift", "1200", "1.5"]),
        xlsx_row(5, &["B-2", "4006381333948", "Block", "7", "12,50"]),
    ];
    xlsx(&[("Hinweise", &about), ("Artikel", &list.concat())])
}

#[test]
fn a_workbook_is_mapped_with_its_sheet_and_header_and_pulled() {
    let shop = Shop::new().file("liste.xlsx", workbook()).config(UNKNOWN);
    let shop = pasted(shop.config("source = \"liste.xlsx\""));
    let config = shop.read("invsync.toml");
    for line in ["connector = \"xlsx\"", "sheet = \"Artikel\"", "header_row = 3"] {
        assert!(config.contains(line), "{config}");
    }
    assert!(config.contains("number cells"), "{config}");
    shop.run("pull new")
        .code(0)
        .stock("main", "B-1", "1200")
        .price("retail", "B-1", "1.50")
        .price("retail", "B-2", "12.50");
}

#[test]
fn a_sheet_and_header_that_the_config_names_are_kept() {
    let shop = Shop::new().file("liste.xlsx", workbook()).config(UNKNOWN).config(
        "source = \"liste.xlsx\"\nconnector = \"xlsx\"\nsheet = \"Artikel\"\nheader_row = 3",
    );
    shop.run("map new").code(0).stdout_lacks("sheet =").stdout_lacks("header_row =");
    shop.write("liste.xlsx", zipped(&[("readme.txt", b"no workbook")]));
    shop.run("map new").code(1).stderr("is no spreadsheet");
}

#[test]
fn an_ods_packed_once_more_is_mapped_and_pulled() {
    let cell = |text: &&str| {
        format!(
            "<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p>\
             </table:table-cell>"
        )
    };
    let row = |cells: &[&str]| {
        format!("<table:table-row>{}</table:table-row>", cells.iter().map(cell).collect::<String>())
    };
    let rows =
        row(&["Indeks", "Nazwa", "Stan", "Cena netto"]) + &row(&["O-1", "Kubek", "4", "9,90"]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, &ods(&[("Arkusz1", &rows)])).unwrap();
    let shop = Shop::new().file("cennik.ods.gz", packed.finish().unwrap()).config(UNKNOWN);
    let shop = pasted(shop.config("source = \"cennik.ods.gz\""));
    shop.run("pull new").code(0).stock("main", "O-1", "4").price("retail", "O-1", "9.90");
}

/// An interchange of one message with these segments.
fn interchange(kind: &str, segments: &str) -> String {
    let count = segments.matches('\'').count() + 2;
    format!("UNB+UNOC:3+A+B+260101:1200+1'UNH+1+{kind}:D:96A:UN'{segments}UNT+{count}+1'UNZ+1+1'")
}

#[test]
fn an_inventory_report_is_mapped_and_pulled() {
    let report = interchange(
        "INVRPT",
        "BGM+35+7+9'LIN+1++4006381333931:EN'PIA+1+E-1:SA'IMD+F++:::Stift'QTY+52:10'QTY+145:12'\
         LIN+2++4006381333948:EN'PIA+1+E-2:SA'IMD+F++:::Block'QTY+52:10'QTY+145:3'QTY+145:4'",
    );
    let shop = pasted(only("stock = { direction = \"download\", warehouse = \"main\" }", &report));
    let config = shop.read("invsync.toml");
    assert!(config.contains("connector = \"edifact\""), "{config}");
    assert!(config.contains("sku = \"PIA[@2.2='SA']/@2.1\""), "{config}");
    assert!(config.contains("ean = \"@3.1\""), "{config}");
    shop.run("pull new").code(0).stock("main", "E-1", "12").stock("main", "E-2", "7");
}

#[test]
fn a_price_catalogue_is_mapped_and_pulled() {
    let catalogue = interchange(
        "PRICAT",
        "CUX+2:EUR:8'LIN+1++4006381333931:EN'IMD+F++:::Stift'QTY+52:10'PRI+AAB:3'PRI+AAA:1.5'\
         LIN+2++4006381333948:EN'IMD+F++:::Block'QTY+52:10'PRI+AAB:30'PRI+AAA:15:CT::100'",
    );
    let section = "prices = { direction = \"download\", price_group = \"retail\" }";
    let shop = pasted(only(section, &catalogue));
    let config = shop.read("invsync.toml");
    assert!(config.contains("sku = \"@3.1\"") && config.contains("per = "), "{config}");
    assert!(config.contains("currency = \"/CUX/@1.2\""), "{config}");
    shop.run("pull new").code(0).price("retail", "4006381333931", "1.50").price(
        "retail",
        "4006381333948",
        "0.15",
    );
    shop.write("feed", catalogue.replace("UNZ+1+1'", ""));
    shop.run("map new").code(1).stderr("is cut");
}

/// Small price lists as wholesalers of several countries write them, and what must be proposed.
const FAMILIES: [(&str, &[&str]); 8] = [
    (
        "Muster GmbH;;;;;;;;\nPreisliste;;;;;;;;\n\
         Artikel-Nr.;Hersteller-Artikelnummer;EAN;EAN Karton;Bezeichnung;VPE;Verfügbarkeit;EK netto;UVP\n\
         10-1;HX9;4006381333931;14006381333938;Stift;10;mehr als 10;1.049,50;1.999,00\n\
         10-2;HX8;4006381333948;14006381333945;Block;10;auf Lager;0,99;1,99\n\
         10-3;HX7;4006381333955;14006381333952;Heft;5;3 Stück;2,50;4,99\n",
        &[
            "header_row = 3",
            "sku = \"Artikel-Nr.\"",
            "\nean = \"EAN\"",
            "quantity = { path = \"Verfügbarkeit\", values = { \"auf lager\" = \"1\", \"mehr als 10\" = \"10\"",
            "unit = [\"Stück\"]",
            "price = { path = \"EK netto\", decimal = \",\" }",
        ],
    ),
    (
        "Kód;Výrobní číslo;EAN;Název;Dostupnost;Nákupní cena bez DPH;Doporučená cena s DPH\n\
         C1;V9;4006381333931;Hrnek;skladem > 5 ks;120,50;199\n\
         C2;V8;4006381333948;Talíř;na dotaz;80,00;129\n",
        &[
            "sku = \"Kód\"",
            "\"skladem > 5 ks\" = \"5\"",
            "\"na dotaz\" = \"\"",
            "price = { path = \"Nákupní cena bez DPH\", decimal = \",\" }",
        ],
    ),
    (
        "Cikkszám;Vonalkód;Megnevezés;Készlet;Bruttó ár;Nettó ár\n\
         H-1;4006381333931;Bögre;12;1 587,50 Ft;1 250,00 Ft\n\
         H-2;4006381333948;Tányér;nincs;1 257,30 Ft;990,00 Ft\n",
        &[
            "sku = \"Cikkszám\"",
            "ean = \"Vonalkód\"",
            "name = \"Megnevezés\"",
            "\"nincs\" = \"0\"",
            "price = { path = \"Nettó ár\"",
        ],
    ),
    (
        "Réf. fabricant;Référence;Code barre;Désignation;Stock disponible;Prix TTC;Prix HT\n\
         X1;F-1;4006381333931;Bol;plus de 50;15,00 €;12,50 €\n\
         X2;F-2;4006381333948;Verre;rupture;9,60 €;8,00 €\n",
        &["sku = \"Référence\"", "\"plus de 50\" = \"50\"", "price = { path = \"Prix HT\""],
    ),
    (
        "Kod towaru,Kod producenta,Kod EAN,Nazwa,Stan MAG1,Stan MAG2,Cena detaliczna brutto,Cena hurtowa netto\n\
         A-1,P1,4006381333931,Kubek,3,7,19.99,12.50\nA-2,P2,4006381333948,Miska,0,2,12.99,8.00\n",
        &[
            "sku = \"Kod towaru\"",
            "#quantity = { sum = [\"Stan MAG1\", \"Stan MAG2\"] }",
            "price = \"Cena hurtowa netto\"",
        ],
    ),
    (
        "Item Code|Barcode|Description|Qty On Order|Qty On Hand|RRP|Trade Price\n\
         B-1|4006381333931|Mug|0|10+|19.99|9.99\nB-2|4006381333948|Bowl|12|4|29.99|14.5\n",
        &["sku = \"Item Code\"", "quantity = \"Qty On Hand\"", "price = \"Trade Price\""],
    ),
    (
        "SKU,WarehouseDCCode,AvailableQuantity\nM-1,UK1,4\nM-1,UK2,6\nM-2,UK1,0\nM-2,UK2,1\n",
        &["rows = \"sum\"", "is = [\"UK1\"]", "# M-1 M-1 10"],
    ),
    (
        "{\"data\": {\"items\": [\
         {\"part_no\": \"E-1\", \"stock\": {\"leeds\": 4, \"total\": 7}, \"pricing\": {\"rrp\": \"19\", \"trade\": \"9\"}},\
         {\"part_no\": \"E-2\", \"stock\": {\"leeds\": 0, \"total\": 1}, \"pricing\": {\"rrp\": \"29\", \"trade\": \"19\"}}]}}",
        &["items = \"/data/items\"", "quantity = \"stock/total\"", "price = \"pricing/trade\""],
    ),
];

#[test]
fn price_lists_of_many_countries_are_understood() {
    for (list, lines) in FAMILIES {
        let shop = unmapped("feed", list);
        let mut ran = shop.run("map new").code(0);
        for line in lines {
            ran = ran.stdout(line);
        }
    }
}

#[test]
fn a_preset_that_reads_the_feed_is_named() {
    let feed = "<offers><o id=\"1\" price=\"10.50\" stock=\"4\"><name>Kubek</name>\
        <attrs><a name=\"SKU\">K-1</a></attrs></o><o id=\"2\" price=\"2.00\" stock=\"0\">\
        <name>Talerz</name><attrs><a name=\"SKU\">K-2</a></attrs></o></offers>";
    let shop = unmapped("ceneo.xml", feed);
    shop.run("map new")
        .code(0)
        .stdout("#preset = \"ceneo\"")
        .stdout("otherwise: currency")
        .stdout("sku = \"attrs/a[@name='SKU']\"");
    assert_eq!(shop.json("map new")["presets"][0]["preset"], "ceneo");
    let config = shop.read("invsync.toml").replace("\"EUR\"", "\"PLN\"");
    shop.write("invsync.toml", format!("{config}preset = \"ceneo\"\n"));
    shop.run("pull new").code(0).stock("main", "K-1", "4").price("retail", "K-2", "2.00");
    unmapped("liste.csv", GERMAN).run("map new").code(0).stdout_lacks("preset");
}

#[test]
fn keys_that_the_config_has_are_not_proposed_once_more() {
    let shop = unmapped("wh.csv", "SKU,Warehouse,Qty\nM-1,A,4\nM-1,B,6\n");
    let shop = shop.config("where = [{ path = \"Warehouse\", is = [\"A\"] }]\nrows = \"each\"");
    shop.run("map new").code(0).stdout_lacks("rows =").stdout_lacks("where =");
}
