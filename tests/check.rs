//! `check`: every kind of problem with its place, what may be ignored or accepted, and the formats
//! that other programs read.

use serde_json::Value;

use crate::support::woocommerce::{Catalogue, Fake};
use crate::support::{DOWNLOAD, SEND, STORE_A, Shop};

const HEAD: &str = "id,sku,ean,name,qty,price\n";
const EAN: &str = "4006381333931";

fn shop(rows: &str, inventory: &str) -> Shop {
    Shop::downloading(&format!("{HEAD}{rows}")).inventory(inventory)
}

/// The problems of `check store-a` as `kind severity item sku file:line config_line`.
fn found(shop: &Shop, flags: &str) -> Vec<String> {
    let json = shop.json(&format!("check store-a {flags}"));
    let all = json["integrations"].as_array().unwrap().iter();
    let problems = all.flat_map(|of| of["problems"].as_array().unwrap());
    problems
        .map(|problem| {
            let text = |key: &str| problem[key].as_str().unwrap_or("–");
            let number = |key: &str| problem[key].as_u64().map_or("–".into(), |n| n.to_string());
            assert!(!text("message").is_empty() && text("message") != "–", "{problem}");
            format!(
                "{} {} {} {} {}:{} {}",
                text("kind"),
                text("severity"),
                text("item_id"),
                text("sku"),
                text("file"),
                number("line"),
                number("config_line")
            )
        })
        .collect()
}

/// An `accept` of `store-a` with these entries.
fn accepting(entries: &str) -> Shop {
    let store =
        STORE_A.replace("type = \"store\"", &format!("accept = [{entries}]\ntype = \"store\""));
    let rows = "1,MUG-01,,,3,1\n99,GIFT,,,1,1\n17,TEA-01,,,5O,1\n";
    Shop::new()
        .config(&store)
        .config(DOWNLOAD)
        .file("store.csv", format!("{HEAD}{rows}"))
        .inventory("sku\nMUG-01\nTEA-01\n")
}

const GIFT: &str = "{ kind = \"unlinked\", item_id = \"99\", reason = \"a gift card\" }";
const TYPO: &str = "{ kind = \"invalid_value\", sku = \"TEA-01\", reason = \"they know\" }";

#[test]
fn what_is_wrong_with_items_is_told_with_file_and_line() {
    let shop = shop(
        &format!(
            "1,MUG-01,,,3,1\n2,NEW,,,3,1\n3,,{EAN},,3,1\n4,TEA-01,,,5O,1\n\
             5,CUP,,,3,1\n5,CUP,,,4,1\n"
        ),
        &format!("sku,ean\nMUG-01,\nA,{EAN}\nB,{EAN}\nTEA-01,\nCUP,\n"),
    );
    let line = shop.read("invsync.toml").lines().position(|l| l == "[integrations.store-a]");
    let line = line.unwrap() + 1;
    assert_eq!(
        found(&shop, ""),
        [
            format!("duplicate_sku error 5 CUP store.csv:7 {line}"),
            format!("invalid_value error 4 TEA-01 store.csv:5 {line}"),
            format!("ambiguous error 3 – store.csv:4 {line}"),
            format!("unlinked warning 2 NEW store.csv:3 {line}"),
        ]
    );
    shop.run("check store-a").code(5).stdout("store.csv:7").stdout("3 errors, 1 warning");
}

#[test]
fn a_link_conflict_and_a_broken_link_are_told() {
    let shop = shop("1,MUG-01,,,3,1\n2,TEA-01,,,3,1\n", "sku\nMUG-01\nTEA-01\n");
    shop.run("pull store-a").code(0);
    shop.write("store.csv", format!("{HEAD}1,TEA-01,,,3,1\n"));
    let kinds = found(&shop, "");
    assert!(
        kinds.iter().any(|found| found.starts_with("link_conflict error 1 TEA-01 store.csv:2"))
    );
    assert!(kinds.iter().any(|found| found.starts_with("broken_link error 2 TEA-01 –:–")));
}

#[test]
fn a_price_in_another_currency_concerns_the_prices() {
    let store =
        STORE_A.replace("price = \"price\"", "price = \"price\"\ncurrency = { value = \"USD\" }");
    let shop = Shop::new().config(&store).config(DOWNLOAD);
    let shop = shop.file("store.csv", format!("{HEAD}1,MUG-01,,,3,1\n")).inventory("sku\nMUG-01\n");
    let prices = "[integrations.store-a.prices]";
    let line = shop.read("invsync.toml").lines().position(|line| line == prices).unwrap() + 1;
    let wanted = format!("currency_mismatch error 1 MUG-01 store.csv:2 {line}");
    assert_eq!(found(&shop, ""), [wanted]);
}

#[test]
fn what_is_to_be_sent_and_not_listed_is_told() {
    let shop =
        Shop::sending(&format!("{HEAD}1,MUG-01,,,3,1\n"), "sku,stock.main\nMUG-01,3\nTEA-01,5\n");
    let found = found(&shop, "");
    assert!(found[0].starts_with("not_listed warning – TEA-01 –:–"), "{found:?}");
    shop.run("check store-a").code(0);
    shop.run("check store-a --strict").code(5);
}

#[test]
fn drift_is_told_before_a_push_meets_it() {
    let shop = Shop::sending(&format!("{HEAD}1,MUG-01,,,3,1\n"), "sku,stock.main\nMUG-01,4\n");
    assert_eq!(found(&shop, ""), [""; 0]);
    shop.run("push store-a").code(0);
    assert_eq!(found(&shop, ""), [""; 0]);
    shop.write("store.csv", format!("{HEAD}1,MUG-01,,,9,1\n"));
    let drifted = found(&shop, "");
    assert!(drifted[0].starts_with("changed_elsewhere warning 1 MUG-01 –:–"), "{drifted:?}");
    shop.run("push store-a").code(0);
    assert_eq!(found(&shop, ""), [""; 0]);
}

#[test]
fn stock_that_a_store_does_not_count_concerns_the_stock() {
    let fake = Fake::start(Catalogue::new().simple(45, "MUG-01", |p| p.price("12")));
    let shop = Shop::new().config(&fake.config(DOWNLOAD)).inventory("sku\nMUG-01\n");
    let stock = "[integrations.store-a.stock]";
    let line = shop.read("invsync.toml").lines().position(|line| line == stock).unwrap() + 1;
    let wanted = [format!("not_managed warning 45 MUG-01 –:– {line}")];
    assert_eq!(found(&shop, "--ignore config"), wanted);
}

#[test]
fn a_kind_that_is_ignored_is_neither_shown_nor_counted() {
    let shop = accepting("");
    shop.run("check store-a").code(5);
    let ran = shop.run("check store-a --ignore invalid_value --ignore unlinked --strict").code(0);
    ran.stdout("0 errors, 0 warnings").stdout_lacks("5O");
    let ran = shop.run("check store-a --ignore nonsense").code(2);
    insta::assert_snapshot!(ran.stderr.lines().next().unwrap(), @"error: invalid value 'nonsense' for '--ignore <KIND>': there is no problem of that kind; the kinds are unlinked, ambiguous, link_conflict, duplicate_sku, broken_link, not_listed, invalid_value, currency_mismatch, not_managed, changed_elsewhere, config");
}

#[test]
fn what_is_accepted_changes_exit_codes_and_lets_no_bad_value_through() {
    let strict = accepting("");
    strict.run("pull store-a").code(3);
    let shop = accepting(&format!("{GIFT}, {TYPO}"));
    shop.run("check store-a --strict")
        .code(0)
        .stdout("(accepted: a gift card)")
        .stdout("2 accepted");
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert_eq!((run.text("status"), run.number("invalid")), ("ok", 1));
    assert_eq!(run.0["problems"][0]["accepted"], "they know");
    assert_eq!(shop.stock("main", "TEA-01"), None);
    shop.run("runs 2").stdout("(accepted: they know)");
    shop.run("pull store-a --format json").code(0);
    // Only what was accepted.
    shop.write("store.csv", format!("{HEAD}1,MUG-01,,,4X,1\n17,TEA-01,,,5O,1\n"));
    shop.run("pull store-a").code(3);
}

#[test]
fn what_is_accepted_and_does_not_occur_any_more_is_told() {
    let shop = accepting(&format!("{GIFT}, {TYPO}"));
    shop.write("store.csv", format!("{HEAD}1,MUG-01,,,3,1\n17,TEA-01,,,5,1\n99,GIFT,,,1,1\n"));
    let accept =
        shop.read("invsync.toml").lines().position(|line| line.starts_with("accept")).unwrap() + 1;
    let found = found(&shop, "");
    assert_eq!(found[1..], [format!("config warning – – invsync.toml:{accept} {accept}")]);
    shop.run("check store-a").code(0).stdout("this invalid_value does not occur any more");
    shop.run("check store-a --strict").code(5);
    // Who looks at a part cannot know.
    shop.run("check store-a --strict --sku MUG-01").code(0);
}

#[test]
fn what_cannot_be_accepted_is_an_error_of_the_config() {
    let entries = "{ kind = \"config\", reason = \"x\" }, { kind = \"unlinked\" }, \
        { kind = \"unlinked\", reason = \" \", item = \"1\" }";
    let store = format!("accept = [{entries}]\ntype = \"store\"");
    let shop = Shop::new().config(&STORE_A.replace("type = \"store\"", &store));
    let ran = shop.run("pull store-a").code(2);
    insta::assert_snapshot!(ran.stderr, @r#"
    error: invsync.toml:11: `integrations.store-a.accept.kind` must be "unlinked", "ambiguous", "link_conflict", "duplicate_sku", "broken_link", "not_listed", "invalid_value", "currency_mismatch", "not_managed" or "changed_elsewhere"
    invsync.toml:11: `integrations.store-a.accept.reason` is missing
    invsync.toml:11: `integrations.store-a.accept.reason` must say why the problem is accepted
    invsync.toml:11: unknown key `integrations.store-a.accept.item`; known here: `item_id`, `kind`, `reason`, `sku`
    "#);
}

#[test]
fn offline_needs_neither_network_nor_secrets() {
    let web = "[integrations.web]\ntype = \"store\"\nconnector = \"woocommerce\"\n\
        url = \"https://shop.invalid\"\nconsumer_key = \"${NO_KEY}\"\n\
        consumer_secret = { command = [\"false\"] }\n\
        stock = { direction = \"send\", warehouse = \"main\" }\n";
    let shop = shop("1,MUG-01,,,3,1\n", "sku\nMUG-01\n").config(web);
    let ran = shop.run("check --all --offline").code(0);
    insta::assert_snapshot!(ran.stdout, @r#"
    store-a
    found csv: delimiter ",", quote """, encoding utf-8, header_row 1
    check store-a: 1 items, 1 linked · 0 errors, 0 warnings

    web
    check web: not read (--offline) · 0 errors, 0 warnings
    "#);
    let json = shop.json("check --all --offline");
    assert_eq!(json["integrations"][0]["skipped"], false);
    assert_eq!(json["integrations"][1]["skipped"], true);
    shop.run("check --all").code(2).stderr("NO_KEY");
}

/// Every format that a program reads, with the exit code that comes with it.
fn outputs(shop: &Shop, args: &str, code: i32) -> Vec<(&'static str, String)> {
    ["json", "csv", "markdown", "github", "junit", "sarif"]
        .map(|format| (format, shop.run(&format!("{args} --format {format}")).code(code).stdout))
        .to_vec()
}

#[test]
fn a_config_that_cannot_be_read_is_told_in_every_format() {
    let broken = Shop::new().config("[integrations.x]\ntype = 1\n");
    let line = broken.read("invsync.toml").lines().position(|line| line == "type = 1").unwrap() + 1;
    for (format, text) in outputs(&broken, "check --all", 2) {
        assert!(text.contains("integrations.x.type"), "{format}: {text}");
        assert!(text.contains(&line.to_string()), "{format}: {text}");
    }
    let github = broken.run("check --all --format github").code(2).stdout;
    assert!(github.starts_with("::error file=invsync.toml,line="), "{github}");
    // Nor is one that is not there.
    for (format, text) in outputs(&Shop::new(), "--config none.toml check --all", 2) {
        assert!(text.contains("none.toml"), "{format}: {text}");
    }
}

#[test]
fn warnings_of_the_config_count_with_strict() {
    let rival = STORE_A.replace("store-a", "store-b");
    let shop = shop("1,MUG-01,,,3,1\n", "sku\nMUG-01\n");
    let shop = shop.config(&rival).config(&DOWNLOAD.replace("store-a", "store-b"));
    shop.run("check --all").code(0);
    let ran = shop.run("check --all --strict --format github").code(5);
    assert!(ran.stdout.starts_with("::warning file=invsync.toml,line="), "{}", ran.stdout);
    shop.run("check --all --strict --ignore config").code(0);
}

#[test]
fn formats_of_check_go_with_check_only() {
    let shop = Shop::new();
    for args in ["runs", "pull --all", "inventory list"] {
        for format in ["github", "junit", "sarif"] {
            shop.run(&format!("{args} --format {format}")).code(2).stderr(&format!(
                "error: --format {format} goes with `check` only; here it is table, json, csv or \
                 markdown"
            ));
        }
    }
}

#[test]
fn paths_are_those_of_the_repository_around() {
    let shop = accepting("");
    shop.write(".git/HEAD", "");
    shop.write("shop/invsync.toml", shop.read("invsync.toml"));
    shop.write("shop/store.csv", shop.read("store.csv"));
    std::fs::copy(shop.path("inventory.db"), shop.path("shop/inventory.db")).unwrap();
    let mut command = shop.command(["check", "store-a", "--format", "github"]);
    let ran = shop.finish(command.current_dir(shop.path("shop"))).code(5);
    assert!(ran.stdout.contains("::error file=shop/store.csv,line=4,"), "{}", ran.stdout);
    let ran = shop.run("--config shop/invsync.toml check store-a --format github").code(5);
    assert!(ran.stdout.contains("::error file=shop/store.csv,line=4,"), "{}", ran.stdout);
}

/// What the schema of SARIF 2.1.0 asks for, and code scanning besides.
fn is_sarif(text: &str) -> Value {
    let sarif: Value = serde_json::from_str(text).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let [run] = sarif["runs"].as_array().unwrap().as_slice() else { panic!("{text}") };
    let driver = &run["tool"]["driver"];
    assert!(driver["name"].is_string() && driver["semanticVersion"].is_string());
    let rules = driver["rules"].as_array().unwrap();
    for rule in rules {
        assert!(rule["shortDescription"]["text"].is_string(), "{rule}");
    }
    for invocation in run["invocations"].as_array().unwrap() {
        assert!(invocation["executionSuccessful"].is_boolean());
    }
    for result in run["results"].as_array().unwrap() {
        let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[rule]["id"], result["ruleId"]);
        assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.starts_with('/') && !uri.contains(' '), "{uri}");
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
    }
    sarif
}

/// Well-formed XML whose counts are right; gives the names of the cases that fail.
fn is_junit(text: &str) -> Vec<String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(text);
    let (mut cases, mut failures, mut open, mut counts) = (0, Vec::new(), Vec::new(), None);
    loop {
        let (event, is_empty) = match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(event) => (event, false),
            Event::Empty(event) => (event, true),
            Event::End(_) => {
                open.pop();
                continue;
            }
            _ => continue,
        };
        let attribute = |name: &str| {
            let found = event.try_get_attribute(name).unwrap()?;
            Some(found.value.into_owned())
        };
        match event.name().as_ref() {
            "testsuites" => counts = attribute("tests").zip(attribute("failures")),
            "testcase" => cases += 1,
            "failure" => failures.push(open.last().cloned().unwrap_or_default()),
            _ => {}
        }
        if !is_empty {
            open.push(attribute("name").unwrap_or_default());
        }
    }
    assert!(open.is_empty());
    assert_eq!(counts, Some((cases.to_string(), failures.len().to_string())));
    failures
}

#[test]
fn what_other_programs_read_is_what_they_expect_whatever_the_feed_holds() {
    let shop = accepting(GIFT);
    for sku in ["TEA-01", "a\u{1}b<&>\"'", "::error::x%0A", "陶 \u{202e}x", "]]>", "\r"] {
        let quoted = sku.replace('"', "\"\"");
        shop.write("store.csv", format!("{HEAD}99,GIFT,,,1,1\n17,\"{quoted}\",,,5O,1\n"));
        let sarif = is_sarif(&shop.run("check store-a --format sarif").code(5).stdout);
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        assert!(
            results
                .iter()
                .any(|result| result["suppressions"][0]["justification"] == "a gift card")
        );
        let failures = is_junit(&shop.run("check store-a --format junit").code(5).stdout);
        assert_eq!(failures.len(), 1, "{failures:?}");
        let github = shop.run("check store-a --format github").code(5).stdout;
        let is_ours = |line: &str| line.starts_with("::") || line.starts_with("check store-a");
        assert!(github.lines().all(is_ours), "{github}");
        assert_eq!(
            github.matches("\n::error ").count() + usize::from(github.starts_with("::error ")),
            1
        );
    }
    let clean = shop_without_problems();
    is_sarif(&clean.run("check store-a --format sarif").code(0).stdout);
    assert!(is_junit(&clean.run("check store-a --format junit").code(0).stdout).is_empty());
    assert_eq!(
        clean.run("check store-a --format github").code(0).stdout,
        "check store-a: 0 errors, 0 warnings\n"
    );
}

fn shop_without_problems() -> Shop {
    shop("1,MUG-01,,,3,1\n", "sku\nMUG-01\n")
}

#[test]
fn a_source_that_cannot_be_read_is_an_error_of_the_run_in_every_format() {
    let shop = shop_without_problems();
    std::fs::remove_file(shop.path("store.csv")).unwrap();
    for (format, text) in outputs(&shop, "check store-a", 1) {
        // A table of problems alone has no place for it; stderr has it in any format.
        let has_place = format != "csv";
        assert_eq!(text.contains("store.csv"), has_place, "{format}: {text}");
    }
    let sarif = is_sarif(&shop.run("check store-a --format sarif").code(1).stdout);
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn a_push_does_not_exit_3_for_an_accepted_broken_link() {
    let broken = "accept = [{ kind = \"broken_link\", item_id = \"2\", reason = \"sold out\" }]";
    let store = STORE_A.replace("type = \"store\"", &format!("{broken}\ntype = \"store\""));
    let inventory = "sku,stock.main\nMUG-01,3\nTEA-01,5\n";
    let shop = Shop::new().config(&store).config(SEND);
    let shop = shop
        .file("store.csv", format!("{HEAD}1,MUG-01,,,1,1\n2,TEA-01,,,1,1\n"))
        .inventory(inventory);
    shop.run("push store-a").code(0);
    shop.write("store.csv", format!("{HEAD}1,MUG-01,,,3,1\n"));
    shop.run("push store-a").code(0).stdout("(accepted: sold out)");
    shop.run("check store-a --strict").code(0).stdout("1 accepted");
}

#[test]
fn only_the_section_that_is_asked_for_is_looked_at() {
    let shop = shop("1,MUG-01,,Mug,5,x\n", "sku\nMUG-01\n");
    assert_eq!(found(&shop, "--only stock"), Vec::<String>::new());
    assert_eq!(found(&shop, "--only prices").len(), 1);
}
