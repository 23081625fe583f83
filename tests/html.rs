//! A run as a page: whole, harmless, and used in a real browser.

use crate::support::{Shop, chromium};

const EVIL: &str = "<script>document.title='owned'</script><img src=x onerror=document.title=1>";

/// A run with a changed, a held-back and a new price, changed stock, a problem and an evil name.
fn shop() -> Shop {
    let store = "id,sku,ean,name,qty,price\n17,MUG-01,,Mug,3,12.30\n18,TEA-01,,Tea,7,390\n\
                 19,CUP-01,,Cup,x,2.20\n";
    let inventory = format!(
        "sku,name,stock.main,price.retail\nMUG-01,{EVIL},4,\nTEA-01,Tea,7,39\nCUP-01,Cup,1,2\n"
    );
    let shop = Shop::downloading(store).inventory(&inventory);
    shop.run("pull store-a").code(4);
    shop.run("report 2 --html report.html").code(0).stderr("wrote report.html");
    shop
}

#[test]
fn a_page_needs_nothing_but_itself() {
    let page = shop().read("report.html");
    for outside in ["http:", "https:", "src=", "url(", "@import", "<link", "{{"] {
        let escaped = page.replace("&lt;img src=x", "");
        assert!(!escaped.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(!page.contains("unsafe-inline"));
    assert!(page.contains("&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;"));
}

#[test]
fn a_page_shows_totals_guards_movements_changes_and_problems() {
    let page = shop().read("report.html");
    for shown in [
        "<h1>pull store-a · run 2</h1>",
        "<p>store-a → main (store-a is superior)</p>",
        "<dt>stock changed</dt><dd>1</dd>",
        "<dt>held back</dt><dd>1</dd>",
        "<td>max_price_change</td><td>prices</td><td>900%</td><td>80%</td>",
        "aria-label=\"prices down: 0, prices up: 1\"",
        "<td>CUP-01</td><td>Cup</td><td>retail (EUR)</td><td class=\"n\">2.00</td><td class=\"n\">2.20</td>",
        "<td>invalid_value</td><td>19</td><td>CUP-01</td><td class=\"n\">4</td>",
    ] {
        assert!(page.contains(shown), "{shown}\n{page}");
    }
}

#[test]
fn of_very_many_changes_the_page_shows_the_first_and_says_so() {
    let rows: String = (0..6000).map(|n| format!("{n},S{n:04},,,{},1\n", n % 7 + 1)).collect();
    let skus: String = (0..6000).map(|n| format!("S{n:04}\n")).collect();
    let shop = Shop::downloading(&format!("id,sku,ean,name,qty,price\n{rows}"));
    let shop = shop.inventory(&format!("sku\n{skus}"));
    shop.run("pull store-a").code(0);
    let page = shop.run("report 2 --html -").code(0).stdout;
    assert_eq!(page.matches("<tr><td>").count(), 5000);
    assert!(page.contains("Only 5,000 of 12,000 changes are shown here"));
    assert!(page.contains("invsync runs 2 --format csv"));
}

#[test]
fn a_run_without_changes_and_an_unknown_run() {
    let shop = shop();
    shop.write("store.csv", "");
    shop.run("pull store-a").code(1);
    let page = shop.run("report 3 --html -").code(0).stdout;
    assert!(page.contains("role=\"alert\"") && page.contains("Nothing was to be changed"));
    shop.run("report 99 --html report.html").code(2).stderr("there is no run 99");
    shop.run("report 2 --html no/such/report.html").code(1).stderr("cannot be written");
}

#[test]
fn a_browser_filters_the_changes_and_runs_nothing_of_others() {
    let Some(browser) = chromium::browser() else { return };
    let shop = shop();
    let page = shop.path("report.html");
    let dom = |hash| chromium::dom(browser, &page, hash);
    let all = dom("");
    assert!(all.contains("<title>pull store-a · run 2</title>"), "{all}");
    assert!(all.contains("4 of 4 rows"), "{all}");
    assert!(dom("#q=tea").contains("1 of 4 rows"));
    assert!(dom("#status=held+back").contains("1 of 4 rows"));
    assert!(dom("#section=prices&q=cup").contains("1 of 4 rows"));
    assert!(dom("#q=owned").contains("2 of 4 rows"));
}

#[test]
fn each_section_has_its_share_of_a_page_that_is_too_short() {
    let rows: String = (0..6_000).map(|n| format!("{n},S{n},,,9,2\n")).collect();
    let old: String = (0..6_000).map(|n| format!("S{n},5,1.90\n")).collect();
    let shop = Shop::downloading(&format!("id,sku,ean,name,qty,price\n{rows}"))
        .inventory(&format!("sku,stock.main,price.retail\n{old}"));
    shop.run("pull store-a --allow all -q").code(0);
    shop.run("report 2 --html report.html").code(0);
    let page = shop.read("report.html");
    let count = |section: &str| page.matches(&format!("<tr><td>{section}</td>")).count();
    assert_eq!([count("stock"), count("prices")], [2_500, 2_500]);
}
