//! `--interactive`: what would be sent is shown, and sent only after a yes. On a real terminal, as
//! `script` makes one.

use std::io::{Read, Write};
use std::process::{Child, Command, Output, Stdio};

use crate::support::{Ran, Shop, squeezed};

const STORE: &str = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,3,12.30\n";

fn shop() -> Shop {
    Shop::sending(STORE, "sku,stock.main,price.retail\nMUG-01,5,13\n")
}

fn sent() -> String {
    STORE.replace("3,12.30", "5,13.00")
}

/// The binary on a terminal of its own.
fn terminal(shop: &Shop, args: &str) -> Command {
    let mut script = Command::new("script");
    let command = format!("{} {args}", env!("CARGO_BIN_EXE_invsync"));
    script.args(["-qec", &command, "/dev/null"]).current_dir(shop.path("")).env_clear();
    script.env("PATH", std::env::var_os("PATH").unwrap()).env("SHELL", "/bin/sh");
    script
}

/// What happens there when somebody types this as soon as it asks.
fn typing<'s>(shop: &'s Shop, args: &str, typed: &str) -> Ran<'s> {
    let mut asking = Asking::start(shop, args);
    // Open to the end: a keyboard does not go away after a key.
    let mut keyboard = asking.child.stdin.take().unwrap();
    if asking.shown.contains("[y/N]") {
        assert_eq!(shop.read("store.csv"), STORE, "it was sent before the answer");
        keyboard.write_all(typed.as_bytes()).unwrap();
    }
    let (shown, output) = (asking.shown, asking.child.wait_with_output().unwrap());
    shop.ran(args, Output { stdout: [shown.into_bytes(), output.stdout].concat(), ..output })
}

/// The binary on a terminal, up to its question or its end.
struct Asking {
    child: Child,
    shown: String,
}

impl Asking {
    fn start(shop: &Shop, args: &str) -> Asking {
        let mut command = terminal(shop, args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut shown, mut bytes) = (Vec::new(), [0; 1024]);
        while !shown.ends_with(b"[y/N] ") {
            let read = child.stdout.as_mut().unwrap().read(&mut bytes).unwrap();
            if read == 0 {
                break;
            }
            shown.extend(&bytes[..read]);
        }
        Asking { child, shown: String::from_utf8(shown).unwrap() }
    }
}

#[test]
fn what_would_be_sent_is_shown_and_sent_after_a_yes() {
    let shop = shop();
    let ran = typing(&shop, "push store-a -i", "y\n").code(0).wrote("store.csv", &sent());
    let (shown, done) = ran.stdout.split_once("[y/N]").unwrap();
    assert!(squeezed(shown).contains("MUG-01 3 5 +2 planned"), "{shown}");
    assert!(shown.contains("Send these 2 changes to store-a? "), "{shown}");
    assert!(squeezed(done).contains("MUG-01 3 5 +2 applied"), "{done}");
}

#[test]
fn no_sends_nothing_and_leaves_no_trace() {
    for typed in ["n\n", "\n", "yep\n", "\u{4}"] {
        let shop = shop();
        let runs = shop.json("runs");
        let ran = typing(&shop, "push store-a --interactive", typed).code(0);
        let ran = ran.wrote("store.csv", STORE).stdout("store-a: nothing was sent");
        ran.stdout_lacks("nothing to do");
        assert_eq!(shop.json("runs"), runs, "{typed:?}");
        assert_eq!(shop.json("link list store-a")["links"], serde_json::json!([]));
    }
}

#[test]
fn where_nothing_differs_nobody_is_asked() {
    let shop = shop();
    shop.run("push store-a").code(0);
    typing(&shop, "push store-a -i", "").code(0).stdout_lacks("[y/N]").stdout("nothing to change");
}

#[test]
fn a_sync_asks_before_it_sends() {
    let shop = shop();
    typing(&shop, "sync --all -i", "n\n").code(0).wrote("store.csv", STORE);
    typing(&shop, "sync --all -i", "yes\n").code(0).wrote("store.csv", &sent());
}

#[test]
fn a_signal_ends_the_question() {
    let shop = shop();
    typing(&shop, "push store-a -i", "\u{3}").code(130).wrote("store.csv", STORE);
    shop.run("runs 2").code(0).stdout("push store-a: interrupted");
}

#[test]
fn nobody_else_sends_while_it_is_asked() {
    let shop = shop();
    let mut asking = Asking::start(&shop, "push store-a -i").child;
    shop.run("push store-a").code(6).stderr("store-a is locked");
    asking.stdin.as_mut().unwrap().write_all(b"y\n").unwrap();
    assert!(asking.wait_with_output().unwrap().status.success());
    assert_eq!(shop.read("store.csv"), sent());
}

#[test]
fn without_a_terminal_it_takes_a_yes() {
    let shop = shop();
    let ran = shop.run("push store-a -i").code(2).wrote("store.csv", STORE);
    insta::assert_snapshot!(ran.stderr, @"error: --interactive asks on a terminal, and there is none. Leave it out, or add --yes");
    shop.run("push store-a -i --yes").code(0).wrote("store.csv", &sent());
}
