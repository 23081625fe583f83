//! Links as reviewed data: a file of the config holds them, `link_by` only proposes.

use crate::support::{DOWNLOAD, SEND, STORE_A, Shop};

const HEAD: &str = "id,sku,ean,name,qty,price\n";
const ROWS: &str = "1,MUG-01,,,3,1\n2,TEA-01,,,5,2\n3,NEW,,,7,1\n";
const INVENTORY: &str = "sku,stock.main\nCUP,9\nMUG-01,\nTEA-01,\n";

/// A config whose `store-a` has its links in a file.
fn config(sections: &str) -> Shop {
    let store =
        STORE_A.replace("type = \"store\"", "links = \"links/store-a.csv\"\ntype = \"store\"");
    Shop::new().config(&store).config(sections)
}

/// A shop that pulls, with this links file.
fn shop(links: &str) -> Shop {
    config(DOWNLOAD)
        .file("store.csv", format!("{HEAD}{ROWS}"))
        .file("links/store-a.csv", links)
        .inventory(INVENTORY)
}

fn links(shop: &Shop) -> Vec<String> {
    let list = shop.json("link list store-a");
    let links = list["links"].as_array().unwrap().iter();
    links
        .map(|link| {
            let text = |key: &str| link[key].as_str().unwrap_or("–").to_owned();
            format!("{} {} {}", text("item_id"), text("sku"), text("linked_by"))
        })
        .collect()
}

fn differences(shop: &Shop, flags: &str) -> Vec<String> {
    let json = shop.json(&format!("link diff store-a {flags}"));
    let all = json["differences"].as_array().unwrap().iter();
    let side = |side: &serde_json::Value| match side {
        serde_json::Value::Null => "–".to_owned(),
        side => side["sku"].as_str().unwrap_or("never").to_owned(),
    };
    all.map(|found| {
        format!(
            "{} {} {} {} {}",
            found["item_id"].as_str().unwrap(),
            side(&found["in_file"]),
            side(&found["in_inventory"]),
            found["proposed"].as_str().unwrap_or("–"),
            found["state"].as_str().unwrap()
        )
    })
    .collect()
}

#[test]
fn the_file_is_the_truth_and_link_by_only_proposes() {
    let shop = shop("item_id,sku\n1,CUP\n");
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert_eq!(run.changes(), ["CUP stock 9→3 applied", "CUP prices –→1.00 applied"]);
    assert_eq!((run.number("linked"), run.number("unlinked")), (1, 2));
    assert_eq!(run.problems(), ["unlinked 2 3", "unlinked 3 4"]);
    insta::assert_snapshot!(run.0["problems"][1]["message"].as_str().unwrap(), @"link_by proposes TEA-01 (by SKU), but links/store-a.csv does not have the item; nothing was changed. Write it there with `invsync link auto store-a --write`, or link it by hand (`invsync link set`)");
    assert_eq!(links(&shop), ["1 CUP hand"]);
    assert_eq!(shop.read("links/store-a.csv"), "item_id,sku\n1,CUP\n");
}

#[test]
fn a_dry_run_heeds_the_file_and_writes_nothing() {
    let shop = shop("item_id,sku\n2,TEA-01\n");
    let before = shop.all_files();
    let run = shop.run("pull store-a --dry-run --format json").code(0).one_run();
    assert_eq!(run.changes(), ["TEA-01 stock –→5 planned", "TEA-01 prices –→2.00 planned"]);
    shop.run("check store-a").code(0);
    shop.run("link auto store-a").code(0).stderr("--write").stdout("dry run: nothing was written");
    shop.run("link auto store-a --write --dry-run").code(0).stdout("MUG-01");
    shop.run("link diff store-a").code(0);
    shop.is_untouched_since(&before);
}

#[test]
fn link_auto_writes_what_fits_into_the_file_and_keeps_what_is_there() {
    let shop = shop("item_id,sku,note\n3,CUP,by Anna\n10,,not ours\n");
    let run = shop.run("link auto store-a --write --format json").code(0).one_run();
    assert_eq!(run.number("linked"), 3);
    let file = "item_id,sku,note\n1,MUG-01,\n10,,not ours\n2,TEA-01,\n3,CUP,by Anna\n";
    assert_eq!(shop.read("links/store-a.csv"), file);
    assert_eq!(links(&shop), ["1 MUG-01 hand", "10 – never", "2 TEA-01 hand", "3 CUP hand"]);
    shop.run("link auto store-a --write").code(0).wrote("links/store-a.csv", file);
    shop.run("pull store-a").code(0).stock("main", "CUP", "7").stock("main", "MUG-01", "3");
}

#[test]
fn a_missing_file_is_told_before_anybody_is_contacted_and_made_by_link_auto() {
    let shop = config(DOWNLOAD).file("store.csv", format!("{HEAD}{ROWS}")).inventory(INVENTORY);
    let ran = shop.run("pull store-a").code(2);
    insta::assert_snapshot!(ran.stderr, @"error: invsync.toml:11: `integrations.store-a.links`: links/store-a.csv does not exist. `invsync link auto store-a --write` makes it with what link_by proposes; an empty file is a start as well");
    for command in ["check store-a", "link diff store-a"] {
        shop.run(command).code(2).stderr("links/store-a.csv does not exist");
    }
    let ran = shop.run("check store-a --format github").code(2).stdout;
    assert!(ran.starts_with("::error file=invsync.toml,line="), "{ran}");
    let before = shop.all_files();
    shop.run("link auto store-a").code(0).stdout("TEA-01").stderr("--write writes");
    shop.is_untouched_since(&before);
    shop.run("link auto store-a --write").code(0);
    assert_eq!(shop.read("links/store-a.csv"), "item_id,sku\n1,MUG-01\n2,TEA-01\n");
    shop.write("links/store-a.csv", "");
    shop.run("pull store-a --format json").code(0);
    assert_eq!(links(&shop), [""; 0]);
}

#[test]
fn links_by_hand_are_made_in_the_file() {
    let shop = shop("");
    shop.run("link set store-a 3 CUP").code(0);
    shop.run("link set store-a 1 ''").code(0);
    shop.write("more.csv", "item_id,sku\n2,TEA-01\n9,NOPE\n");
    shop.run("link import store-a more.csv").code(3).stdout("NOPE");
    assert_eq!(shop.read("links/store-a.csv"), "item_id,sku\n1,\n2,TEA-01\n3,CUP\n");
    assert_eq!(links(&shop), ["1 – never", "2 TEA-01 hand", "3 CUP hand"]);
    shop.run("link remove store-a 3").code(0);
    shop.run("link remove store-a 1").code(0);
    assert_eq!(shop.read("links/store-a.csv"), "item_id,sku\n2,TEA-01\n3,\n");
    shop.run("link set store-a 3 NOPE").code(2);
}

#[test]
fn what_is_wrong_in_the_file_is_told_with_its_line_and_not_used() {
    let shop = shop("item_id,sku\n1,MUG-01\n2,NOPE\n3,CUP\n3,TEA-01\n,CUP\n");
    let run = shop.run("pull store-a --format json").code(3).one_run();
    assert_eq!(run.changes().len(), 2, "{:?}", run.changes());
    let wrong: Vec<_> = run.problems();
    let wanted =
        ["invalid_value 2 3", "invalid_value 3 4", "invalid_value 3 5", "invalid_value – 6"];
    assert_eq!(wrong, wanted);
    assert_eq!(run.0["problems"][0]["file"], "links/store-a.csv");
    let github = shop.run("check store-a --format github").code(5).stdout;
    assert!(github.contains("::error file=links/store-a.csv,line=3,"), "{github}");
    insta::assert_snapshot!(github, @r#"
    ::error file=links/store-a.csv,line=6,title=store-a%3A invalid_value::CUP: links/store-a.csv: the row has no item_id; it was left out. Write one, or take it out
    ::error file=links/store-a.csv,line=3,title=store-a%3A invalid_value::item 2 (NOPE): links/store-a.csv: no product has the SKU NOPE; `invsync inventory list` shows what there is; the item was left alone
    ::error file=links/store-a.csv,line=4,title=store-a%3A invalid_value::item 3 (CUP): links/store-a.csv: line 5 says something else of this item; neither was used. Take out the wrong row
    ::error file=links/store-a.csv,line=5,title=store-a%3A invalid_value::item 3 (TEA-01): links/store-a.csv: line 4 says something else of this item; neither was used. Take out the wrong row
    ::warning file=links/store-a.csv,line=6,title=store-a%3A config::links/store-a.csv is not sorted by item_id (first here), so that changes are hard to review. `invsync link auto store-a --write` sorts it
    check store-a: 4 errors, 1 warning
    "#);
    // What cannot be used leaves the inventory's copy as it was.
    assert_eq!(links(&shop), ["1 MUG-01 hand"]);
}

#[test]
fn a_file_from_a_spreadsheet_is_read_and_check_warns_where_it_is_not_sorted() {
    let shop = shop("\u{feff}item_id,sku\r\n2,TEA-01\r\n1, MUG-01 \r\n");
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "3").stock("main", "TEA-01", "5");
    let ran = shop.run("check store-a --format github").code(0).stdout;
    assert!(ran.contains("::warning file=links/store-a.csv,line=3,"), "{ran}");
    shop.run("check store-a --strict --ignore unlinked").code(5);
    shop.run("link auto store-a --write").code(0);
    let sorted = "item_id,sku\r\n1, MUG-01 \r\n2,TEA-01\r\n";
    assert_eq!(shop.read("links/store-a.csv"), sorted);
    shop.run("check store-a --strict --ignore unlinked").code(0);
}

#[test]
fn a_file_that_is_no_links_file_is_wrong_config() {
    let shop = shop("id,product\n1,MUG-01\n");
    let wrong = "error: links/store-a.csv:1: `integrations.store-a.links`: the first line must \
                 name the columns item_id,sku";
    shop.run("pull store-a").code(2).stderr(wrong);
    let ran = shop.run("check store-a --format github").code(2).stdout;
    assert!(ran.starts_with("::error file=links/store-a.csv,line=1,"), "{ran}");
    shop.write("links/store-a.csv", b"item_id,sku\n1,\xff\n");
    shop.run("pull store-a").code(2).stderr("links/store-a.csv cannot be read");
    std::fs::remove_file(shop.path("links/store-a.csv")).unwrap();
    std::fs::create_dir(shop.path("links/store-a.csv")).unwrap();
    shop.run("pull store-a").code(2).stderr("is a folder");
}

#[test]
fn a_change_of_the_file_is_seen_though_the_source_has_nothing_new() {
    let shop = shop("item_id,sku\n1,MUG-01\n2,\n3,\n");
    shop.run("pull store-a").code(0);
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert_eq!(run.text("status"), "unchanged");
    shop.write("links/store-a.csv", "item_id,sku\n1,\n2,TEA-01\n3,\n");
    shop.run("pull store-a").code(0).stock("main", "TEA-01", "5");
    assert_eq!(links(&shop), ["1 – never", "2 TEA-01 hand", "3 – never"]);
}

#[test]
fn links_that_the_inventory_had_follow_the_file() {
    let plain = Shop::downloading(&format!("{HEAD}{ROWS}")).inventory(INVENTORY);
    plain.run("pull store-a").code(0);
    assert_eq!(links(&plain), ["1 MUG-01 sku", "2 TEA-01 sku"]);
    let config = plain.read("invsync.toml");
    let config = config.replace("type = \"store\"", "links = \"links.csv\"\ntype = \"store\"");
    plain.write("invsync.toml", config);
    plain.write("links.csv", "item_id,sku\n2,TEA-01\n3,CUP\n");
    let wanted = ["1 – MUG-01 MUG-01 only_in_inventory", "3 CUP – – only_in_file"];
    assert_eq!(differences(&plain, ""), wanted);
    plain.run("pull store-a").code(0);
    assert_eq!(links(&plain), ["2 TEA-01 sku", "3 CUP hand"]);
    assert_eq!(differences(&plain, ""), ["1 – – MUG-01 proposed"]);
}

#[test]
fn items_whose_id_is_the_sku_are_linked_by_the_file_too() {
    let by_sku = STORE_A
        .replace("item_id = \"id\"\n", "")
        .replace("type = \"store\"", "links = \"links.csv\"\ntype = \"store\"");
    let shop = Shop::new()
        .config(&by_sku)
        .config(DOWNLOAD)
        .file("store.csv", format!("{HEAD}{ROWS}"))
        .file("links.csv", "item_id,sku\nMUG-01,MUG-01\n")
        .inventory(INVENTORY);
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert_eq!(run.changes().len(), 2);
    assert_eq!(run.problems(), ["unlinked NEW 4", "unlinked TEA-01 3"]);
    assert_eq!(links(&shop), ["MUG-01 MUG-01 sku"]);
    shop.write("links.csv", "item_id,sku\nTEA-01,TEA-01\nNEW,CUP\n");
    shop.run("pull store-a").code(0).stock("main", "TEA-01", "5").stock("main", "CUP", "7");
    assert_eq!(links(&shop), ["NEW CUP hand", "TEA-01 TEA-01 sku"]);
}

#[test]
fn a_push_sends_by_the_file_and_several_items_may_share_a_product() {
    let shop = config(SEND)
        .file("store.csv", format!("{HEAD}{ROWS}"))
        .file("links/store-a.csv", "item_id,sku\n2,CUP\n3,CUP\n4,MUG-01\n")
        .inventory("sku,stock.main\nCUP,9\nMUG-01,4\n");
    let run = shop.run("push store-a --format json").code(3).one_run();
    assert_eq!(run.changes(), ["CUP stock 5→9 applied", "CUP stock 7→9 applied"]);
    // What fits a product that the file gives to another item is no proposal.
    assert_eq!(run.problems(), ["ambiguous 1 2", "broken_link 4 –"]);
    let check = shop.run("check store-a --format json").code(5).json();
    let broken = &check["integrations"][0]["problems"];
    let broken = broken.as_array().unwrap().iter().find(|p| p["kind"] == "broken_link").unwrap();
    assert_eq!((&broken["file"], &broken["line"]), (&"links/store-a.csv".into(), &4.into()));
    assert_eq!(links(&shop), ["2 CUP hand", "3 CUP hand", "4 MUG-01 hand"]);
}

#[test]
fn an_undo_leaves_the_links_to_the_file() {
    let shop = shop("item_id,sku\n1,CUP\n");
    shop.run("pull store-a").code(0).stock("main", "CUP", "3");
    shop.run("undo 2").code(0).stock("main", "CUP", "9");
    assert_eq!(links(&shop), ["1 CUP hand"]);
    shop.run("link set store-a 2 TEA-01").code(0);
    let ran = shop.run("undo 4").code(2);
    insta::assert_snapshot!(ran.stderr, @"error: the links of store-a stand in its links file, which an undo does not touch: take run 4 back there (by git, `invsync link set store-a` or `invsync link remove store-a`)");
    shop.run("history TEA-01").code(0);
}

#[test]
fn link_diff_shows_what_file_inventory_and_integration_do_not_agree_on() {
    let shop = shop("item_id,sku\n1,MUG-01\n2,CUP\n8,TEA-01\n9,NOPE\n");
    shop.run("pull store-a").code(3);
    shop.write("links/store-a.csv", "item_id,sku\n2,TEA-01\n7,\n8,TEA-01\n9,NOPE\n");
    let offline = [
        "1 – MUG-01 – only_in_inventory",
        "2 TEA-01 CUP – differs",
        "7 never – – only_in_file",
        "9 NOPE – – unknown_sku",
    ];
    assert_eq!(differences(&shop, "--offline"), offline);
    let all = [
        "1 – MUG-01 MUG-01 only_in_inventory",
        "2 TEA-01 CUP – differs",
        "3 – – – unlinked",
        "7 never – – only_in_file",
        "8 TEA-01 TEA-01 – gone",
        "9 NOPE – – unknown_sku",
    ];
    assert_eq!(differences(&shop, ""), all);
    let ran = shop.run("link diff store-a --exit-code").code(10);
    insta::assert_snapshot!(ran.stdout, @r#"
    item id  in file  in inventory  proposed  line  state
    1                 MUG-01        MUG-01       –  only_in_inventory
    2        TEA-01   CUP                        2  differs
    3                                            –  unlinked
    7        (never)                             3  only_in_file
    8        TEA-01   TEA-01                     4  gone
    9        NOPE                                5  unknown_sku
    6 differences
    "#);
    shop.run("link diff store-a --format csv").code(0).stdout("8,TEA-01,TEA-01,,4,gone");
}

#[test]
fn without_a_links_file_what_needs_one_says_so() {
    let shop = Shop::downloading(&format!("{HEAD}{ROWS}")).inventory(INVENTORY);
    shop.run("link diff store-a").code(2).stderr("store-a has no links file");
    shop.run("link auto store-a --write").code(2).stderr("store-a has none");
}

#[test]
fn a_links_file_excludes_what_contradicts_it() {
    let create = config("").read("invsync.toml");
    let create = create.replace("type = \"store\"", "unlinked = \"create\"\ntype = \"store\"");
    let shop = Shop::new().file("invsync.toml", create);
    let ran = shop.run("check --all").code(2);
    insta::assert_snapshot!(ran.stderr, @r#"error: invsync.toml:11: `integrations.store-a.links` does not go with `integrations.store-a.unlinked` = "create": a product made of an item needs a link that the file does not have. Make products with `invsync inventory import`, or write unlinked = "report""#);
    let store = STORE_A.replace("type = \"store\"", "links = \"links.csv\"\ntype = \"store\"");
    let shop = Shop::new().config(&store).config(&store.replace("store-a", "store-b"));
    shop.run("check --all").code(2).stderr("give each integration a file of its own");
}

#[test]
fn without_an_inventory_nobody_knows_which_skus_exist() {
    let shop = config(DOWNLOAD)
        .file("store.csv", format!("{HEAD}{ROWS}"))
        .file("links/store-a.csv", "item_id,sku\n1,MUG-01\n");
    shop.run("check store-a --offline").code(0).stdout("nobody knows which SKUs");
    shop.run("check store-a --offline --strict").code(5);
    let seeded =
        shop.read("invsync.toml").replace("[inventory]", "[inventory]\nseed = \"seed.csv\"");
    shop.write("invsync.toml", seeded);
    shop.write("seed.csv", "sku\nCUP\n");
    shop.run("check store-a --offline").code(5).stdout("links/store-a.csv:2");
}

#[test]
fn what_needs_no_products_is_told_without_an_inventory() {
    let shop = config(DOWNLOAD)
        .file("store.csv", format!("{HEAD}{ROWS}"))
        .file("links/store-a.csv", "item_id,sku\n5,A\n5,B\n,C\n");
    for look in ["check store-a --offline", "check store-a"] {
        let ran = shop.run(&format!("{look} --format github")).code(5).stdout;
        for line in 2..=4 {
            assert!(ran.contains(&format!("file=links/store-a.csv,line={line},")), "{ran}");
        }
        assert!(ran.contains("::warning file=invsync.toml,line="), "{ran}");
    }
}

#[test]
fn a_row_that_ends_before_its_sku_is_wrong_and_never_means_nothing_else() {
    let shop = shop("item_id,sku\n1\n2,\n3,CUP\n");
    let run = shop.run("pull store-a --format json").code(3).one_run();
    assert_eq!(run.problems(), ["invalid_value 1 2"]);
    assert_eq!(links(&shop), ["2 – never", "3 CUP hand"]);
    assert_eq!(differences(&shop, "--offline"), ["1 – – – too_few_cells"]);
    shop.write("links/store-a.csv", "item_id,sku\n1\n1,MUG-01\n");
    let ran = shop.run("check store-a --offline").code(5).stdout;
    assert!(ran.contains("too few cells") && ran.contains("line 2 says something else"), "{ran}");
}

#[test]
fn of_rows_that_contradict_each_other_each_is_shown_and_names_one_that_does() {
    let shop = shop("item_id,sku\n1,MUG-01\n1,MUG-01\n1,CUP\n");
    let run = shop.run("pull store-a --format json").code(3).one_run();
    let others = run.0["problems"].as_array().unwrap().iter().filter_map(|problem| {
        let message = problem["message"].as_str().unwrap();
        let other = message.split("line ").nth(1)?.split(' ').next()?;
        Some(format!("{} by {other}", problem["line"]))
    });
    assert_eq!(others.collect::<Vec<_>>(), ["2 by 4", "3 by 4", "4 by 2"]);
    let wanted =
        ["1 MUG-01 – – contradiction", "1 MUG-01 – – contradiction", "1 CUP – – contradiction"];
    assert_eq!(differences(&shop, "--offline"), wanted);
    shop.run("link diff store-a --format csv").code(0).stdout("1,CUP,,,4,contradiction");
}

#[test]
fn link_auto_can_be_the_first_command_of_all() {
    let shop = config(DOWNLOAD).file("store.csv", format!("{HEAD}{ROWS}"));
    let seeded =
        shop.read("invsync.toml").replace("[inventory]", "[inventory]\nseed = \"seed.csv\"");
    shop.write("invsync.toml", seeded);
    shop.write("seed.csv", "sku\nMUG-01\nTEA-01\n");
    let before = shop.all_files();
    shop.run("link auto store-a --write --dry-run").code(0).stdout("TEA-01");
    shop.is_untouched_since(&before);
    shop.run("link auto store-a --write").code(0).stderr("made the inventory");
    assert_eq!(shop.read("links/store-a.csv"), "item_id,sku\n1,MUG-01\n2,TEA-01\n");
    shop.run("pull store-a").code(0).stock("main", "TEA-01", "5");
}
