//! What surrounds a run: its clock, its folders, its limits, other names, and people who change their
//! minds.

use std::process::Command;

use crate::support::{Ran, SEND, STORE_A, Shop, words};

const HEAD: &str = "id,sku,ean,name,qty,price\n";
const STORE: &str = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,3,12.30\n2,TEA-01,,Teapot,6,39.00\n";
const INVENTORY: &str = "sku,stock.main,price.retail\nMUG-01,4,12.90\nTEA-01,5,41\n";

fn shop() -> Shop {
    Shop::downloading(STORE).inventory(INVENTORY)
}

/// A text of the config becomes another one.
fn change(shop: &Shop, from: &str, to: &str) {
    let config = shop.read("invsync.toml");
    assert!(config.contains(from), "{from}");
    shop.write("invsync.toml", config.replace(from, to));
}

fn is_pulled(ran: Ran<'_>) {
    ran.stock("main", "MUG-01", "3")
        .stock("main", "TEA-01", "6")
        .price("retail", "MUG-01", "12.30")
        .price("retail", "TEA-01", "39.00");
}

#[test]
fn a_clock_that_was_set_back_or_starts_in_1970_puts_nothing_off() {
    let shop = shop();
    change(&shop, "direction = \"download\"\n", "direction = \"download\"\nevery = \"1h\"\n");
    shop.run("pull store-a").code(0);
    // All that is on record happened fifty years from now.
    let later = "UPDATE runs SET started_ms = started_ms + 1577836800000,
        finished_ms = finished_ms + 1577836800000";
    shop.sql().execute_batch(later).unwrap();
    shop.write("store.csv", STORE.replace("Mug,3", "Mug,2"));
    shop.run("sync --all --due").code(0).stock("main", "MUG-01", "2");
    // The latest is the one that came last, whatever its clock said.
    assert_eq!(shop.json("runs")["runs"][0]["run_id"], 3);
    shop.run("undo 2").code(3).stdout("skipped").stock("main", "MUG-01", "2");
    shop.run("undo 3").code(0).stock("main", "MUG-01", "3");
    shop.run("runs prune --older-than 1d").code(0);
}

#[test]
fn it_needs_no_home_and_no_folder_for_temporary_files_and_leaves_nothing_there() {
    let shop = shop().file("home/kept", "");
    for command in ["pull store-a", "inventory backup copy.db", "undo 2", "push --all"] {
        let mut bare = shop.command(words(command));
        shop.finish(bare.env_clear().env("HOME", shop.path("home")).env("TMPDIR", "/no/such"))
            .code(0);
        std::fs::remove_file(shop.path("copy.db")).ok();
    }
    assert_eq!(std::fs::read_dir(shop.path("home")).unwrap().count(), 1);
    is_pulled(shop.finish(shop.command(words("pull store-a")).env_clear()).code(0));
}

#[cfg(unix)]
#[test]
fn an_inventory_behind_a_link_is_written_and_the_link_stays_a_link() {
    let shop = shop().file("data/kept", "");
    std::fs::rename(shop.path("inventory.db"), shop.path("data/real.db")).unwrap();
    std::os::unix::fs::symlink("data/real.db", shop.path("inventory.db")).unwrap();
    is_pulled(shop.run("pull store-a").code(0));
    assert!(shop.path("inventory.db").symlink_metadata().unwrap().is_symlink());
    // A link to nothing is no place for a new one: what it leads to may be a disk that is not there.
    std::fs::remove_file(shop.path("data/real.db")).unwrap();
    shop.run("pull store-a").code(1).stderr("a link to a file that is not there");
    assert!(shop.path("inventory.db").symlink_metadata().unwrap().is_symlink());
}

#[test]
fn of_two_starts_at_once_each_is_whole_or_locked_also_where_both_make_the_inventory() {
    for _ in 0..8 {
        let (cold, warm) = (Shop::downloading(STORE), shop());
        change(&cold, "type = ", "unlinked = \"create\"\ntype = ");
        for shop in [&cold, &warm] {
            let both = [shop.start("pull store-a"), shop.start("pull store-a")];
            let outputs = both.map(|run| run.wait_with_output().unwrap());
            let mut codes = outputs.each_ref().map(|output| output.status.code());
            codes.sort();
            assert!(codes == [Some(0), Some(0)] || codes == [Some(0), Some(6)], "{outputs:?}");
            is_pulled(shop.run("pull store-a").code(0).stdout("nothing to change"));
        }
    }
}

/// Runs a pull under limits of the shell; what fails changes nothing, or was done and recorded and
/// could not be shown, and the next one does it all.
/// Gives how many failed after they had begun.
#[cfg(target_os = "linux")]
fn fails_under(shop: &Shop, limits: impl Iterator<Item = String>) -> usize {
    let (mut failed, mut done) = (0, 0);
    for limit in limits {
        let shop = shop.copy();
        let before = shop.values();
        let own = shop.command(words("pull store-a --quiet"));
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("ulimit {limit} && exec \"$@\""), "sh"]);
        limited.arg(own.get_program()).args(own.get_args());
        limited.current_dir(own.get_current_dir().unwrap());
        if limited.output().unwrap().status.code() == Some(0) {
            done += 1;
        } else {
            failed += usize::from(shop.path("inventory.db.store-a.lock").exists());
            // What ended after its commit, in its report, is whole.
            if shop.values() != before {
                is_pulled(shop.run("pull store-a").code(0).stdout("nothing to change"));
            }
        }
        is_pulled(shop.run("pull store-a").code(0));
    }
    assert!(done > 0, "{failed} failed, and none did not");
    failed
}

#[cfg(target_os = "linux")]
#[test]
fn without_memory_a_pull_is_done_or_changes_nothing() {
    let more: String = (0..20_000).map(|n| format!("1{n},X{n},,Name {n},3,1.50\n")).collect();
    let shop = Shop::downloading(&format!("{STORE}{more}")).inventory(INVENTORY);
    change(&shop, "type = ", "unlinked = \"create\"\ntype = ");
    let limits = (14..60).step_by(2).map(|mebibytes| format!("-v {}", mebibytes * 1024));
    let failed = fails_under(&shop, limits.chain(["-v unlimited".to_owned()]));
    assert!(failed > 3, "only {failed} failed while they ran");
}

#[cfg(target_os = "linux")]
#[test]
fn without_file_handles_a_pull_is_done_or_changes_nothing() {
    let failed = fails_under(&shop(), (3..24).map(|handles| format!("-n {handles}")));
    assert!(failed > 0, "none failed while it ran");
}

#[test]
fn columns_that_move_or_are_added_change_nothing() {
    let shop = shop();
    shop.run("pull store-a").code(0);
    shop.write("store.csv", "price,new,sku,qty,name,id,ean\n12.30,x,MUG-01,3,Mug,1,\n");
    shop.run("pull store-a --sku MUG-01").code(0).stdout("nothing to change");
}

#[test]
fn keys_that_a_spreadsheet_spoiled_link_nothing() {
    let shop = Shop::downloading(&format!("{HEAD}1,,5.9E+12,Mug,3,12.30\n2,5.9E+12,,Tea,6,39\n"))
        .inventory("sku,ean,stock.main\nMUG-01,5901234123457,4\n");
    let run = shop.run("pull store-a --format json").code(3).one_run();
    assert_eq!(run.problems(), ["invalid_value 1 2", "unlinked 1 2", "unlinked 2 3"]);
    assert_eq!(shop.values(), ["MUG-01 stock.main 4"]);
}

#[test]
fn a_second_file_behind_the_first_one_with_a_mark_and_a_header_of_its_own() {
    let shop = Shop::downloading(STORE).inventory(INVENTORY);
    let (first, second) = ("1,MUG-01,,Mug,3,12.30\n", "2,TEA-01,,Teapot,6,39.00\n");
    shop.write("store.csv", format!("{HEAD}{first}\u{feff}{HEAD}{second}"));
    // The header is an item whose values are no numbers.
    is_pulled(shop.run("pull store-a").code(3).stdout("invalid_value"));
    // Without a header the mark touches a key, and no more.
    shop.write("store.csv", format!("{HEAD}{first}\u{feff}{}", second.replace(",6,", ",8,")));
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "3").stock("main", "TEA-01", "8");
}

#[test]
fn a_direction_may_be_turned_round_and_back() {
    let shop = shop();
    shop.run("pull store-a").code(0);
    change(&shop, "\"download\"", "\"send\"");
    shop.run("push store-a").code(0).stdout("nothing to change").wrote("store.csv", STORE);
    shop.run("inventory set MUG-01 stock.main=9").code(0);
    let sent = STORE.replace("Mug,3", "Mug,9");
    shop.run("push store-a").code(0).wrote("store.csv", &sent);
    change(&shop, "\"send\"", "\"download\"");
    shop.write("store.csv", STORE);
    is_pulled(shop.run("pull store-a").code(0));
}

#[test]
fn values_and_history_follow_a_renamed_price_group() {
    let shop = shop();
    shop.run("pull store-a").code(0);
    change(&shop, "retail = { name", "shop = { renamed_from = \"retail\", name");
    change(&shop, "price_group = \"retail\"", "price_group = \"shop\"");
    shop.run("pull store-a").code(0).stdout("nothing to change").price("shop", "MUG-01", "12.30");
    assert_eq!(shop.json("history MUG-01")["changes"][1]["price_group"], "shop");
}

#[test]
fn an_integration_of_another_name_adopts_no_history() {
    let shop = shop();
    shop.run("pull store-a").code(0);
    change(&shop, "store-a", "store-b");
    is_pulled(shop.run("pull store-b").code(0).stdout("nothing to change"));
    let runs = shop.json("runs");
    let of = |at: usize| runs["runs"][at]["integration"].as_str().unwrap().to_owned();
    assert_eq!([of(0), of(1)], ["store-b", "store-a"]);
}

#[test]
fn an_item_whose_sku_was_renamed_keeps_its_product() {
    let shop = shop();
    shop.run("pull store-a").code(0);
    shop.write("store.csv", STORE.replace("MUG-01", "MUG-NEW").replace("Mug,3", "Mug,2"));
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "2");
}

#[test]
fn a_restored_inventory_reads_the_store_and_sends_what_it_has() {
    let shop = Shop::new().config(STORE_A).config(SEND).file("store.csv", STORE);
    let shop = shop.inventory(INVENTORY);
    shop.run("push store-a").code(0);
    let (old, sent) = (shop.bytes("inventory.db"), shop.read("store.csv"));
    shop.run("inventory set MUG-01 stock.main=9").code(0);
    shop.run("push store-a").code(0);
    shop.write("inventory.db", old);
    // Its record ends before the last push; the store is read, not remembered.
    shop.run("push store-a").code(0).stdout("9 4 -5 applied").wrote("store.csv", &sent);
}
