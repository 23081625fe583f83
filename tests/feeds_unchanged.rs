//! What has nothing new is not read again, as long as nothing else moved.

use std::io::Write as _;
use std::time::{Duration, SystemTime};

use crate::support::http::{FileServer, answer, ok};
use crate::support::{DOWNLOAD, Shop};

const CSV: &str = "sku,qty,price\nA,3,1.50\nB,4,2.50\n";
const FIELDS: &str = "fields = { sku = \"sku\", quantity = \"qty\", price = \"price\" }\n";

fn wholesaler(source: &str, more: &str) -> Shop {
    let sections = DOWNLOAD.replace("store-a", "w");
    Shop::new().inventory("sku\nA\nB\n").config(&format!(
        "[integrations.w]\ntype = \"wholesaler\"\nconnector = \"csv\"\nsource = \"{source}\"\n\
         {FIELDS}{more}\n{sections}"
    ))
}

fn local() -> Shop {
    wholesaler("feed.csv", "").file("feed.csv", CSV)
}

fn status(shop: &Shop, args: &str) -> String {
    shop.run(&format!("{args} --format json")).one_run().text("status").to_owned()
}

/// One run that is `ok`, and then one that finds nothing new.
fn settled(shop: Shop) -> Shop {
    shop.run("pull w").code(0).stock("main", "A", "3");
    assert_eq!(status(&shop, "pull w"), "unchanged");
    shop
}

#[test]
fn a_file_with_the_same_bytes_is_nothing_new() {
    let shop = settled(local());
    let run = shop.run("pull w --format json").code(0).one_run();
    assert_eq!((run.number("items"), run.changes().len()), (0, 0));
    shop.run("pull w").code(0).stdout("nothing to change: the source has nothing new");
    shop.run("pull w --quiet").code(0);
    assert_eq!(status(&shop, "pull w --dry-run"), "unchanged");
    assert_eq!(shop.json("runs")["runs"][0]["status"], "unchanged");
    shop.write("feed.csv", CSV);
    assert_eq!(status(&shop, "pull w"), "unchanged");
    // As long, and something else.
    shop.write("feed.csv", CSV.replace("A,3", "A,5"));
    shop.run("pull w").code(0).stock("main", "A", "5");
    assert_eq!(status(&shop, "pull w"), "unchanged");
}

#[test]
fn every_format_and_every_packing_knows_the_same_bytes_again() {
    for (connector, feed) in [
        ("json", "[{\"sku\":\"A\",\"qty\":3,\"price\":1.5}]"),
        ("xml\"\nitems = \"/f/i", "<f><i><sku>A</sku><qty>3</qty><price>1.5</price></i></f>"),
    ] {
        let shop = Shop::new().inventory("sku\nA\n").file("feed", feed).config(&format!(
            "[integrations.w]\ntype = \"wholesaler\"\nconnector = \"{connector}\"\n\
             source = \"feed\"\n{FIELDS}{}",
            DOWNLOAD.replace("store-a", "w")
        ));
        settled(shop);
    }
    let zip = crate::support::zipped(&[("feed.csv", CSV.as_bytes())]);
    settled(wholesaler("feed.zip", "").file("feed.zip", zip));
}

#[test]
fn whatever_else_moved_makes_a_pull_read_in_full() {
    type Move<'m> = (&'m str, &'m dyn Fn(&Shop));
    let moves: [Move<'_>; 9] = [
        ("a value of its place", &|shop| {
            shop.run("inventory set A stock.main=9").code(0);
        }),
        ("a link", &|shop| {
            shop.run("link set w B A").code(0);
            shop.run("link remove w B").code(0);
        }),
        ("a product", &|shop| {
            shop.run_args(&["inventory", "import", "new.csv"]).code(0);
        }),
        ("the run undone", &|shop| {
            shop.run("undo 2").code(0);
        }),
        ("a guard", &|shop| {
            let config = shop.read("invsync.toml");
            shop.write("invsync.toml", config + "[integrations.w.guard]\nmax_changed = \"40%\"\n");
        }),
        ("the mapping", &|shop| {
            let config = shop.read("invsync.toml").replace("price = \"price\"", "price = \"qty\"");
            shop.write("invsync.toml", config);
        }),
        ("a run that was not ok", &|shop| {
            shop.write("feed.csv", CSV.replace("A,3", "A,x"));
            shop.run("pull w").code(3);
            shop.write("feed.csv", CSV);
        }),
        ("a run that failed", &|shop| {
            shop.write("feed.csv", "");
            shop.run("pull w").code(1);
            shop.write("feed.csv", CSV);
        }),
        ("a run of some items", &|shop| {
            shop.run("pull w --sku A").code(0);
        }),
    ];
    for (what, make) in moves {
        let shop = settled(local().file("new.csv", "sku\nC\n"));
        make(&shop);
        assert_ne!(status(&shop, "pull w"), "unchanged", "{what}");
        if what != "the mapping" {
            assert_eq!(shop.stock("main", "A").as_deref(), Some("3"), "{what}");
            assert_eq!(status(&shop, "pull w"), "unchanged", "{what}");
        }
    }
}

#[test]
fn what_moves_elsewhere_does_not_matter() {
    let shop = settled(local()).config(
        "[integrations.other]\ntype = \"wholesaler\"\nconnector = \"csv\"\n\
         source = \"other.csv\"\nfields = { sku = \"sku\", quantity = \"qty\" }\n\
         stock = { direction = \"download\", warehouse = \"outlet\" }\n",
    );
    shop.write("other.csv", CSV);
    shop.run("pull other").code(0);
    assert_eq!(status(&shop, "pull w"), "unchanged");
}

#[test]
fn what_is_asked_for_by_hand_is_read() {
    let shop = settled(local());
    assert_eq!(status(&shop, "pull w --sku A"), "ok");
    assert_eq!(status(&shop, "pull w"), "ok");
    assert_eq!(status(&shop, "pull w --allow max_changed"), "ok");
    // Each choice of sections has a memory of its own.
    assert_eq!(status(&shop, "pull w --only stock"), "ok");
    assert_eq!(status(&shop, "pull w --only stock"), "unchanged");
    assert_eq!(status(&shop, "pull w --only prices"), "ok");
}

#[test]
fn what_is_wrong_is_named_again() {
    let shop = wholesaler("feed.csv", "").file("feed.csv", CSV.replace("B,4", "B,x"));
    for _ in 0..2 {
        assert_eq!(status(&shop, "pull w"), "partial");
    }
}

#[test]
fn a_sync_that_sends_too_reads_what_is_there() {
    let shop = Shop::new()
        .inventory("sku,price.retail\nA,7.00\n")
        .file("s.csv", "sku,qty,price\nA,3,7.00\n")
        .config(&format!(
            "[integrations.s]\ntype = \"store\"\nconnector = \"csv\"\nsource = \"s.csv\"\n{FIELDS}\
             stock = {{ direction = \"download\", warehouse = \"main\" }}\n\
             prices = {{ direction = \"send\", price_group = \"retail\" }}\n"
        ));
    shop.run("sync s").code(0);
    shop.run("inventory set A price.retail=8").code(0);
    shop.run("sync s").code(0).wrote("s.csv", "sku,qty,price\nA,3,8.00\n");
}

#[test]
fn an_item_that_is_missing_long_enough_becomes_zero() {
    let guard = "guard = { missing = \"zero\", missing_after = 3, max_missing = \"100%\" }";
    let shop = wholesaler("feed.csv", guard).file("feed.csv", CSV);
    shop.run("pull w").code(0).stock("main", "B", "4");
    shop.write("feed.csv", "sku,qty,price\nA,3,1.50\n");
    for stock in ["4", "4", "0"] {
        shop.run("pull w").code(0).stock("main", "B", stock);
    }
    assert_eq!(status(&shop, "pull w"), "unchanged");
}

#[test]
fn a_server_is_asked_for_what_is_newer_and_304_is_nothing_new() {
    let headers = ["ETag: \"v1\"", "Last-Modified: Tue, 24 Nov 2026 08:00:00 GMT"];
    let new = answer("200 OK", &headers, CSV);
    let same = answer("304 Not Modified", &[], "");
    let newer = answer("200 OK", &["ETag: \"v2\""], CSV.replace("A,3", "A,5"));
    let server = FileServer::new([new, same.clone(), newer, same]);
    let shop = wholesaler(&server.url("/f.csv"), "");
    shop.run("pull w").code(0).stock("main", "A", "3");
    assert_eq!(status(&shop, "pull w"), "unchanged");
    shop.run("pull w").code(0).stock("main", "A", "5");
    assert_eq!(status(&shop, "pull w"), "unchanged");
    let came = server.came();
    let condition =
        |n: usize| (came[n].header("if-none-match"), came[n].header("if-modified-since"));
    assert_eq!(condition(0), (None, None));
    assert_eq!(condition(1), (Some("\"v1\""), Some("Tue, 24 Nov 2026 08:00:00 GMT")));
    assert_eq!(condition(2), condition(1));
    assert_eq!(condition(3), (Some("\"v2\""), None));
    // `list` wants to see it.
    let server = FileServer::new([ok(CSV)]);
    let shop = wholesaler(&server.url("/f.csv"), "");
    shop.run("pull w").code(0);
    shop.run("list w").code(0).stdout("A");
    // A server that marks nothing sends it all, and the bytes tell.
    assert_eq!(status(&shop, "pull w"), "unchanged");
    assert_eq!(server.came().len(), 3);
}

#[test]
fn nobody_is_asked_for_what_is_newer_than_something_that_was_never_applied() {
    let server = FileServer::new([answer("200 OK", &["ETag: \"v1\""], CSV)]);
    let shop = wholesaler(&server.url("/f.csv"), "guard = { min_items = 5 }");
    for _ in 0..2 {
        shop.run("pull w").code(4);
    }
    let server_b = FileServer::new([answer("200 OK", &["ETag: \"v1\""], CSV)]);
    let config = shop.read("invsync.toml").replace("guard = { min_items = 5 }", "");
    shop.write("invsync.toml", &config);
    shop.run("pull w").code(0);
    shop.run("pull w --dry-run").code(0);
    let asked: Vec<_> =
        server.came().iter().map(|came| came.header("if-none-match").is_some()).collect();
    assert_eq!(asked, [false, false, false, true]);
    // Another place, or another login, is asked for all of it.
    shop.write("invsync.toml", config.replace(&server.url(""), &server_b.url("")));
    shop.run("pull w").code(0);
    assert_eq!(server_b.came()[0].header("if-none-match"), None);
    let unasked = FileServer::new([answer("304 Not Modified", &[], "")]);
    wholesaler(&unasked.url("/"), "").run("pull w").code(1).stderr("304 Not Modified");
}

fn aged(shop: &Shop, hours: u64) {
    let file = std::fs::File::options().append(true).open(shop.path("feed.csv")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3600)).unwrap();
}

#[test]
fn a_delivery_that_is_too_old_is_stopped() {
    let shop = wholesaler("feed.csv", "guard = { max_age = \"26h\" }").file("feed.csv", CSV);
    aged(&shop, 31);
    let run = shop.run("pull w --format json").code(4).stock("main", "A", "–").one_run();
    assert_eq!(run.guards(), ["max_age – 31h>26h"]);
    shop.run("pull w --allow max_age").code(0).stock("main", "A", "3");
    aged(&shop, 20);
    shop.run("pull w").code(0);
    assert_eq!(status(&shop, "pull w"), "unchanged");
    // It stays the same, and gets too old.
    aged(&shop, 27);
    shop.run("pull w").code(4).stdout("max_age");
    shop.run("pull w --sku A").code(4);
}

#[test]
fn a_server_says_how_old_its_feed_is() {
    let old = answer("200 OK", &["Last-Modified: Tue, 24 Nov 2020 08:00:00 GMT"], CSV);
    let server = FileServer::new([old]);
    let guard = "guard = { max_age = \"26h\" }";
    wholesaler(&server.url("/"), guard).run("pull w").code(4).stdout("max_age");
    let server = FileServer::new([ok(CSV)]);
    wholesaler(&server.url("/"), guard)
        .run("pull w")
        .code(0)
        .stderr("the source does not say how old it is, so `max_age` cannot strike");
}

/// A time so many hours ago, as a feed may write it.
fn hours_ago(hours: u64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    (now - hours * 3600).to_string()
}

const OLD: &str = "guard = { max_age = \"26h\" }";

#[test]
fn the_time_that_a_feed_names_itself_counts_first() {
    // By its file, and by its server, each of them is new.
    let yml = |time: &str| {
        format!("<yml_catalog date='{time}'><shop><i sku='A'><qty>3</qty></i></shop></yml_catalog>")
    };
    let json =
        |time: &str| format!("{{\"made\": {time}, \"i\": [{{\"sku\": \"A\", \"qty\": 3}}]}}");
    let csv = |time: &str| format!("sku,qty,made\nB,1,1000000000\nA,3,{time}\n");
    for (connector, options, old, new) in [
        (
            "xml",
            "items = \"/yml_catalog/shop/i\"\ngenerated_at = \"/yml_catalog/@date\"\n\
             fields = { sku = \"@sku\", quantity = \"qty\" }",
            yml("2020-01-31 08:00"),
            yml(&hours_ago(1)),
        ),
        (
            "json",
            "items = \"/i\"\ngenerated_at = \"/made\"\nfields = { sku = \"sku\", quantity = \"qty\" }",
            json(&hours_ago(31)),
            json(&hours_ago(1)),
        ),
        (
            "csv",
            "generated_at = \"made\"\nfields = { sku = \"sku\", quantity = \"qty\" }",
            csv("31.01.2020 08:00"),
            csv(&hours_ago(1)),
        ),
        (
            "edifact",
            "generated_at = \"/DTM[@1.1='137']/@1.2\"\n\
             fields = { sku = \"@3.1\", quantity = \"QTY/@1.2\" }",
            "UNB+UNOA:1+1+2+200131:0800+1'UNH+1+INVRPT'DTM+137:20200131:102'LIN+1++A'QTY+145:3'\
             UNT+5+1'UNZ+1+1'"
                .to_owned(),
            format!(
                "UNB+UNOA:1+1+2+200131:0800+1'UNH+1+INVRPT'DTM+137:{}:102'LIN+1++A'QTY+145:3'\
                 UNT+5+1'UNZ+1+1'",
                hours_ago(1)
            ),
        ),
    ] {
        let config = format!(
            "[integrations.w]\ntype = \"wholesaler\"\nconnector = \"{connector}\"\nsource = \"feed\"\n\
             {options}\n{OLD}\nstock = {{ direction = \"download\", warehouse = \"main\" }}\n"
        );
        let shop = Shop::new().config(&config).inventory("sku\nA\n").file("feed", old);
        shop.run("pull w").code(4).stdout("max_age").stock("main", "A", "–");
        shop.write("feed", new);
        // However old the file is by its own time.
        let file = std::fs::File::options().append(true).open(shop.path("feed")).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(100 * 3600)).unwrap();
        shop.run("pull w").code(0).stock("main", "A", "3");
    }
}

#[test]
fn the_same_bytes_get_too_old_by_the_time_that_they_name() {
    let shop = wholesaler("feed.csv", "generated_at = \"made\"").inventory("sku\nA\nB\n");
    let csv = |time: &str| format!("sku,qty,price,made\nA,3,1.50,{time}\n");
    shop.write("feed.csv", csv("2020-01-31"));
    shop.run("pull w").code(0);
    assert_eq!(status(&shop, "pull w"), "unchanged");
    // The guard is a part of the config, so that it is read once in full.
    let shop = shop.config("[integrations.w.guard]\nmax_age = \"26h\"\n");
    shop.run("pull w").code(4).stdout("max_age");
    // What is known of its time counts, not that of the file: it is read again, and turns out new.
    let shop = wholesaler("feed.csv", &format!("generated_at = \"made\"\n{OLD}"));
    shop.write("feed.csv", csv(&hours_ago(1)));
    shop.run("pull w").code(0);
    assert_eq!(status(&shop, "pull w"), "unchanged");
    let years_ago = "json_set(validators, '$.generated.secs_since_epoch', 1000000000)";
    let set = format!("UPDATE validators SET validators = {years_ago}");
    assert_eq!(shop.sql().execute(&set, []).unwrap(), 1);
    assert_eq!(status(&shop, "pull w"), "ok");
}

#[test]
fn a_feed_that_names_no_time_is_as_old_as_its_file_and_what_is_no_time_is_an_error() {
    let more = format!("generated_at = \"made\"\n{OLD}");
    let shop = wholesaler("feed.csv", &more).file("feed.csv", "sku,qty,price,made\nA,3,1,\n");
    shop.run("pull w").code(0);
    aged(&shop, 31);
    shop.run("pull w").code(4).stdout("max_age");
    shop.write("feed.csv", "sku,qty,price,made\nA,5,1,01/02/2026\n");
    shop.run("pull w")
        .code(1)
        .stderr("finds \"01/02/2026\", which is no time")
        .stock("main", "A", "3");
    // What only a preset names need not be one.
    let yml = |date: &str| {
        format!(
            "<yml_catalog date='{date}'><shop><offers><offer id='1' available='true'>\
             <vendorCode>A</vendorCode></offer></offers></shop></yml_catalog>"
        )
    };
    let shop = Shop::new().inventory("sku\nA\n").file("feed", yml("soon")).config(&format!(
        "[integrations.w]\ntype = \"wholesaler\"\npreset = \"yml\"\nsource = \"feed\"\n{OLD}\n\
         stock = {{ direction = \"download\", warehouse = \"main\" }}\n"
    ));
    shop.run("pull w").code(0);
    shop.write("feed", yml("2020-02-05 17:22"));
    shop.run("pull w").code(4).stdout("max_age");
    shop.write("feed", yml(&hours_ago(1)));
    shop.run("pull w").code(0);
    shop.write("feed", yml("").replace(" date=''", ""));
    shop.run("pull w").code(0);
}

#[test]
fn of_joined_files_the_oldest_counts() {
    let join = "[[integrations.w.join]]\nsource = \"names.csv\"\nkey = \"sku\"\n\
                generated_at = \"made\"\nfields = { name = \"name\" }\n";
    let shop = wholesaler("feed.csv", OLD).file("feed.csv", CSV).config(join);
    shop.write("names.csv", "sku,name,made\nA,Apron,2020-01-31\n");
    shop.run("pull w").code(4).stdout("max_age");
    shop.write("names.csv", format!("sku,name,made\nA,Apron,{}\n", hours_ago(1)));
    shop.run("pull w").code(0);
    aged(&shop, 31);
    shop.run("pull w").code(4).stdout("max_age");
}

const PARTED: &str = r#"
[integrations.w]
type = "wholesaler"
connector = "csv"
[integrations.w.stock]
direction = "download"
warehouse = "main"
source = "stock.csv"
fields = { sku = "sku", quantity = "qty" }
[integrations.w.prices]
direction = "download"
price_group = "retail"
source = "prices.csv"
fields = { sku = "sku", price = "price" }
"#;

fn parted() -> Shop {
    let shop = Shop::new()
        .inventory("sku\nA\nB\n")
        .config(PARTED)
        .file("stock.csv", "sku,qty\nA,3\nB,4\n")
        .file("prices.csv", "sku,price\nA,1.50\nB,2.50\n");
    shop.run("pull w").code(0).stock("main", "A", "3").price("retail", "A", "1.50");
    assert_eq!(status(&shop, "pull w"), "unchanged");
    shop
}

#[test]
fn of_two_sources_only_the_one_with_something_new_is_read() {
    let shop = parted();
    for price in ["1.60", "1.70"] {
        shop.write("prices.csv", format!("sku,price\nA,{price}\nB,2.50\n"));
        let run = shop.run("pull w --format json").code(0).price("retail", "A", price).one_run();
        assert_eq!((run.text("status"), run.number("items")), ("ok", 2));
        assert_eq!(run.changes().len(), 1);
        // The source that was not read is as good as read, again and again.
        assert_eq!(status(&shop, "pull w"), "unchanged");
    }
    shop.run("pull w --format json").code(0).stdout("\"stock\"").stdout("\"prices\"");
    shop.write("stock.csv", "sku,qty\nA,5\nB,4\n");
    shop.run("pull w").code(0).stock("main", "A", "5").price("retail", "A", "1.70");
    assert_eq!(status(&shop, "pull w"), "unchanged");
}

#[test]
fn what_moved_for_one_of_two_sources_makes_that_one_be_read() {
    let shop = parted();
    shop.write("prices.csv", "sku,price\nA,1.60\nB,2.50\n");
    shop.run("inventory set A stock.main=9").code(0);
    shop.run("pull w").code(0).stock("main", "A", "3").price("retail", "A", "1.60");
    assert_eq!(status(&shop, "pull w"), "unchanged");
    // A run that held something back vouches for nothing.
    shop.write("prices.csv", "sku,price\nA,x\nB,2.50\n");
    shop.run("pull w").code(3);
    let run = shop.run("pull w --format json").code(3).one_run();
    assert_eq!(run.number("items"), 4);
}

#[test]
fn links_to_what_another_source_does_not_have_leave_that_one_unread() {
    let shop = Shop::new()
        .inventory("sku\nA\nB\nC\n")
        .config(PARTED)
        .file("stock.csv", "sku,qty\nA,3\nB,4\n")
        .file("prices.csv", "sku,price\nA,1.50\nC,2.50\n");
    shop.run("pull w").code(0).price("retail", "C", "2.50");
    assert_eq!(status(&shop, "pull w"), "unchanged");
}

#[test]
fn a_link_that_one_source_makes_has_the_others_read_once_more() {
    // The prices know the item's EAN, by which it is linked; the stock knows its id alone.
    let toml = PARTED
        .replace("connector", "link_by = [\"ean\"]\nconnector")
        .replace("sku = \"sku\", q", "item_id = \"id\", q")
        .replace("sku = \"sku\", p", "item_id = \"id\", ean = \"ean\", p");
    let shop = Shop::new()
        .inventory("sku,ean\nA,4006381333931\n")
        .config(&toml)
        .file("stock.csv", "id,qty\n1,3\n")
        .file("prices.csv", "id,ean,price\n2,,1\n");
    shop.run("pull w");
    shop.write("prices.csv", "id,ean,price\n1,4006381333931,1.50\n");
    shop.run("pull w").price("retail", "A", "1.50");
    shop.run("pull w").code(0).stock("main", "A", "3");
    assert_eq!(status(&shop, "pull w"), "unchanged");
}

#[test]
fn joined_files_are_nothing_new_together_and_as_old_as_the_oldest() {
    let join = "[[integrations.w.join]]\nsource = \"names.csv\"\nkey = \"sku\"\n\
                fields = { ean = \"ean\" }\n";
    let shop = wholesaler("feed.csv", "guard = { max_age = \"26h\" }")
        .config(join)
        .file("feed.csv", CSV)
        .file("names.csv", "sku,ean\nA,4006381333931\n");
    let shop = settled(shop);
    shop.write("names.csv", "sku,ean\nB,4006381333931\n");
    assert_ne!(status(&shop, "pull w"), "unchanged");
    assert_eq!(status(&shop, "pull w"), "unchanged");
    shop.write("feed.csv", CSV.replace("A,3", "A,5"));
    shop.run("pull w").code(0).stock("main", "A", "5");
    assert_eq!(status(&shop, "pull w"), "unchanged");
    // What is joined is part of the config, too.
    let config = shop.read("invsync.toml").replace("ean = \"ean\"", "name = \"ean\"");
    shop.write("invsync.toml", config);
    assert_ne!(status(&shop, "pull w"), "unchanged");
    let file = std::fs::File::options().append(true).open(shop.path("names.csv")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(31 * 3600)).unwrap();
    shop.run("pull w").code(4).stdout("max_age");
}

#[test]
fn sums_workbooks_and_interchanges_know_the_same_bytes_again() {
    settled(wholesaler("feed.csv", "rows = \"sum\"").file("feed.csv", CSV));
    let cell = |text: &str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let row = |cells: [&str; 3]| format!("<row>{}</row>", cells.map(cell).concat());
    let rows = [row(["sku", "qty", "price"]), row(["A", "3", "1.50"])].concat();
    let book = crate::support::feeds::xlsx(&[("Stock", &rows)]);
    let config = |shop: Shop| {
        let toml = shop.read("invsync.toml").replace("\"csv\"", "\"xlsx\"");
        shop.write("invsync.toml", toml);
        shop
    };
    settled(config(wholesaler("feed.xlsx", "").file("feed.xlsx", &book)));
    // From a server, and packed once more.
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&book).unwrap();
    let packed = packer.finish().unwrap();
    let server = FileServer::new([ok(&packed), answer("200 OK", &["ETag: \"v1\""], &packed)]);
    let shop = settled(config(wholesaler(&server.url("/feed.xlsx.gz"), "")));
    assert_eq!(status(&shop, "pull w"), "unchanged");
    let zip = crate::support::zipped(&[("feed.xlsx", &book), ("read.me", b"x")]);
    settled(config(wholesaler("feed.zip", "").file("feed.zip", zip)));
    let cut = config(wholesaler("feed.gz", "").file("feed.gz", &packed[..packed.len() - 9]));
    cut.run("pull w").code(1).stderr("its gzip data ends in the middle");
}
