//! A dry run: the same plan, nothing written anywhere.

use crate::support::Shop;

const STORE: &str = "\
id,sku,ean,name,qty,price
1,MUG-01,,Mug,3,12.30
2,TEA-01,,Teapot,7,39.00
3,,,Card,1,1
4,CUP-01,,Cup,x,1
";
const INVENTORY: &str = "sku,stock.main,price.retail\nMUG-01,4,12.30\nTEA-01,,41\nCUP-01,1,\n";

#[test]
fn it_leaves_no_file_and_touches_none() {
    let shop = Shop::downloading(STORE);
    let before = shop.all_files();
    for command in ["pull store-a", "pull --all", "sync --all", "init", "link auto store-a"] {
        let code = shop.run(&format!("{command} --dry-run")).code;
        assert!(matches!(code, Some(0 | 2 | 3)), "{command}: {code:?}");
        shop.is_untouched_since(&before);
    }
    let shop = shop.inventory(INVENTORY);
    let before = shop.all_files();
    for command in [
        "pull store-a",
        "sync store-a",
        "link auto store-a",
        "link set store-a 3 MUG-01",
        "link remove store-a 3",
        "inventory set MUG-01 stock.main=9",
        "inventory import import.csv",
        "inventory backup copy.db",
        "list store-a",
        "check store-a",
        "inventory list",
        "runs",
        "history MUG-01",
    ] {
        let code = shop.run(&format!("{command} --dry-run")).code;
        assert!(matches!(code, Some(0 | 3 | 5)), "{command}: {code:?}");
        shop.is_untouched_since(&before);
    }
}

#[test]
fn it_plans_what_the_real_run_does() {
    let shop = Shop::downloading(STORE).inventory(INVENTORY);
    let dry = shop.run("pull store-a --dry-run --format json").code(3).one_run();
    let real = shop.run("pull store-a --format json").code(3).one_run();
    let planned: Vec<_> =
        dry.changes().iter().map(|change| change.replace("planned", "applied")).collect();
    assert_eq!(planned, real.changes());
    for key in
        ["items", "linked", "unlinked", "created", "invalid", "changed", "problems", "status"]
    {
        assert_eq!(dry.0[key], real.0[key], "{key}");
    }
    assert_eq!((dry.0["run_id"].is_null(), &dry.0["dry_run"]), (true, &true.into()));
}

#[test]
fn it_says_that_nothing_was_written() {
    let shop = Shop::downloading(STORE).inventory(INVENTORY);
    shop.run("pull store-a --dry-run")
        .code(3)
        .stdout("MUG-01 4 3 -1 planned")
        .stdout("would change")
        .stdout("dry run: nothing was written");
}

#[test]
fn differences_have_an_exit_code_when_asked() {
    let good = STORE.replace("4,CUP-01,,Cup,x,1\n", "");
    let shop = Shop::downloading(&good).inventory(INVENTORY);
    shop.run("pull store-a --dry-run").code(0);
    shop.run("pull store-a --dry-run --exit-code").code(10);
    shop.run("pull store-a --exit-code").code(2).stderr("--dry-run");
    shop.run("pull store-a").code(0);
    shop.run("pull store-a --dry-run --exit-code").code(0);
}

#[test]
fn a_first_dry_run_plans_on_the_seed() {
    let config = crate::support::BASE.replace("[warehouses]", "seed = \"seed.csv\"\n[warehouses]");
    let shop = Shop::new()
        .file("invsync.toml", config)
        .config(crate::support::STORE_A)
        .config(crate::support::DOWNLOAD)
        .file("seed.csv", INVENTORY)
        .file("store.csv", STORE);
    let before = shop.all_files();
    shop.run("pull store-a --dry-run").code(3).stdout("MUG-01 4 3 -1 planned");
    shop.is_untouched_since(&before);
}
