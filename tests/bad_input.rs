//! What may be wrong with a file or with the inventory: a clear error, nothing lost, nothing zeroed.

use std::fs;

use crate::support::{DOWNLOAD, Ran, STORE_A, Shop};

const HEAD: &str = "id,sku,ean,name,qty,price\n";
const INVENTORY: &str = "sku,stock.main,price.retail\nMUG-01,4,10\nTEA-01,5,20\n";

fn shop(csv: impl AsRef<[u8]>) -> Shop {
    Shop::downloading(HEAD).file("store.csv", csv).inventory(INVENTORY)
}

/// The pull fails, says this, and both products have what they had.
fn fails(shop: &Shop, why: &str) {
    unchanged(shop.run("pull store-a").code(1).stderr(why));
}

fn unchanged(ran: Ran<'_>) {
    ran.stock("main", "MUG-01", "4")
        .stock("main", "TEA-01", "5")
        .price("retail", "MUG-01", "10.00")
        .price("retail", "TEA-01", "20.00");
}

#[test]
fn a_missing_file() {
    let shop = shop(HEAD);
    fs::remove_file(shop.path("store.csv")).unwrap();
    fails(&shop, "store.csv");
}

#[test]
fn a_folder_in_its_place() {
    let shop = shop(HEAD);
    fs::remove_file(shop.path("store.csv")).unwrap();
    fs::create_dir(shop.path("store.csv")).unwrap();
    fails(&shop, "store.csv");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let shop = shop(HEAD);
    fs::set_permissions(shop.path("store.csv"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(shop.path("store.csv")).is_ok() {
        return; // Root may read everything.
    }
    fails(&shop, "store.csv");
}

#[test]
fn a_header_and_nothing_else() {
    fails(&shop(HEAD), "no items at all");
}

#[test]
fn a_header_and_nothing_else_where_the_config_expects_it() {
    let shop = shop(HEAD);
    let config =
        shop.read("invsync.toml").replacen("connector", "allow_empty = true\nconnector", 1);
    shop.write("invsync.toml", config);
    unchanged(shop.run("pull store-a").code(0));
}

#[test]
fn a_header_without_a_mapped_column_names_the_columns_there_are() {
    let shop = shop("id,sku,ean,name,bestand,price\n1,MUG-01,,Mug,3,12\n");
    fails(&shop, "qty");
    shop.run("pull store-a").code(1).stderr("bestand");
    shop.run("check store-a").code(5).stdout("bestand");
}

#[test]
fn a_column_that_is_there_twice() {
    fails(&shop("id,sku,ean,name,qty,qty,price\n1,MUG-01,,Mug,3,4,12\n"), "qty");
}

#[test]
fn a_quote_that_is_never_closed() {
    fails(&shop(format!("{HEAD}1,MUG-01,,Mug,3,12\n2,TEA-01,,\"Tea,0,1\n")), "quote");
}

#[test]
fn rows_with_too_few_or_too_many_cells_stop_no_other() {
    let shop = shop(format!("{HEAD}1,MUG-01\n2,TEA-01,,Tea,6,21,x,y\n3\n"));
    let ran = shop.run("pull store-a --format json");
    assert!(matches!(ran.code, Some(0 | 3)), "{:?}", ran.code);
    ran.stock("main", "MUG-01", "4").price("retail", "MUG-01", "10.00");
}

#[test]
fn a_bad_number_is_named_with_its_line() {
    let shop = shop(format!("{HEAD}1,MUG-01,,\"two\nlines\",x,12\n2,TEA-01,,Tea,6,21 USD\n"));
    let run = shop.run("pull store-a --format json").code(3).one_run();
    let lines: Vec<_> = run
        .problems()
        .into_iter()
        .map(|problem| problem.replace("currency_mismatch", "bad"))
        .collect();
    assert_eq!(lines, ["bad 2 4", "invalid_value 1 2"]);
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "4");
    assert_eq!(shop.stock("main", "TEA-01").unwrap(), "6");
    assert_eq!(shop.price("retail", "MUG-01").unwrap(), "12.00");
    assert_eq!(shop.price("retail", "TEA-01").unwrap(), "20.00");
}

#[test]
fn a_negative_price_is_held_back_and_a_negative_quantity_is_kept() {
    let shop = shop(format!("{HEAD}1,MUG-01,,Mug,-3,-12\n"));
    shop.run("pull store-a")
        .code(4)
        .stock("main", "MUG-01", "-3")
        .price("retail", "MUG-01", "10.00");
}

#[test]
fn a_cell_of_a_gigabyte() {
    let shop = shop(format!("{HEAD}1,MUG-01,,\""));
    // A file with a hole reads as zeros, and takes no room on the disk.
    let file = fs::OpenOptions::new().append(true).open(shop.path("store.csv")).unwrap();
    file.set_len(1 << 30).unwrap();
    let ran = shop.run("pull store-a");
    assert!(matches!(ran.code, Some(1 | 3)), "{:?} {}", ran.code, ran.stderr);
    unchanged(ran);
}

#[test]
fn zero_bytes_in_a_cell_are_no_text() {
    let shop =
        shop(format!("{HEAD}1,MUG-01,,M\0ug,3,12\n2,TEA-01\0,,Tea,6,21\n3,TEA-01,,Tea,\0,\0\n"));
    let ran = shop.run("pull store-a");
    assert!(matches!(ran.code, Some(0 | 1 | 3)), "{:?} {}", ran.code, ran.stderr);
    ran.stock("main", "TEA-01", "5").price("retail", "TEA-01", "20.00");
}

#[test]
fn text_in_another_encoding_loses_no_item() {
    // Latin-1, without saying so.
    let mut csv = HEAD.as_bytes().to_vec();
    csv.extend(b"1,MUG-01,,Caf\xe9,3,12\n2,TEA-01,,Tea,6,21\n");
    let shop = shop(&csv);
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "3").stock("main", "TEA-01", "6");
    assert_eq!(shop.json("list store-a")["items"][0]["name"], "Café");
}

#[test]
fn bytes_that_do_not_fit_the_named_encoding() {
    let mut csv = HEAD.as_bytes().to_vec();
    csv.extend(b"1,MUG-01,,Caf\xe9,3,12\n");
    let shop = shop(&csv);
    let config =
        shop.read("invsync.toml").replacen("connector", "encoding = \"utf-8\"\nconnector", 1);
    shop.write("invsync.toml", config);
    let ran = shop.run("pull store-a");
    assert!(matches!(ran.code, Some(0 | 1 | 3)), "{:?} {}", ran.code, ran.stderr);
}

#[test]
fn utf_16_is_read() {
    let text = format!("\u{feff}{HEAD}1,MUG-01,,Café,3,12\n");
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    shop(bytes).run("pull store-a").code(0).stock("main", "MUG-01", "3");
}

#[test]
fn binary_rubbish() {
    let bytes: Vec<u8> =
        (0..50_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let shop = shop(bytes);
    unchanged(shop.run("pull store-a").code(1));
}

#[test]
fn a_million_columns() {
    let shop = shop(format!("{}\n{}\n", "a,".repeat(1_000_000), "1,".repeat(1_000_000)));
    fails(&shop, "line 1");
    let ran = shop.run("pull store-a");
    assert!(ran.stderr.len() < 10_000, "the message has {} bytes", ran.stderr.len());
}

#[test]
fn json_and_xml_as_deep_as_a_well() {
    for (connector, open, fields) in [("json", "[", "sku"), ("xml", "<a>", "sku")] {
        let store = format!(
            "[integrations.x]\ntype = \"wholesaler\"\nconnector = \"{connector}\"\nsource = \"deep\"\n\
             {}fields = {{ sku = \"{fields}\", quantity = \"q\" }}\n\
             stock = {{ direction = \"download\", warehouse = \"main\" }}\n",
            if connector == "xml" { "items = \"/a\"\n" } else { "" }
        );
        let shop = shop(HEAD).config(&store).file("deep", open.repeat(1_000_000));
        unchanged(shop.run("pull x").code(1));
    }
}

/// A shop whose inventory is replaced by these bytes.
fn with_inventory(bytes: &[u8]) -> Shop {
    let csv = format!("{HEAD}1,MUG-01,,Mug,3,12\n");
    let shop = Shop::downloading(&csv).file("import.csv", INVENTORY);
    shop.write("inventory.db", bytes);
    shop
}

const COMMANDS: [&str; 8] = [
    "pull store-a",
    "sync --all",
    "inventory list",
    "inventory set MUG-01 stock.main=1",
    "inventory import import.csv",
    "link auto store-a",
    "runs",
    "init",
];

#[test]
fn a_file_that_is_no_inventory_is_never_touched() {
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("other.db");
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1)",
    )
    .unwrap();
    drop(conn);
    let other = fs::read(path).unwrap();
    for bytes in [b"".as_slice(), b"not a database, but notes\n", b"SQLite format 3\0", &other] {
        let shop = with_inventory(bytes);
        let before = shop.all_files();
        for command in COMMANDS {
            shop.run(command).code(1).stderr("inventory.db");
            shop.is_untouched_since(&before);
        }
    }
}

#[test]
fn the_inventory_of_a_newer_program_is_never_touched() {
    let shop = shop(format!("{HEAD}1,MUG-01,,Mug,3,12\n"));
    shop.sql().execute_batch("PRAGMA user_version = 999").unwrap();
    let before = shop.all_files();
    for command in COMMANDS {
        shop.run(command).code(1).stderr("newer");
        shop.is_untouched_since(&before);
    }
}

#[test]
fn a_damaged_inventory_is_named_and_left_as_it_is() {
    let shop = shop(format!("{HEAD}1,MUG-01,,Mug,3,12\n"));
    let mut bytes = shop.bytes("inventory.db");
    let middle = bytes.len() - 4096;
    bytes[4096..middle].fill(0x5a);
    shop.write("inventory.db", &bytes);
    let ran = shop.run("pull store-a").code(1).stderr("inventory.db");
    assert!(ran.stderr.contains("damaged") || ran.stderr.contains("malformed"), "{}", ran.stderr);
    assert_eq!(shop.bytes("inventory.db"), bytes);
}

#[test]
fn an_inventory_that_another_program_holds_is_temporary() {
    let shop = shop(format!("{HEAD}1,MUG-01,,Mug,3,12\n"));
    let before = shop.bytes("inventory.db");
    let sql = shop.sql();
    sql.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    shop.run("inventory list").code(7).stderr("locked");
    shop.run("pull store-a --dry-run").code(7).stderr("locked");
    drop(sql);
    assert_eq!(shop.bytes("inventory.db"), before);
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "3");
}

#[cfg(unix)]
#[test]
fn an_inventory_that_may_not_be_written_is_left_as_it_is() {
    use std::os::unix::fs::PermissionsExt as _;
    let shop = shop(format!("{HEAD}1,MUG-01,,Mug,3,12\n"));
    fs::set_permissions(shop.path("inventory.db"), fs::Permissions::from_mode(0o444)).unwrap();
    if fs::OpenOptions::new().append(true).open(shop.path("inventory.db")).is_ok() {
        return; // Root may write everything.
    }
    let before = shop.all_files();
    shop.run("pull store-a").code(1).stderr("read-only");
    shop.is_untouched_since(&before);
    shop.run("inventory list").code(0).stdout("MUG-01");
}

#[test]
fn a_folder_in_the_inventorys_place() {
    let shop = Shop::new().config(STORE_A).config(DOWNLOAD).file("store.csv", HEAD);
    fs::create_dir(shop.path("inventory.db")).unwrap();
    shop.run("pull store-a").code(1).stderr("inventory.db");
}

#[test]
fn no_folder_for_the_inventory() {
    let shop = Shop::new().config(STORE_A).config(DOWNLOAD).file("store.csv", HEAD);
    let config = shop.read("invsync.toml").replace("\"inventory.db\"", "\"no/such/inventory.db\"");
    shop.write("invsync.toml", config);
    shop.run("pull store-a").code(2).stderr("no/such");
    assert!(!shop.path("no").exists());
}

#[test]
fn a_broken_line_of_json_lines_costs_no_other_line() {
    let config = "[integrations.w]\ntype = \"wholesaler\"\nconnector = \"json\"\nsource = \"f.json\"\n\
                  unlinked = \"ignore\"\nfields = { sku = \"sku\", quantity = \"qty\" }\n\
                  stock = { direction = \"download\", warehouse = \"main\" }\n";
    let shop = Shop::new().inventory("sku,stock.main\nA,1\nB,1\nC,1\n").config(config);
    let line = |sku: &str| format!("{{\"sku\":\"{sku}\",\"qty\":5}}\n");
    // Longer than what is read at once.
    let filler: String = (0..30_000).map(|n| line(&format!("F{n}"))).collect();
    for broken in ["{\"sku\":\"B\",\"qty\":,}\n", "}\n", "<html>\n", "{\"sku\":\"B\n"] {
        shop.write("f.json", [&line("A"), broken, &filler, broken, &line("C")].concat());
        let run = shop.run("pull w --format json").code(3).one_run();
        assert_eq!((run.number("items"), run.number("invalid")), (30_002, 2), "{broken}");
        assert_eq!(shop.stock("main", "C").unwrap(), "5");
        shop.run("inventory set C stock.main=1").code(0);
        shop.run("list w").code(3).stderr("line 2: ").stderr("line 30003: ");
    }
    // What is cut, or is one document, is refused as a whole.
    for text in
        ["{\"sku\":\"A\",\"qty\":7}\n{\"sku\":\"C\",\"q", "[\n{\"sku\":\"A\",\"qty\":7},\n{,}\n]\n"]
    {
        shop.write("f.json", text);
        shop.run("pull w").code(1).stock("main", "A", "5");
    }
}

#[test]
fn a_quote_that_stands_by_itself_gives_no_row_the_values_of_another() {
    let shop = shop(format!("{HEAD}1,MUG-01,,\"Mug,3,1\n2,TEA-01,,\"Tea\",7,2\n3,LID-01,,,1,1\n"));
    let run = shop.run("pull store-a --format json").code(3).one_run();
    assert_eq!(run.changes(), Vec::<String>::new());
    assert_eq!(run.problems(), ["invalid_value – 2", "unlinked 3 4"]);
    shop.write("store.csv", format!("{HEAD}1,MUG-01,,\"Mug\nof clay\",3,11\n2,TEA-01,,Tea,7,21\n"));
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "3").stock("main", "TEA-01", "7");
}
