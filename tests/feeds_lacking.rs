//! Mappings that name what a feed does not have: told with the key, its line, and what there is.

use crate::support::Shop;

fn wholesaler(file: &str, content: &str, keys: &str) -> Shop {
    Shop::new()
        .inventory("sku,stock.main,price.retail\nA,1,2\n")
        .config(&format!("[integrations.w]\ntype = \"wholesaler\"\nsource = \"{file}\"\n{keys}"))
        .config("[integrations.w.stock]\ndirection = \"download\"\nwarehouse = \"main\"\n")
        .file(file, content)
}

const XML: &str = "<r><p id='A'><qty>3</qty></p></r>";

#[test]
fn a_value_that_is_nowhere_in_a_feed_is_an_error_of_the_mapping() {
    let keys = "connector = \"xml\"\nitems = \"/r/p\"\n[integrations.w.fields]\n\
                sku = \"@id\"\nean = \"gtin\"\nquantity = \"qyt\"\n";
    let shop = wholesaler("feed.xml", XML, keys);
    let message = "`fields.quantity` (config line 17) looks at \"qyt\", which no item has; did you \
                   mean \"qty\"? (it has /r, /r/p, /r/p/@id, /r/p/qty)";
    shop.run("pull w").code(1).stderr(message).stock("main", "A", "1");
    shop.run("check w").code(5).stdout(message).stdout("`fields.ean` (config line 16) looks at");
    shop.run("check w --format github").code(5).stdout("::warning file=invsync.toml,line=16,");
    // A look shows what there is.
    shop.run("list w").code(0).stderr("`fields.quantity`");
    shop.run("pull w --allow shape").code(0);
    shop.write("invsync.toml", shop.read("invsync.toml").replace("qyt", "qty"));
    shop.run("pull w").code(0).stock("main", "A", "3");
    // What was there once is for the guard.
    shop.write("feed.xml", XML.replace("qty", "stock"));
    shop.run("pull w").code(4).stdout("shape");
}

#[test]
fn what_is_there_without_a_value_or_may_be_absent_is_no_error() {
    let keys = "connector = \"json\"\nfields = { sku = \"sku\", quantity = \"qty\" }\n";
    let shop = wholesaler("feed.json", r#"[{"sku":"A","qty":null}]"#, keys);
    shop.run("pull w").code(0).stock("main", "A", "1");
    shop.run("check w").code(0);
    shop.write("feed.json", r#"[{"sku":"A","stock":5}]"#);
    shop.run("pull w").code(1).stderr("which no item has (it has sku, stock)");
    let config = shop.read("invsync.toml");
    shop.write("invsync.toml", config.replace("\"json\"", "\"json\"\ncomplete = false"));
    shop.run("pull w").code(0).stock("main", "A", "1");
    let filtered = config.replace("\"qty\"", "\"stock[id='9']\"");
    shop.write("invsync.toml", filtered);
    shop.run("pull w").code(0);
}

#[test]
fn ids_that_are_nowhere_are_named() {
    let keys =
        "connector = \"xml\"\nitems = \"/r/p\"\nfields = { sku = \"code\", quantity = \"qty\" }\n";
    let shop = wholesaler("feed.xml", XML, keys);
    let message =
        "1 row without an id, SKU or EAN, or that cannot be read: `fields.sku` (config line 14)";
    shop.run("pull w").code(1).stderr(message).stderr("/r/p/@id");
    shop.run("check w").code(5).stdout(message);
}

#[test]
fn items_that_are_nowhere_are_told_with_their_key() {
    let keys = "connector = \"xml\"\nitems = \"/r/product\"\nfields = { sku = \"@id\", quantity = \"qty\" }\n";
    let shop = wholesaler("feed.xml", XML, keys);
    let message = "nothing is at \"/r/product\", where `items` (config line 13) looks (it has /r, \
                   /r/p, /r/p/@id, /r/p/qty)";
    shop.run("pull w").code(1).stderr(message).stock("main", "A", "1");
    shop.run("list w").code(1).stderr(message);
    shop.run("check w").code(5).stdout(message);
}

#[test]
fn a_filter_that_leaves_nothing_is_told_with_its_line() {
    let csv = "where = [{ path = \"kind\", is = [\"x\"] }]\n\
               fields = { sku = \"sku\", quantity = \"qty\" }\n";
    let message = "`where` (config line 13) left out all of 2 rows";
    for (file, content, connector) in [
        ("feed.csv", "sku,qty,kind\nA,3,y\nB,4,y\n", "csv"),
        ("feed.json", r#"[{"sku":"A","qty":3,"kind":"y"},{"sku":"B","qty":3}]"#, "json"),
    ] {
        let shop = wholesaler(file, content, &format!("connector = \"{connector}\"\n{csv}"));
        shop.run("pull w").code(1).stderr(message);
        shop.run("check w").code(5).stdout(message);
    }
}
