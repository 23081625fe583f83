//! What people and scripts see: tables, JSON, CSV, Markdown, and nothing at all.

use std::process::Stdio;

use serde_json::json;

use crate::support::{BASE, Shop};

const STORE: &str = "\
id,sku,ean,name,qty,price
17,MUG-01,,Mug,3,12.30
18,TEA-01,,\"Tea | pot\u{1b}[31m\",7,39.00
99,,,Card,1,1
20,CUP-01,,Cup,x,1
";
const INVENTORY: &str = "sku,name,stock.main,price.retail\nMUG-01,Mug,4,\nTEA-01,Tea | pot\u{1b}[31m,7,39\nCUP-01,Cup,1,1\n";

fn shop() -> Shop {
    Shop::downloading(STORE).inventory(INVENTORY)
}

#[test]
fn the_json_of_a_pull_is_exactly_as_documented() {
    let shop = shop();
    let ran = shop.run("pull store-a --format json").code(3);
    let mut json = ran.json();
    for key in ["started_at", "finished_at"] {
        let at = json["runs"][0][key].take();
        let at = at.as_str().unwrap();
        assert!(at.len() == 20 && at.ends_with('Z'), "{at}");
    }
    for problem in json["runs"][0]["problems"].as_array_mut().unwrap() {
        assert!(!problem["message"].take().as_str().unwrap().is_empty());
    }
    let mut problems = json["runs"][0]["problems"].take();
    problems.as_array_mut().unwrap().sort_by_key(|problem| problem["line"].as_u64());
    let expected = json!({"schema_version": 1, "runs": [{
        "run_id": 2, "integration": "store-a", "command": "pull", "dry_run": false,
        "status": "partial", "started_at": null, "finished_at": null,
        "items": 4, "linked": 3, "unlinked": 1, "created": 0, "missing": 0, "duplicates": 0, "invalid": 1,
        "changed": {"stock": 1, "prices": 1}, "held_back": 0, "refused": 0,
        "changes": [
            {"section": "stock", "item_id": "17", "sku": "MUG-01", "name": "Mug", "warehouse": "main",
             "before": "4", "after": "3", "status": "applied", "message": null},
            {"section": "prices", "item_id": "17", "sku": "MUG-01", "name": "Mug",
             "price_group": "retail", "currency": "EUR",
             "before": null, "after": "12.30", "status": "applied", "message": null}],
        "problems": null, "guards": [], "error": null}]});
    assert_eq!(json, expected);
    let expected = json!([
        {"kind": "unlinked", "severity": "warning", "item_id": "99", "sku": null, "line": 4, "message": null},
        {"kind": "invalid_value", "severity": "error", "item_id": "20", "sku": "CUP-01", "line": 5, "message": null}
    ]);
    assert_eq!(problems, expected);
}

#[test]
fn the_keys_of_the_json_stand_in_the_documented_order() {
    let text = shop().run("pull store-a --format json").stdout;
    let keys = [
        "schema_version",
        "runs",
        "run_id",
        "integration",
        "command",
        "dry_run",
        "status",
        "started_at",
        "finished_at",
        "items",
        "linked",
        "unlinked",
        "created",
        "missing",
        "duplicates",
        "invalid",
        "changed",
        "held_back",
        "refused",
        "changes",
        "problems",
        "guards",
        "error",
    ];
    let places: Vec<_> = keys.iter().map(|key| text.find(&format!("\"{key}\":"))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn csv_has_a_row_for_each_change() {
    let ran = shop().run("pull store-a --format csv").code(3).stdout;
    assert_eq!(
        ran,
        "integration,section,item_id,sku,name,target,currency,before,after,status,message\n\
         store-a,stock,17,MUG-01,Mug,main,,4,3,applied,\n\
         store-a,prices,17,MUG-01,Mug,retail,EUR,,12.30,applied,\n"
    );
}

#[test]
fn markdown_has_the_same_rows() {
    shop()
        .run("pull store-a --format markdown")
        .code(3)
        .stdout("| integration | section |")
        .stdout("| store-a | stock | 17 | MUG-01 | Mug | main |");
}

#[test]
fn escapes_of_the_terminal_are_shown_and_never_sent() {
    let shop = shop();
    shop.run("inventory set TEA-01 stock.main=1").code(0);
    for format in ["table", "markdown"] {
        for command in
            ["pull store-a --dry-run", "list store-a", "inventory list", "history TEA-01"]
        {
            let ran = shop.run(&format!("{command} --format {format}"));
            assert!(!ran.stdout.contains('\u{1b}'), "{command} {format}");
        }
    }
    shop.run("pull store-a --dry-run --format markdown").stdout("Tea \\| pot");
}

#[test]
fn no_colours_but_where_they_are_asked_for() {
    let shop = shop();
    assert!(!shop.run("pull store-a --dry-run").stdout.contains('\u{1b}'));
    assert!(shop.run("pull store-a --dry-run --color always").stdout.contains("\u{1b}["));
    shop.run("pull store-a --dry-run --color never").stdout_lacks("\u{1b}[");
}

fn many(n: usize) -> Shop {
    let rows: String = (0..n).map(|n| format!("{n},S{n:05},,Thing {n},{n},{n}.50\n")).collect();
    let skus: String = (0..n).map(|n| format!("S{n:05}\n")).collect();
    Shop::downloading(&format!("id,sku,ean,name,qty,price\n{rows}"))
        .inventory(&format!("sku\n{skus}"))
}

#[test]
fn a_table_is_cut_at_the_limit_and_its_totals_are_true() {
    let shop = many(80);
    let ran = shop.run("pull store-a --dry-run").code(0).stdout("80 stock, 80 prices would change");
    assert_eq!(ran.stdout.matches(" planned").count(), 100);
    let ran = shop.run("pull store-a --dry-run --limit 3").code(0).stdout("77 more");
    assert_eq!(ran.stdout.matches(" planned").count(), 6);
    let ran = shop.run("pull store-a --dry-run --limit 0").code(0);
    assert_eq!(ran.stdout.matches(" planned").count(), 160);
    // What scripts read is never cut.
    let run = shop.run("pull store-a --dry-run --limit 3 --format json").code(0).one_run();
    assert_eq!(run.changes().len(), 160);
}

#[test]
fn changes_are_sorted_by_sku() {
    let shop = Shop::downloading(
        "id,sku,ean,name,qty,price\n1,b,,,1,1\n2,C,,,1,1\n3,a10,,,1,1\n4,a9,,,1,1\n",
    )
    .inventory("sku\nb\nC\na10\na9\n");
    let run = shop.run("pull store-a --format json --only stock").code(0).one_run();
    let skus: Vec<_> =
        run.changes().iter().map(|change| change.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(skus, ["C", "a10", "a9", "b"]);
}

#[test]
fn a_reader_that_leaves_early_does_no_harm() {
    let shop = many(20_000);
    for format in ["table --limit 0", "json", "csv", "markdown"] {
        let mut command = shop.command(["pull", "store-a", "--only", "stock", "--format"]);
        command.args(format.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{format}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{format}");
        assert_eq!(shop.stock("main", "S00007").unwrap(), "7");
        shop.run("inventory set S00007 stock.main=8").code(0);
    }
}

#[test]
fn quiet_says_nothing_when_all_is_well_and_everything_when_not() {
    let shop = many(3);
    shop.run("pull store-a --quiet").code(0).silent();
    shop.run("sync --all -q").code(0).silent();
    shop.run("push --all -q").code(0).silent();
    std::fs::remove_file(shop.path("store.csv")).unwrap();
    shop.run("pull store-a --quiet").code(1).stderr("store.csv");
    let shop = self::shop();
    shop.run("pull store-a --quiet").code(3).stdout("MUG-01").stdout("invalid_value");
}

#[test]
fn results_go_to_stdout_and_messages_to_stderr() {
    let shop = shop();
    assert_eq!(shop.run("pull store-a").code(3).stdout("MUG-01").stderr, "");
    assert_eq!(shop.run("pull nobody").code(2).stdout, "");
}

#[test]
fn the_list_shows_what_the_source_has_and_touches_nothing() {
    let shop = Shop::downloading(STORE);
    let before = shop.all_files();
    let list = shop.json("list store-a");
    shop.is_untouched_since(&before);
    assert_eq!(list["schema_version"], 1);
    assert_eq!(
        list["items"][0],
        json!({"item_id": "17", "sku": "MUG-01", "ean": null, "name": "Mug", "parent_sku": null,
               "quantity": "3", "price": "12.30", "currency": null})
    );
    assert_eq!(list["items"].as_array().unwrap().len(), 4);
}

#[test]
fn cells_that_a_spreadsheet_would_run_are_marked_only_when_asked() {
    let shop = Shop::new().inventory("sku,name\nA,=1+1\n");
    shop.run("inventory list --format csv").code(0).stdout("A,,=1+1,");
    shop.run("inventory list --format csv --spreadsheet-safe").code(0).stdout("A,,'=1+1,");
}

#[test]
fn amounts_have_the_decimals_of_their_currency_or_more() {
    let shop = Shop::new()
        .file("invsync.toml", format!("{BASE}yen = {{ name = \"Yen\", currency = \"JPY\" }}\n"))
        .inventory("sku,stock.main,price.retail,price.yen\nA,1.500,1.5,1200.0\nB,2,1.2345,0.5\n");
    shop.run("inventory export").code(0).stdout("A,,,,1.5,,1.50,1200\nB,,,,2,,1.2345,0.5");
}

#[test]
fn completions_and_the_manual_are_there() {
    let shop = Shop::new();
    shop.run("completions bash").code(0).stdout("invsync");
    let page = shop.run("man").code(0).stdout(".TH invsync");
    page.stdout(".SH \"INVSYNC LINK SET\"").stdout("\\-\\-interactive").stdout(".SS EXAMPLES");
    shop.run("--version").code(0).stdout("invsync ");
    shop.run("pull --help").code(0).stdout("Examples:");
    shop.run("frobnicate").code(2);
}

#[test]
fn what_was_refused_does_not_hide_behind_the_limit() {
    use std::fmt::Write as _;

    let (mut store, mut inventory) = (String::new(), "sku,stock.main,price.retail\n".to_owned());
    for n in 10..80 {
        let price = if n == 75 { "" } else { ",10" };
        let _ = writeln!(store, "{n},S{n},,Name,5{price}");
        let _ = writeln!(inventory, "S{n},5,11");
    }
    let store = format!("id,sku,ean,name,qty,price\n{store}");
    let shop = Shop::sending(&store, &inventory)
        .config("[integrations.store-a.guard]\nmax_changed = \"100%\"\nsame_factor = \"allow\"");
    shop.run("push store-a --limit 5")
        .code(3)
        .stdout("and 65 more")
        .stdout("among them, not applied:")
        .stdout("S75");
}
