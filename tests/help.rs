//! Help is for a terminal of 80 columns, with examples for every command; what was misspelt is
//! answered with what was meant.

use crate::support::{STORE_A, Shop};

fn help(shop: &Shop, command: &[String], columns: &str) -> String {
    let mut command = shop.command(command.iter().map(String::as_str).chain(["--help"]));
    shop.finish(command.env("COLUMNS", columns)).code(0).stdout
}

/// The commands below one, as its help lists them.
fn below(help: &str) -> Vec<String> {
    let Some((_, list)) = help.split_once("\nCommands:\n") else { return Vec::new() };
    let list = list.split("\n\n").next().unwrap();
    let names = list.lines().filter_map(|line| line.strip_prefix("  "));
    let names =
        names.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// Every command with its path: `link set`.
fn all(shop: &Shop, command: &[String], found: &mut Vec<Vec<String>>) {
    found.push(command.to_owned());
    for name in below(&help(shop, command, "80")) {
        all(shop, &[command, &[name]].concat(), found);
    }
}

#[test]
fn every_command_has_examples_and_fits_eighty_columns() {
    let shop = Shop::new();
    let mut commands = Vec::new();
    all(&shop, &[], &mut commands);
    assert!(commands.len() > 30, "{commands:?}");
    for command in &commands {
        let narrow = help(&shop, command, "80");
        let name = command.join(" ");
        for line in narrow.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
        let examples = |text: &str| text.split_once("Examples:\n").map(|(_, rest)| rest.to_owned());
        let shown = examples(&narrow);
        assert!(shown.is_some(), "{name} has no examples");
        // An example that is broken into two lines cannot be copied.
        assert_eq!(shown, examples(&help(&shop, command, "400")), "{name}");
    }
}

#[test]
fn what_was_misspelt_is_answered_with_what_was_meant() {
    let shop = Shop::downloading("id,sku,ean,name,qty,price\n1,MUG-01,,Mug,1,1\n")
        .inventory("sku\nMUG-01\n");
    for (args, meant) in [
        ("pul store-a", "'pull'"),
        ("inventory lst", "'list'"),
        ("pull store_a", "did you mean `store-a`?"),
        ("plan store_a -o x", "did you mean `store-a`?"),
        ("pull store-a --alow all", "'--allow'"),
        ("pull store-a --allow max_change", "did you mean `max_changed`?"),
        ("pull store-a --only stok", "'stock'"),
        ("pull store-a --sku MUG-1", "did you mean MUG-01"),
        ("explain MUG-1", "did you mean MUG-01"),
        ("history MUG-1", "did you mean MUG-01"),
        ("inventory set MUG-1 stock.main=1", "did you mean MUG-01"),
        ("inventory set MUG-01 stock.mian=1", "did you mean `main`?"),
        ("link set store-a 1 MUG-1", "did you mean MUG-01"),
        ("presets ioff", "did you mean \"iof\"?"),
        ("completions bsh", "'bash'"),
    ] {
        let ran = shop.run(args).code(2);
        assert!(ran.stderr.contains(meant), "{args}: {}", ran.stderr);
    }
}

#[test]
fn without_a_command_the_help_says_where_to_start() {
    let shop = Shop::new().config(STORE_A);
    shop.run("").code(2).stderr("invsync init");
}
