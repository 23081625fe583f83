//! The config, as the program reads it: every error at once, secrets that never show.

use crate::support::{DOWNLOAD, STORE_A, Shop};

const STORE: &str = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,3,12.30\n";

fn shop() -> Shop {
    Shop::downloading(STORE)
}

/// A shop with one text of its config replaced.
fn replaced(from: &str, to: &str) -> Shop {
    let shop = shop();
    let config = shop.read("invsync.toml");
    assert!(config.contains(from), "{from}");
    shop.write("invsync.toml", config.replace(from, to));
    shop
}

#[test]
fn all_errors_are_told_at_once_with_line_and_hint() {
    let shop = Shop::new().file(
        "invsync.toml",
        r#"[inventory]
path = "inventory.db"
[warehouses]
main = "Main"
[integrations.a]
type = "wholesaler"
connector = "cvs"
[integrations.b]
type = "store"
connector = "csv"
source = "b.csv"
fields = { sku = "sku", quantity = "qty" }
stock = { direction = "download", wharehouse = "main" }
guard = { max_changed = "lots" }
"#,
    );
    shop.run("pull b")
        .code(2)
        .stderr("invsync.toml:7")
        .stderr("csv")
        .stderr("invsync.toml:13")
        .stderr("warehouse")
        .stderr("invsync.toml:14")
        .stderr("max_changed");
    assert!(!shop.path("inventory.db").exists());
}

#[test]
fn what_cannot_be_is_caught_before_anybody_is_contacted() {
    for (from, to, why) in [
        ("type = \"store\"", "type = \"shop\"", "type"),
        ("warehouse = \"main\"", "warehouse = \"mian\"", "main"),
        ("price_group = \"retail\"", "", "price_group"),
        ("quantity = \"qty\"\n", "", "quantity"),
        ("item_id = \"id\"\nsku = \"sku\"\n", "", "item_id"),
        ("direction = \"download\"\nwarehouse", "direction = \"up\"\nwarehouse", "direction"),
        ("warehouse = \"main\"", "warehouse = \"main\"\nevery = \"often\"", "every"),
        ("\"EUR\"", "\"EURO\"", "currency"),
        ("source = \"store.csv\"\n", "", "source"),
    ] {
        replaced(from, to).run("pull store-a").code(2).stderr("invsync.toml:").stderr(why);
    }
}

#[test]
fn a_wholesaler_cannot_be_sent_to() {
    replaced("type = \"store\"", "type = \"wholesaler\"").run("push store-a").code(2);
    let shop = replaced("type = \"store\"", "type = \"wholesaler\"");
    let config = shop.read("invsync.toml").replacen("\"download\"", "\"send\"", 1);
    shop.write("invsync.toml", config);
    shop.run("pull store-a").code(2).stderr("wholesaler");
}

#[test]
fn a_config_is_found_by_flag_by_environment_or_here() {
    let shop = shop().inventory("sku\nMUG-01\n").file("other/invsync.toml", "broken = [\n");
    shop.run("pull store-a").code(0);
    shop.run("--config other/invsync.toml pull store-a").code(2).stderr("other/invsync.toml");
    shop.run_with(("INVSYNC_CONFIG", "other/invsync.toml"), "pull store-a").code(2);
    shop.run("--config missing.toml pull store-a").code(2).stderr("missing.toml");
    shop.run_with(("INVSYNC_CONFIG", "missing.toml"), "pull store-a")
        .code(2)
        .stderr("missing.toml");
}

#[test]
fn relative_paths_are_relative_to_the_config() {
    let shop = shop();
    let config = shop.read("invsync.toml");
    shop.write("sub/invsync.toml", config);
    shop.write("sub/store.csv", STORE);
    shop.run("--config sub/invsync.toml pull store-a").code(0);
    assert!(shop.path("sub/inventory.db").exists() && !shop.path("inventory.db").exists());
}

#[test]
fn texts_come_from_the_environment_and_only_when_they_are_needed() {
    let shop = replaced("\"store.csv\"", "\"${FOLDER:-.}/${FILE}\"");
    shop.run("pull store-a").code(2).stderr("FILE");
    shop.run("inventory export").code(2).stderr("invsync init");
    shop.run_with(("FILE", "store.csv"), "pull store-a").code(0);
    shop.run("inventory export").code(0);
}

#[test]
fn names_that_are_needed_are_listed() {
    let shop = shop();
    shop.run("pull").code(2).stderr("store-a");
    shop.run("pull stor-a").code(2).stderr("store-a");
    shop.run("push store-a").code(2).stderr("send");
    shop.run("push --all").code(0).stdout("nothing to do");
}

#[test]
fn two_that_download_into_one_warehouse_are_a_warning_of_check() {
    let second = STORE_A.replace("store-a", "store-b");
    let shop = shop()
        .config(&second)
        .config(&DOWNLOAD.replace("store-a", "store-b"))
        .inventory("sku\nMUG-01\n");
    shop.run("check --all").code(0).stdout("store-b");
    shop.run("check --all --strict").code(5);
}

#[test]
fn only_check_tells_of_two_that_download_into_one_warehouse() {
    let second = STORE_A.replace("store-a", "store-b");
    let shop = shop().config(&second).config(&DOWNLOAD.replace("store-a", "store-b"));
    for command in ["pull store-a", "inventory list", "runs --format json", "init"] {
        let said = shop.run(command).code(0).stderr;
        assert!(!said.contains("overwrites the values"), "{said}");
    }
    let checked = shop.run("check --all").code(0);
    assert!(checked.stdout.contains("overwrites the values of"), "{}", checked.stdout);
    assert!(!checked.stderr.contains("warning"));
}

#[cfg(unix)]
#[test]
fn a_secret_that_everyone_may_read_is_a_warning_without_what_it_holds() {
    use std::os::unix::fs::PermissionsExt;
    let secret = "the secret file is readable by everyone";
    let shop = replaced("\"store.csv\"", "{ file = \"where\" }").file("where", "store.csv\n");
    let allow = |mode| {
        std::fs::set_permissions(shop.path("where"), PermissionsExt::from_mode(mode)).unwrap();
    };
    allow(0o644);
    let said = shop.run("pull store-a").code(0).stderr("warning: invsync.toml:13:").stderr(secret);
    assert!(said.stderr.contains("chmod 600") && !said.stderr.contains("store.csv"));
    shop.run("check --all").code(0).stdout(secret);
    allow(0o640);
    assert!(!shop.run("pull store-a").code(0).stderr.contains(secret));
    // What is not there is told by who needs it.
    std::fs::remove_file(shop.path("where")).unwrap();
    assert!(!shop.run("inventory list").code(0).stderr.contains(secret));
}

#[test]
fn check_tells_a_broken_config_in_json() {
    let shop = replaced("warehouse = \"main\"", "warehouse = \"mian\"");
    let check = shop.run("check --all --format json").code(2);
    let json = check.json();
    let problem = &json["integrations"][0]["problems"][0];
    assert_eq!((&problem["kind"], &problem["severity"]), (&"config".into(), &"error".into()));
}

#[test]
fn the_starter_config_is_good() {
    let shop = Shop::new();
    std::fs::remove_file(shop.path("invsync.toml")).unwrap();
    shop.run("init").code(0);
    shop.run("check --all --strict").code(0);
}

#[test]
fn an_error_quotes_keys_and_never_values() {
    let secret = "s3cr3t-t0ken";
    let lines = [
        format!("pasword = \"{secret}\""),
        format!("encoding = \"{secret}\""),
        format!("unlinked = \"{secret}\""),
        secret.to_owned(),
    ];
    for line in lines {
        let shop = replaced("source = \"store.csv\"", &format!("source = \"store.csv\"\n{line}"));
        let ran = shop.run("pull store-a").code(2).stderr("invsync.toml:14");
        assert!(!ran.stderr.contains(secret), "{}", ran.stderr);
    }
}

#[test]
fn an_error_of_a_key_hides_no_unknown_key_beside_it() {
    let config = STORE_A.replace(
        "[integrations.store-a]",
        "[integrations.store-a]\nencoding = \"x\"\npasword = \"y\"",
    );
    let shop = Shop::new().config(&config).config(DOWNLOAD);
    let errors = shop.run("pull store-a").code(2).stderr;
    assert!(
        errors.contains("encoding")
            && errors.contains("unknown key `integrations.store-a.pasword`"),
        "{errors}"
    );
    let nameless = STORE_A.replace("connector", "conector");
    let errors = Shop::new().config(&nameless).run("pull store-a").code(2).stderr;
    assert!(errors.contains("did you mean `connector`?"), "{errors}");
}
