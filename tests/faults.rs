//! Killed, and failed by its disk, at every step that changes a file: nothing is lost, and the next
//! run needs nobody's help.
//!
//! Each scene is a shop and a command. `strace` ends the command, or lets one of its system calls
//! fail, at the first step, the second, and so on; after each, the inventory is whole, it and the
//! store's file are as before or as after, and the same command then finishes the work.
//! Every step is killed; of those that fail, `INVSYNC_FAULTS=all` takes every one, otherwise some are
//! left out.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "how many steps there were")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::panic::AssertUnwindSafe;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::Connection;

use crate::support::{BASE, DOWNLOAD, SEND, STORE_A, Shop, words};

/// What changes a file, its name or its lock.
const CHANGING: &str = "write,pwrite64,pwritev,writev,fsync,fdatasync,ftruncate,fallocate,\
                        rename,renameat,renameat2,unlink,unlinkat,link,linkat,fchmod,flock";
/// What a disk can refuse.
const REFUSABLE: &str = "pread64,write,pwrite64,pwritev,writev,fsync,fdatasync,ftruncate,fallocate,\
                         rename,renameat,renameat2,link,linkat";

/// Status codes in `changes`.
const APPLIED: i64 = 0;
const UNSETTLED: [i64; 2] = [5, 6];

/// Whether `strace` works here; says so loudly where it does not, and fails in CI.
pub(crate) fn can_trace() -> bool {
    let works = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "true"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !works {
        assert!(std::env::var_os("CI").is_none(), "strace is missing, or may not trace");
        // Past what a test's output is kept back in.
        let said = b"NOT RUN: strace is missing, or may not trace; nothing was broken\n";
        std::io::stderr().write_all(said).unwrap();
    }
    works
}

/// Every how many steps one is taken.
fn stride(usual: usize) -> usize {
    if std::env::var_os("INVSYNC_FAULTS").is_some_and(|all| all == "all") { 1 } else { usual }
}

pub(crate) struct Scene {
    pub(crate) shop: Shop,
    pub(crate) args: &'static str,
    /// The states of the inventory that a killed run may leave.
    pub(crate) states: Vec<State>,
    /// The file's states: before, with one of its sections, after.
    pub(crate) files: Vec<String>,
    /// Whether the command writes to the store, not to the inventory.
    pub(crate) at_store: bool,
    /// The store's file before anybody wrote to it.
    original: String,
}

/// What the inventory holds, sorted; nothing: there is none.
pub(crate) type State = Option<Vec<String>>;

/// The values, products, links, the memory of deliveries and the record of applied changes.
const STATE: &str = "
    SELECT 'stock ' || sku || ' ' || warehouse || ' ' || quantity FROM stock_levels
    UNION ALL SELECT 'price ' || sku || ' ' || price_group || ' ' || price FROM price_list
    UNION ALL SELECT 'product ' || sku || coalesce(' ' || name, '') FROM products
        WHERE id NOT IN (SELECT product_id FROM removed_products)
    UNION ALL SELECT 'link ' || item_id || ' ' || coalesce(product_id, '-') FROM links
    UNION ALL SELECT 'links ' || name || ' ' || hex(sku_links) FROM integrations
        WHERE sku_links IS NOT NULL
    UNION ALL SELECT 'delivery ' || items || ' ' || header || hex(seen) || hex(known_stock)
        || hex(known_prices) || hex(absences) FROM deliveries";
/// Of a run that writes to the inventory this is part of the same transaction.
const APPLIED_CHANGES: &str = "
    UNION ALL SELECT 'change ' || run_id || ' ' || section || ' ' || place_id || ' ' || product_id
        || ' ' || coalesce(before, '-') || ' ' || coalesce(after, '-') FROM changes
        WHERE status = 0
    UNION ALL SELECT 'link change ' || run_id || ' ' || item_id FROM link_changes";

fn strings(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    let mut rows: Vec<String> = rows.map(Result::unwrap).collect();
    rows.sort();
    rows
}

/// The state of a shop's inventory, which must be whole. Looked at in a copy: whoever opens a file
/// that was left behind repairs it.
pub(crate) fn state(shop: &Shop, at_store: bool) -> State {
    if !shop.path("inventory.db").exists() {
        return None;
    }
    let copy = shop.copy();
    let conn = copy.sql();
    assert_eq!(strings(&conn, "SELECT integrity_check FROM pragma_integrity_check"), ["ok"]);
    // A pull leaves the keys unchecked while it writes.
    assert!(strings(&conn, "SELECT \"table\" FROM pragma_foreign_key_check").is_empty());
    assert_eq!(strings(&conn, "SELECT \"table\" FROM pragma_foreign_key_check"), [""; 0]);
    assert_eq!(strings(&conn, REPLAY), [""; 0], "the history does not lead to the values");
    let more = if at_store { "" } else { APPLIED_CHANGES };
    Some(strings(&conn, &format!("{STATE}{more}")))
}

/// Values that are not what their last recorded change says.
const REPLAY: &str = "
    WITH last AS (
        SELECT section, place_id, product_id, after, max(run_id) FROM changes
        JOIN runs ON runs.id = run_id WHERE changes.status = 0 AND NOT at_store
        GROUP BY section, place_id, product_id
    )
    SELECT 'stock ' || product_id FROM last LEFT JOIN stock USING (product_id)
        WHERE section = 0 AND warehouse_id = place_id AND quantity IS NOT after
    UNION ALL
    SELECT 'price ' || product_id FROM last LEFT JOIN prices USING (product_id)
        WHERE section = 1 AND price_group_id = place_id AND price IS NOT after";

impl Scene {
    /// Plays the scene without a fault, to know its states.
    pub(crate) fn new(shop: Shop, args: &'static str) -> Scene {
        Scene::of(shop, args, false)
    }

    /// Of a command that writes to the store.
    fn at_store(shop: Shop, args: &'static str) -> Scene {
        Scene::of(shop, args, true)
    }

    fn of(shop: Shop, args: &'static str, at_store: bool) -> Scene {
        let done = shop.copy();
        let half = shop.copy();
        done.run(args).code(0);
        let mut files = vec![store_of(&shop), store_of(&done)];
        let mut states = vec![state(&shop, at_store), state(&done, at_store)];
        if at_store {
            half.run(&format!("{args} --only stock")).code(0);
            // Each section is a batch of its own; a disk may fail the first and not the second.
            let other = shop.copy();
            other.run(&format!("{args} --only prices")).code(0);
            files.splice(1..1, [store_of(&half), store_of(&other)]);
            // A push keeps its new links before it sends anything.
            states.push(state(&half, at_store));
        }
        Scene { original: files[0].clone(), shop, args, states, files, at_store }
    }

    fn command(&self) -> &str {
        self.args.split(' ').next().unwrap()
    }

    fn also(mut self, state: State) -> Scene {
        self.states.push(state);
        self
    }

    /// The steps that the command takes: which call, and how many of that kind before it. `strace`
    /// counts each kind, and each thread, alone.
    fn steps(&self, calls: &str) -> Vec<Step> {
        let shop = self.shop.copy();
        let trace = shop.path("trace");
        let args = ["-o", trace.to_str().unwrap(), "-e", &format!("trace={calls}")];
        let traced = strace(&shop, self.args, &args).output().unwrap();
        assert_eq!(traced.status.code(), Some(0), "{traced:?}");
        let (mut counts, mut steps) = (BTreeMap::new(), Vec::new());
        for line in shop.read("trace").lines() {
            let Some((thread, call)) = line.split_once(char::is_whitespace) else { continue };
            let Some((call, _)) = call.trim().split_once('(') else { continue };
            let count = counts.entry((thread.to_owned(), call.to_owned())).or_insert(0);
            *count += 1;
            let step = Step { call: call.to_owned(), when: *count };
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
        assert!(steps.len() > 10, "{steps:?}");
        steps
    }

    /// Kills the command at every step; gives how often.
    fn kill_everywhere(&self) -> usize {
        let killed = AtomicUsize::new(0);
        in_parallel(&self.steps(CHANGING), 1, |Step { call, when }| {
            let shop = self.shop.copy();
            let (trace, inject) =
                (format!("trace={call}"), format!("inject={call}:signal=SIGKILL:when={when}"));
            let args = ["-o", "/dev/null", "-e", &trace, "-e", &inject];
            let output = strace(&shop, self.args, &args).output().unwrap();
            match output.status.signal() {
                Some(9) => _ = killed.fetch_add(1, Ordering::Relaxed),
                _ => assert_eq!(output.status.code(), Some(0), "{output:?}"),
            }
            self.is_whole(&shop);
            self.is_finished_by_the_next_run(&shop);
            self.leaves_nothing_behind(&shop);
        });
        killed.into_inner()
    }

    /// Lets every step fail once; gives how often.
    fn fail_everywhere(&self, error: &str) -> usize {
        let failed = AtomicUsize::new(0);
        in_parallel(&self.steps(REFUSABLE), stride(6), |Step { call, when }| {
            let shop = self.shop.copy();
            let trace = shop.path("trace");
            let (calls, inject) =
                (format!("trace={call}"), format!("inject={call}:error={error}:when={when}"));
            let args = ["-o", trace.to_str().unwrap(), "-e", &calls, "-e", &inject];
            let output = strace(&shop, self.args, &args).output().unwrap();
            let injected = shop.read("trace");
            let injected = injected.lines().find(|line| line.contains("(INJECTED)"));
            std::fs::remove_file(trace).unwrap();
            let Some(injected) = injected.map(str::to_owned) else { return };
            if output.status.code() == Some(127) {
                return; // Before the program began, its libraries could not be read.
            }
            failed.fetch_add(1, Ordering::Relaxed);
            self.is_said(&shop, &injected, &output);
            self.is_whole(&shop);
            self.is_finished_by_the_next_run(&shop);
            self.leaves_nothing_behind(&shop);
        });
        failed.into_inner()
    }

    /// A fault has the exit code of the contract, and a message that says what to do.
    fn is_said(&self, shop: &Shop, injected: &str, output: &std::process::Output) {
        let stdout = String::from_utf8_lossy(&output.stdout);
        let text = format!("{}{stdout}", String::from_utf8_lossy(&output.stderr));
        let code = output.status.code();
        let is_done = state(shop, self.at_store) == self.states[1]
            && store_of(shop) == *self.files.last().unwrap();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let whole = || format!("code {code:?} at {injected}\n{text}");
        match code {
            // What does not matter: the text of a lock, tidying up at the end.
            Some(0) => assert!(is_done, "{}", whole()),
            Some(1) if says(&["could not be printed"]) => assert!(is_done, "{}", whole()),
            Some(1 | 7) => assert!(
                says(&["Free some space", "Check the disk", "Check that", "run this again"]),
                "{}",
                whole()
            ),
            // The store refused its items: its file could not be written.
            Some(3) if self.at_store => assert!(says(&["store."]), "{}", whole()),
            _ => panic!("{}", whole()),
        }
        if code == Some(1) && !self.at_store && !says(&["could not be printed"]) {
            assert_ne!(state(shop, false), self.states[1], "exit 1 and applied: {}", whole());
        }
    }

    /// Before or after, never a part.
    pub(crate) fn is_whole(&self, shop: &Shop) {
        let now = state(shop, self.at_store);
        assert!(self.states.contains(&now), "neither before nor after: {now:#?}");
        let file = store_of(shop);
        assert!(self.files.contains(&file), "neither before nor after: {file}");
        if self.at_store {
            self.is_recorded(shop, &cells(&self.original), &cells(&file));
        }
    }

    /// What the file shows changed is applied or not settled in the record; what is recorded as
    /// applied is in the file.
    fn is_recorded(&self, shop: &Shop, before: &Cells, now: &Cells) {
        let sent = sent(shop, self.command());
        for (key, value) in now.iter().filter(|(key, value)| before[*key] != **value) {
            let is_known = sent.iter().any(|(item, after, status)| {
                item == key && after == value && (*status == APPLIED || UNSETTLED.contains(status))
            });
            assert!(is_known, "{key:?} became {value}, and the record has {sent:?}");
        }
        for (key, value, status) in &sent {
            let is_there = now[key] == *value;
            assert!(*status != APPLIED || is_there, "{key:?} is {}, not {value}", now[key]);
        }
    }

    /// The same command settles and finishes.
    pub(crate) fn is_finished_by_the_next_run(&self, shop: &Shop) {
        let again = shop.run(self.args);
        // An undo that was done before it was killed has nothing left to put back.
        assert_eq!(again.code, Some(0), "{}\n{}", again.stdout, again.stderr);
        // Which run applied what differs now; that the record leads to the values does not.
        let values = |state: &State| -> Option<Vec<String>> {
            let rows = state.as_ref()?.iter().filter(|row| !row.contains("change "));
            Some(rows.cloned().collect())
        };
        assert_eq!(values(&state(shop, self.at_store)), values(&self.states[1]));
        assert_eq!(store_of(shop), *self.files.last().unwrap());
        if self.at_store {
            let changed = cells(&self.original);
            let now = cells(&store_of(shop));
            let changed = now.iter().filter(|(key, value)| changed[*key] != **value).count();
            let sent = sent(shop, self.command());
            assert!(sent.iter().all(|(.., status)| !UNSETTLED.contains(status)), "{sent:?}");
            let applied = sent.iter().filter(|(.., status)| *status == APPLIED).count();
            assert_eq!(applied, changed, "{sent:?}");
        }
        let third = shop.run(self.args).code(0);
        assert!(third.stdout.contains("nothing") || third.stdout.contains("0 stock"));
        let runs = shop.json("runs");
        let statuses: BTreeSet<&str> = runs["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|run| run["status"].as_str().unwrap())
            .collect();
        assert!(!statuses.contains("running"), "{statuses:?}");
    }

    /// No file is left that was not there before.
    fn leaves_nothing_behind(&self, shop: &Shop) {
        let left = shop.names();
        let ours = |name: &&String| {
            !(self.shop.path(name).exists()
                || *name == "inventory.db"
                || *name == "inventory.db.store-a.lock")
        };
        assert_eq!(left.iter().find(ours), None, "left behind");
    }
}

/// One system call of a run.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    call: String,
    when: usize,
}

/// The binary under `strace`.
pub(crate) fn strace(shop: &Shop, args: &str, strace_args: &[&str]) -> Command {
    let own = shop.command(words(args));
    let mut command = Command::new("strace");
    command.args(["-f", "-qq"]).args(strace_args).arg(own.get_program());
    command.args(own.get_args()).env_clear();
    let variables: Vec<(OsString, OsString)> =
        own.get_envs().filter_map(|(k, v)| Some((k.to_owned(), v?.to_owned()))).collect();
    command.envs(variables).current_dir(own.get_current_dir().unwrap());
    command.stdin(std::process::Stdio::null());
    command
}

/// Takes every `stride`th step, two at once. All that go wrong are told.
pub(crate) fn in_parallel<T: std::fmt::Debug + Sync>(
    steps: &[T],
    stride: usize,
    take: impl Fn(&T) + Sync,
) {
    let next = AtomicUsize::new(0);
    let wrong = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(step) = steps.get(next.fetch_add(1, Ordering::Relaxed) * stride) {
                    let taken = std::panic::catch_unwind(AssertUnwindSafe(|| take(step)));
                    if taken.is_err() {
                        eprintln!("^ at {step:?}");
                        wrong.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner();
    assert_eq!(wrong, 0, "went wrong at {wrong} steps");
}

/// Values of the store by item and section, in millionths.
type Cells = BTreeMap<(String, i64), i64>;

/// One item a line, whatever the format: the first number is its id, the last two are its values.
fn cells(text: &str) -> Cells {
    let mut cells = Cells::new();
    for line in text.lines() {
        let words = line.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-')));
        let numbers: Vec<(&str, f64)> =
            words.filter_map(|word| Some((word, word.parse().ok()?))).collect();
        if let [(id, _), .., (_, quantity), (_, price)] = numbers[..] {
            for (section, value) in [(0, quantity), (1, price)] {
                cells.insert((id.to_owned(), section), (value * 1e6).round() as i64);
            }
        }
    }
    assert!(cells.len() >= 4, "{text}");
    cells
}

/// The store's file, whatever its format.
pub(crate) fn store_of(shop: &Shop) -> String {
    let name = shop.names().into_iter().find(|name| name.starts_with("store."));
    shop.read(&name.unwrap())
}

/// What runs of a command sent: item and section, the value, the status.
fn sent(shop: &Shop, command: &str) -> Vec<((String, i64), i64, i64)> {
    let copy = shop.copy();
    let conn = copy.sql();
    let sql = "SELECT coalesce(item_id, sku), section, after, changes.status FROM changes
        JOIN runs ON runs.id = changes.run_id JOIN products ON products.id = product_id
        WHERE at_store AND command = ?1";
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement
        .query_map([command], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?, row.get(3)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

const STORE: &str = "\
id,sku,ean,name,qty,price
1,MUG-01,,Mug,3,12.30
2,TEA-01,,Teapot,7,39.00
3,CUP-01,4006381333931,Cup,1,5.00
4,POT-01,,Pot,9,20.00
";
const INVENTORY: &str = "\
sku,ean,name,stock.main,price.retail
MUG-01,,Mug,5,12.90
TEA-01,,Teapot,7,41
CUP,4006381333931,Cup,2,5.00
LID-01,,Lid,4,2
";

/// A cold pull, which makes the inventory with its seed.
pub(crate) fn cold_pull() -> Scene {
    let config = BASE.replace("[warehouses]", "seed = \"seed.csv\"\n[warehouses]");
    let store = STORE_A.replace("type = ", "unlinked = \"create\"\ntype = ");
    let shop = Shop::new()
        .file("invsync.toml", config)
        .config(&store)
        .config(DOWNLOAD)
        .file("seed.csv", INVENTORY)
        .file("store.csv", STORE);
    let seeded = shop.copy();
    std::fs::remove_file(seeded.path("store.csv")).unwrap();
    seeded.run("pull store-a").code(1);
    Scene::new(shop, "pull store-a").also(state(&seeded, false))
}

/// A pull with changed values, a new product, and a new link by EAN.
pub(crate) fn warm_pull() -> Scene {
    let store = STORE_A.replace("type = ", "unlinked = \"create\"\ntype = ");
    let shop = Shop::new()
        .config(&store)
        .config(DOWNLOAD)
        .file("store.csv", "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,5,12.90\n2,TEA-01,,T,7,41\n")
        .inventory(INVENTORY);
    shop.run("pull store-a").code(0);
    shop.write("store.csv", STORE);
    Scene::new(shop, "pull store-a")
}

/// A pull of stock and prices from a file each.
fn pull_from_two_files() -> Scene {
    let config = r#"
[integrations.store-a]
type = "store"
connector = "csv"
[integrations.store-a.stock]
direction = "download"
warehouse = "main"
source = "store.csv"
fields = { item_id = "id", sku = "sku", ean = "ean", quantity = "qty" }
[integrations.store-a.prices]
direction = "download"
price_group = "retail"
source = "prices.csv"
fields = { item_id = "id", sku = "sku", price = "price" }
"#;
    let shop = Shop::new().config(config).file("store.csv", STORE).file("prices.csv", STORE);
    Scene::new(shop.inventory(INVENTORY), "pull store-a")
}

pub(crate) fn push() -> Scene {
    Scene::at_store(Shop::sending(STORE, INVENTORY), "push store-a")
}

/// A push to a file of another format.
fn push_to(format: &str, render: fn(&[&str]) -> String) -> Scene {
    let rows: String =
        STORE.lines().skip(1).map(|line| render(&line.split(',').collect::<Vec<_>>())).collect();
    let config = STORE_A.replace("csv", format);
    let shop = match format {
        "json" => Shop::new()
            .config(&config)
            .file("store.json", format!("[\n{}\n]\n", rows.trim_end_matches(",\n"))),
        _ => Shop::new()
            .config(&config.replace("source", "items = \"/items/item\"\nsource"))
            .file("store.xml", format!("<items>\n{rows}</items>\n")),
    };
    Scene::at_store(shop.config(SEND).inventory(INVENTORY), "push store-a")
}

fn push_to_json() -> Scene {
    push_to("json", |row| {
        let [id, sku, ean, name, quantity, price] = row else { panic!("{row:?}") };
        format!(
            "{{\"id\":{id},\"sku\":\"{sku}\",\"ean\":\"{ean}\",\"name\":\"{name}\",\
             \"qty\":{quantity},\"price\":{price}}},\n"
        )
    })
}

fn push_to_xml() -> Scene {
    push_to("xml", |row| {
        let [id, sku, ean, name, quantity, price] = row else { panic!("{row:?}") };
        format!(
            "<item><id>{id}</id><sku>{sku}</sku><ean>{ean}</ean><name>{name}</name>\
             <qty>{quantity}</qty><price>{price}</price></item>\n"
        )
    })
}

/// A push after one that was killed at the first of these steps, before it took effect, that leaves
/// the store's file as it was or as it is to be, and something on its way.
fn push_after_one_killed_at(call: &str, is_changed: bool) -> Scene {
    let scene = push();
    let before = scene.shop.bytes("store.csv");
    let killed = (1..50).find_map(|when| {
        let shop = scene.shop.copy();
        let (trace, inject) =
            (format!("trace={call}"), format!("inject={call}:signal=SIGKILL:when={when}"));
        let args = ["-o", "/dev/null", "-e", &trace, "-e", &inject];
        let signal = strace(&shop, scene.args, &args).output().unwrap().status.signal();
        let is_on_its_way = sent(&shop, "push").iter().any(|row| UNSETTLED.contains(&row.2));
        let fits = is_on_its_way && (shop.bytes("store.csv") != before) == is_changed;
        (signal == Some(9) && fits).then_some(shop)
    });
    let shop = killed.unwrap_or_else(|| panic!("nothing was on its way at any {call}"));
    Scene { original: scene.original, ..Scene::at_store(shop, scene.args) }
}

/// The first one had prepared its file, and not put it into its place.
fn push_after_one_killed_before_the_rename() -> Scene {
    push_after_one_killed_at("rename", false)
}

/// The first one had put its file into its place, and was about to record that.
fn push_after_one_killed_before_it_recorded() -> Scene {
    push_after_one_killed_at("pwrite64", true)
}

fn import() -> Scene {
    let shop = Shop::sending(STORE, INVENTORY);
    shop.write("more.csv", "sku,stock.main,price.retail\nMUG-01,8,\nNEW-01,1,2.50\n");
    Scene::new(shop, "inventory import more.csv")
}

/// An import that makes the inventory.
fn cold_import() -> Scene {
    let shop = Shop::downloading(STORE).file("more.csv", INVENTORY);
    let empty = shop.copy();
    empty.run("init").code(0);
    Scene::new(shop, "inventory import more.csv").also(state(&empty, false))
}

fn undo_of_an_import() -> Scene {
    let imported = import().shop;
    imported.run("inventory import more.csv").code(0);
    Scene::new(imported, "undo 2")
}

fn undo_of_an_undo() -> Scene {
    let undone = undo_of_a_pull().shop;
    undone.run("undo 3").code(0);
    Scene::new(undone, "undo 4")
}

pub(crate) fn undo_of_a_pull() -> Scene {
    let pulled = warm_pull().shop;
    pulled.run("pull store-a").code(0);
    Scene::new(pulled, "undo 3")
}

pub(crate) fn undo_of_a_push() -> Scene {
    let pushed = push().shop;
    pushed.run("push store-a").code(0);
    Scene::at_store(pushed, "undo 2")
}

type Named = (&'static str, fn() -> Scene);

const SCENES: [Named; 14] = [
    ("a cold pull", cold_pull),
    ("a warm pull", warm_pull),
    ("a pull from two files", pull_from_two_files),
    ("a push", push),
    ("a push to json", push_to_json),
    ("a push to xml", push_to_xml),
    ("a push after one killed before the rename", push_after_one_killed_before_the_rename),
    ("a push after one killed before it recorded", push_after_one_killed_before_it_recorded),
    ("an import", import),
    ("an import that makes the inventory", cold_import),
    ("the undo of a pull", undo_of_a_pull),
    ("the undo of an import", undo_of_an_import),
    ("the undo of an undo", undo_of_an_undo),
    ("the undo of a push", undo_of_a_push),
];

#[test]
fn killed_at_every_step_nothing_is_lost() {
    if !can_trace() {
        return;
    }
    let mut all = 0;
    for (name, scene) in SCENES {
        let scene = scene();
        let killed = scene.kill_everywhere();
        println!("{name}: killed at {killed} steps");
        assert!(killed > 5, "{name}: killed only {killed} times");
        all += killed;
    }
    println!("killed at {all} steps");
}

#[test]
fn failed_by_the_disk_at_every_step_nothing_is_lost() {
    if !can_trace() {
        return;
    }
    for (name, scene) in SCENES {
        let scene = scene();
        for error in ["ENOSPC", "EIO"] {
            let failed = scene.fail_everywhere(error);
            println!("{name}: {error} at {failed} steps");
            assert!(failed > 3, "{name}: {error} only {failed} times");
        }
    }
    // A quota, and a disk that was made read-only.
    for (name, scene) in [("a warm pull", warm_pull as fn() -> Scene), ("a push", push)] {
        let scene = scene();
        for error in ["EDQUOT", "EROFS"] {
            let failed = scene.fail_everywhere(error);
            assert!(failed > 3, "{name}: {error} only {failed} times");
        }
    }
}

/// One call of a trace that had success: what it does to which files, by their names alone.
struct Call {
    name: String,
    files: Vec<String>,
}

impl Call {
    fn writes(&self, file: &str) -> bool {
        self.name.contains("write") && self.files == [file]
    }

    fn syncs(&self, file: &str) -> bool {
        self.name.contains("sync") && self.files == [file]
    }

    /// What stands under this name now, if it is put there.
    fn names(&self, file: &str) -> Option<&str> {
        match &self.files[..] {
            [from, to] if to == file => Some(from),
            _ => None,
        }
    }
}

/// The calls of a command in their order, by when they ended.
fn calls(shop: &Shop, args: &str) -> Vec<Call> {
    let trace = shop.path("trace");
    let calls = "trace=write,pwrite64,pwritev,writev,fsync,fdatasync,rename,renameat,renameat2,\
                 link,linkat,unlink,unlinkat";
    let args_of_strace = ["-y", "-s", "0", "-o", trace.to_str().unwrap(), "-e", calls];
    let output = strace(shop, args, &args_of_strace).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let (mut begun, mut calls) = (BTreeMap::new(), Vec::new());
    for line in shop.read("trace").lines() {
        let Some((thread, call)) = line.split_once(char::is_whitespace) else { continue };
        let mut call = call.trim().to_owned();
        if let Some(head) = call.strip_suffix("<unfinished ...>") {
            begun.insert(thread, head.to_owned());
            continue;
        }
        if let Some((_, tail)) = call.split_once(" resumed>") {
            call = format!("{}{tail}", begun.remove(thread).unwrap_or_default());
        }
        let Some((name, rest)) = call.split_once('(') else { continue };
        if rest.contains(" = -1 ") {
            continue;
        }
        let by_name = name.contains("link") || name.starts_with("rename");
        let parts = rest.split(if by_name { &['"'][..] } else { &['<', '>'] });
        let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let mut files: Vec<_> = parts.skip(1).step_by(2).map(last).collect();
        files.truncate(if by_name { 2 } else { 1 });
        calls.push(Call { name: name.to_owned(), files });
    }
    calls
}

/// What the last write to a file before this call wrote is on the disk before the call.
fn is_synced_before(calls: &[Call], file: &str, until: usize) {
    let before = &calls[..until];
    let written = before.iter().rposition(|call| call.writes(file));
    let synced = before.iter().rposition(|call| call.syncs(file));
    assert!(written.is_some(), "{file} was not written");
    assert!(synced > written, "{file} is not synced before call {until} ({})", calls[until].name);
}

/// The log is on the disk before it is copied into the inventory, and the inventory before the log
/// goes away.
fn is_copied_from_its_log_safely(calls: &[Call]) {
    let (mut copied, mut removed) = (0, 0);
    for (at, call) in calls.iter().enumerate() {
        if call.writes("inventory.db") {
            is_synced_before(calls, "inventory.db-wal", at);
            copied += 1;
        } else if call.name.starts_with("unlink") && call.files == ["inventory.db-wal"] {
            is_synced_before(calls, "inventory.db", at);
            removed += 1;
        }
    }
    assert!(copied > 0 && removed > 0, "{copied} {removed}");
}

#[test]
fn a_push_is_recorded_on_the_disk_before_it_is_sent_and_sent_before_that_is_recorded() {
    if !can_trace() {
        return;
    }
    let shop = push().shop;
    let folder = shop.path("").canonicalize().unwrap();
    let folder = folder.file_name().unwrap().to_str().unwrap();
    let calls = calls(&shop, "push store-a");
    let renames: Vec<(usize, &str)> = calls
        .iter()
        .enumerate()
        .filter_map(|(at, call)| Some((at, call.names("store.csv")?)))
        .collect();
    assert_eq!(renames.len(), 1, "stock and prices in one step");
    let mut earlier = 0;
    for (at, temporary) in renames {
        let is_log = |call: &Call| call.writes("inventory.db-wal");
        assert!(calls[earlier..at].iter().any(is_log), "nothing was recorded before it was sent");
        is_synced_before(&calls, "inventory.db-wal", at);
        is_synced_before(&calls, temporary, at);
        let after = &calls[at..];
        let kept = after.iter().position(|call| call.syncs(folder));
        let recorded = after.iter().position(is_log);
        assert!(kept.is_some() && kept < recorded, "{kept:?} {recorded:?}: recorded, not kept");
        earlier = at;
    }
    is_copied_from_its_log_safely(&calls);
}

#[test]
fn an_inventory_is_on_the_disk_before_it_has_its_name_and_before_its_log_goes_away() {
    if !can_trace() {
        return;
    }
    let cold = calls(&cold_pull().shop, "pull store-a");
    let named = cold
        .iter()
        .enumerate()
        .find_map(|(at, call)| Some((at, call.names("inventory.db")?.to_owned())));
    let (at, temporary) = named.unwrap();
    is_synced_before(&cold, &temporary, at);
    is_copied_from_its_log_safely(&cold);
    is_copied_from_its_log_safely(&calls(&warm_pull().shop, "pull store-a"));
}

#[test]
fn a_source_that_the_disk_cannot_read_is_no_delivery() {
    if !can_trace() {
        return;
    }
    let shop = warm_pull().shop;
    let (before, file) = (shop.values(), shop.path("store.csv").canonicalize().unwrap());
    let reads = "inject=read,pread64,mmap:error=EIO";
    let args = ["-o", "/dev/null", "-P", file.to_str().unwrap(), "-e", reads];
    let ran = shop.finish(&mut strace(&shop, "pull store-a", &args));
    assert!(matches!(ran.code, Some(1 | 7)), "{:?}", ran.code);
    assert!(ran.stderr("store.csv").stderr.contains("Input/output error"));
    assert_eq!(shop.values(), before);
}

#[test]
fn where_no_thread_can_be_started_a_run_says_so_or_does_without() {
    if !can_trace() {
        return;
    }
    for scene in [warm_pull(), push()] {
        let codes = ["1", "2", "1+"].map(|when| {
            let shop = scene.shop.copy();
            let refused = format!("inject=clone,clone3:error=EAGAIN:when={when}");
            let args = ["-o", "/dev/null", "-e", "trace=clone,clone3", "-e", &refused];
            let ran = shop.finish(&mut strace(&shop, scene.args, &args));
            scene.is_whole(&shop);
            scene.is_finished_by_the_next_run(&shop);
            (ran.code, ran.stderr.contains("run this again"))
        });
        assert_eq!(codes, [(Some(7), true), (Some(0), false), (Some(7), true)], "{}", scene.args);
    }
}
