//! Whole passes over big feeds, next to a program that only parses the same file.
//!
//! ```text
//! cargo bench                                              all workloads with a million rows
//! cargo bench --bench workloads -- --rows 10000            a quick look
//! cargo bench --bench workloads -- --only W2,W3 --runs 5   some of them, five runs each
//! cargo bench --bench workloads -- --only W2,W6            ten times the rows too (W6)
//! cargo bench --bench workloads -- --only W2 --keep DIR    leave feeds and inventories in DIR
//! ```
//!
//! | workload | what it does |
//! | --- | --- |
//! | W1 | the products are known, every row sets a first stock and a first price; csv without ids |
//! | W1b | the same, with an `item_id` column, so that a link an item is made too |
//! | W2, W3 | 1 % of the rows changed both values, no row did; csv |
//! | W4, W5 | 1 % changed; xml, a json array |
//! | W6 | W2 with ten times the rows; only when it is named |
//! | W7 | ten rows, and `--version` |
//! | W9 | a WooCommerce shop with a latency of 50 ms: items pulled, as many changes pushed |
//!
//! The feeds come from a generator with a fixed seed; both sections download, in an order that is
//! not the inventory's. Before every run the inventory is put back; one run warms up, the figures
//! are medians of the others. Processes are measured as a whole, time by the clock, CPU and peak
//! memory as the kernel counts them. After every run the totals of the views `stock_levels` and
//! `price_list` are held against the generator's own, and the recorded number of changes against
//! what the feed changes: a wrong result ends the bench. Times are printed, never asserted.
//!
//! Parse only: `csv::ByteRecord`s from the file; `quick_xml` events and a `serde_json` walk over
//! the bytes of the file, read in one go.

// This is a program for a terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rusqlite::Connection;
use wait4::Wait4 as _;

#[path = "workloads/shop.rs"]
mod shop;
/// The fake shop of the tests.
#[path = "../tests/support/woocommerce/mod.rs"]
#[allow(dead_code, unused_imports, clippy::unwrap_used, clippy::panic)]
mod woocommerce;

const INVSYNC: &str = env!("CARGO_BIN_EXE_invsync");
/// The first argument of this program where it is started by itself.
const CHILD: &str = "--child";
const MILLION: u64 = 1_000_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, rest)) if first == CHILD => child(rest),
        _ => Options::read(&arguments).and_then(|options| bench(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("workloads: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What the command line asks for.
struct Options {
    rows: u64,
    runs: usize,
    /// Ids of workloads; empty: all but W6.
    only: Vec<String>,
    keep: Option<PathBuf>,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Options> {
        let mut options = Options { rows: MILLION, runs: 3, only: Vec::new(), keep: None };
        if !arguments.iter().any(|argument| argument == "--bench") {
            // Started by `cargo test --all-targets`: only whether it works.
            options = Options { rows: 2000, runs: 1, ..options };
        }
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value =
                || arguments.next().with_context(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--bench" => {}
                "--rows" => options.rows = value()?.replace('_', "").parse().context("--rows")?,
                "--runs" => options.runs = value()?.parse().context("--runs")?,
                "--only" => {
                    options.only.extend(value()?.split(',').map(|id| id.trim().to_uppercase()));
                }
                "--keep" => options.keep = Some(value()?.into()),
                other => bail!("unknown argument {other}; see the top of benches/workloads.rs"),
            }
        }
        ensure!(options.rows >= 100, "--rows must be 100 at least");
        ensure!(options.runs > 0, "--runs must be 1 at least");
        for id in &options.only {
            let known = WORKLOADS.iter().any(|w| w.id.eq_ignore_ascii_case(id));
            ensure!(known || ["W7", "W9"].contains(&id.as_str()), "there is no workload {id}");
        }
        Ok(options)
    }

    fn wants(&self, id: &str) -> bool {
        let is_named = self.only.iter().any(|only| only.eq_ignore_ascii_case(id));
        is_named || (self.only.is_empty() && id != "W6")
    }
}

/// One row of the table.
struct Workload {
    id: &'static str,
    what: &'static str,
    feed: Feed,
    /// The values are there already, as the full feed has them.
    is_filled: bool,
    /// How many rows in a hundred change.
    changed: u64,
    /// How many times the rows that were asked for.
    scale: u64,
    goal_ratio: f64,
    /// With a million rows.
    goal_mib: u64,
}

const WORKLOADS: [Workload; 7] = [
    workload("W1", "cold, csv", Feed::Csv, false, 100, 24.0, 250),
    workload("W1b", "cold, csv with ids", Feed::CsvIds, false, 100, 40.0, 300),
    workload("W2", "1 % changed, csv", Feed::Csv, true, 1, 4.5, 190),
    workload("W3", "nothing changed, csv", Feed::Csv, true, 0, 3.2, 175),
    workload("W4", "1 % changed, xml", Feed::Xml, true, 1, 2.0, 190),
    workload("W5", "1 % changed, json", Feed::Json, true, 1, 2.3, 190),
    Workload {
        id: "W6",
        what: "W2, ten times the rows",
        scale: 10,
        ..workload("W6", "", Feed::Csv, true, 1, 11.0, 1900)
    },
];

const fn workload(
    id: &'static str,
    what: &'static str,
    feed: Feed,
    is_filled: bool,
    changed: u64,
    goal_ratio: f64,
    goal_mib: u64,
) -> Workload {
    Workload { id, what, feed, is_filled, changed, scale: 1, goal_ratio, goal_mib }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feed {
    Csv,
    CsvIds,
    Xml,
    Json,
}

impl Feed {
    const ALL: [Feed; 4] = [Feed::Csv, Feed::CsvIds, Feed::Xml, Feed::Json];

    /// The integration's name, too.
    fn name(self) -> &'static str {
        match self {
            Feed::Csv => "csv",
            Feed::CsvIds => "csv-ids",
            Feed::Xml => "xml",
            Feed::Json => "json",
        }
    }

    fn connector(self) -> &'static str {
        if self == Feed::CsvIds { "csv" } else { self.name() }
    }

    fn file(self, is_changed: bool) -> String {
        let age = if is_changed { "changed" } else { "full" };
        format!("{}-{age}.{}", self.name(), self.connector())
    }
}

// ---------------------------------------------------------------------------------------------
// The bench itself. It stays small: a child counts the memory of its parent as its own.

fn bench(options: &Options) -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let folder = options.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    println!(
        "{} rows, medians of {} runs after one to warm up; in {}",
        options.rows,
        options.runs,
        folder.display()
    );
    let mut places: BTreeMap<u64, Place> = BTreeMap::new();
    let mut table = Table::default();
    for workload in WORKLOADS.iter().filter(|workload| options.wants(workload.id)) {
        let rows = options.rows * workload.scale;
        if let Entry::Vacant(place) = places.entry(rows) {
            place.insert(Place::make(&folder.join(rows.to_string()), rows)?);
        }
        let place = &places[&rows];
        let (parse, run) =
            place.run(workload, options.runs).with_context(|| workload.id.to_owned())?;
        table.add(workload, rows, parse, run);
    }
    if options.wants("W7") {
        small(&folder, options.runs)?;
    }
    if options.wants("W9") {
        shop::bench(&folder, options.rows, options.runs)?;
    }
    Ok(())
}

/// A folder with feeds, configs and the inventories that runs start from.
struct Place {
    folder: PathBuf,
    rows: u64,
    full: Sums,
    changed: Sums,
}

impl Place {
    fn make(folder: &Path, rows: u64) -> Result<Place> {
        fs::create_dir_all(folder)?;
        let made = folder.join("sums");
        if !made.exists() {
            run_self(&["make", path(folder)?, &rows.to_string()])?;
        }
        let sums = fs::read_to_string(made)?;
        let mut lines = sums.lines().map(Sums::read);
        let (Some(full), Some(changed)) = (lines.next(), lines.next()) else { bail!("no sums") };
        let place = Place { folder: folder.to_owned(), rows, full: full?, changed: changed? };
        for feed in Feed::ALL {
            for is_changed in [false, true] {
                fs::write(place.config(feed, is_changed), config(feed, is_changed))?;
            }
        }
        Ok(place)
    }

    fn config(&self, feed: Feed, is_changed: bool) -> PathBuf {
        self.folder.join(feed.file(is_changed)).with_extension("toml")
    }

    /// Parse only, and the pull.
    fn run(&self, workload: &Workload, runs: usize) -> Result<(Measured, Measured)> {
        let Workload { feed, is_filled, changed, .. } = *workload;
        let is_changed = is_filled && changed > 0;
        let base = if is_filled { self.filled(feed)? } else { self.known()? };
        let file = self.folder.join(feed.file(is_changed));
        let mut parse = Vec::new();
        let mut pulls = Vec::new();
        for run in 0..=runs {
            let mut parser = this_program()?;
            parser.args(["parse", feed.connector(), path(&file)?]);
            let parsed = measure(&mut parser)?;
            self.restore(&base)?;
            let pulled = measure(&mut self.pull(feed, is_changed))?;
            self.check(if is_changed { self.changed } else { self.full }, workload)?;
            if run > 0 {
                parse.push(parsed);
                pulls.push(pulled);
            }
        }
        Ok((median(parse), median(pulls)))
    }

    fn pull(&self, feed: Feed, is_changed: bool) -> Command {
        let mut command = Command::new(INVSYNC);
        command.arg("--config").arg(self.config(feed, is_changed));
        command.args(["pull", feed.name(), "--limit", "50"]);
        command
    }

    /// An inventory with all products and no values.
    fn known(&self) -> Result<PathBuf> {
        let base = self.folder.join("known.db");
        if !base.exists() {
            let _ = fs::remove_file(self.inventory());
            let mut command = Command::new(INVSYNC);
            command.arg("--config").arg(self.config(Feed::Csv, false));
            command.args(["inventory", "import", "--quiet"]);
            command.arg(self.folder.join("products.csv"));
            measure(&mut command)?;
            self.put_aside(&base)?;
        }
        Ok(base)
    }

    /// An inventory that has pulled the full feed.
    fn filled(&self, feed: Feed) -> Result<PathBuf> {
        let base = self.folder.join(format!("filled-{}.db", feed.name()));
        if !base.exists() {
            self.restore(&self.known()?)?;
            measure(&mut self.pull(feed, false))?;
            self.put_aside(&base)?;
        }
        Ok(base)
    }

    fn inventory(&self) -> PathBuf {
        self.folder.join("inventory.db")
    }

    /// Keeps the inventory as a file of its own, nothing of it left in a log.
    fn put_aside(&self, base: &Path) -> Result<()> {
        let conn = Connection::open(self.inventory())?;
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        drop(conn);
        fs::rename(self.inventory(), base)?;
        Ok(())
    }

    fn restore(&self, base: &Path) -> Result<()> {
        for leftover in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{leftover}", path(&self.inventory())?));
        }
        fs::copy(base, self.inventory())?;
        // So that writing this copy out does not disturb the run.
        File::open(self.inventory())?.sync_all()?;
        Ok(())
    }

    fn check(&self, sums: Sums, workload: &Workload) -> Result<()> {
        let changes = (0..self.rows).filter(|n| workload.changed == 100 || is_changed(*n)).count();
        let changes = if workload.changed == 0 { 0 } else { changes };
        run_self(&[
            "check",
            path(&self.inventory())?,
            &sums.write(),
            path(&self.config(workload.feed, false))?,
            &changes.to_string(),
        ])
    }
}

fn config(feed: Feed, is_changed: bool) -> String {
    let item_id = if feed == Feed::CsvIds { "item_id = \"id\", " } else { "" };
    let items = if feed == Feed::Xml { "items = \"/products/product\"\n" } else { "" };
    format!(
        "[inventory]\npath = \"inventory.db\"\n\
         [warehouses]\nmain = \"Main\"\n\
         [price_groups]\nretail = {{ name = \"Retail\", currency = \"EUR\" }}\n\
         [integrations.{name}]\ntype = \"wholesaler\"\nconnector = \"{connector}\"\n\
         source = \"{file}\"\n{items}\
         fields = {{ {item_id}sku = \"sku\", ean = \"ean\", name = \"name\", \
         quantity = \"quantity\", price = \"price\" }}\n\
         [integrations.{name}.stock]\ndirection = \"download\"\nwarehouse = \"main\"\n\
         [integrations.{name}.prices]\ndirection = \"download\"\nprice_group = \"retail\"\n",
        name = feed.name(),
        connector = feed.connector(),
        file = feed.file(is_changed),
    )
}

/// W7: what a start costs.
fn small(folder: &Path, runs: usize) -> Result<()> {
    let place = Place::make(&folder.join("10"), 10)?;
    let base = place.filled(Feed::Csv)?;
    let mut pulls = Vec::new();
    let mut versions = Vec::new();
    for _ in 0..runs.max(10) {
        place.restore(&base)?;
        pulls.push(measure(&mut place.pull(Feed::Csv, true))?);
        versions.push(measure(Command::new(INVSYNC).arg("--version"))?);
    }
    for (what, measured, goal) in [
        ("ten rows", median(pulls), "15 ms CPU, 20 MiB"),
        ("--version", median(versions), "3 ms CPU"),
    ] {
        println!(
            "W7   {what:<22} {:>8.1} ms wall {:>7.1} ms CPU {:>6.1} MiB   goal {goal}",
            ms(measured.wall),
            ms(measured.cpu),
            mib(measured.peak)
        );
    }
    Ok(())
}

/// The lines that are printed as they come.
#[derive(Default)]
struct Table {
    has_head: bool,
    /// The time of W2, which W6 is held against.
    w2: Option<Duration>,
}

impl Table {
    fn add(&mut self, workload: &Workload, rows: u64, parse: Measured, run: Measured) {
        if !self.has_head {
            self.has_head = true;
            println!(
                "{:<4} {:<22} {:>10} {:>10} {:>10} {:>7} {:>7} {:>9} {:>9}",
                "", "", "parse ms", "run ms", "CPU ms", "ratio", "goal", "peak MiB", "goal MiB"
            );
        }
        let of = if workload.id == "W6" { self.w2 } else { Some(parse.wall) };
        let ratio = match of {
            Some(of) => format!("{:.2}", run.wall.as_secs_f64() / of.as_secs_f64()),
            None => "-".to_owned(),
        };
        let mut line = format!(
            "{:<4} {:<22} {:>10.0} {:>10.0} {:>10.0} {ratio:>7} {:>7} {:>9.0}",
            workload.id,
            workload.what,
            ms(parse.wall),
            ms(run.wall),
            ms(run.cpu),
            workload.goal_ratio,
            mib(run.peak)
        );
        if rows == MILLION * workload.scale {
            let _ = write!(line, " {:>9}", workload.goal_mib);
        }
        println!("{line}");
        if workload.id == "W2" {
            self.w2 = Some(run.wall);
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// What a whole process took.
#[derive(Clone, Copy, Debug)]
struct Measured {
    wall: Duration,
    cpu: Duration,
    peak: u64,
}

/// Runs a program to its end, its standard output read and dropped.
fn measure(command: &mut Command) -> Result<Measured> {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut output = child.stdout.take().context("no output")?;
    io::copy(&mut output, &mut io::sink())?;
    let used = child.wait4()?;
    let wall = started.elapsed();
    ensure!(used.status.success(), "{command:?} ended with {}", used.status);
    Ok(Measured { wall, cpu: used.rusage.utime + used.rusage.stime, peak: used.rusage.maxrss })
}

fn median(runs: Vec<Measured>) -> Measured {
    fn middle<T: Ord + Copy>(runs: &[Measured], of: impl Fn(&Measured) -> T) -> T {
        let mut all: Vec<T> = runs.iter().map(of).collect();
        all.sort_unstable();
        all[all.len() / 2]
    }
    Measured {
        wall: middle(&runs, |run| run.wall),
        cpu: middle(&runs, |run| run.cpu),
        peak: middle(&runs, |run| run.peak),
    }
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}

fn this_program() -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(CHILD);
    Ok(command)
}

fn run_self(arguments: &[&str]) -> Result<()> {
    let status = this_program()?.args(arguments).status()?;
    ensure!(status.success(), "{} failed", arguments.first().unwrap_or(&""));
    Ok(())
}

// ---------------------------------------------------------------------------------------------
// What needs memory or time of its own is done by a child.

fn child(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["make", folder, rows] => make(Path::new(folder), rows.parse()?),
        ["parse", connector, file] => parse(connector, Path::new(file)),
        ["check", inventory, sums, config, changes] => {
            check(Path::new(inventory), Sums::read(sums)?, Path::new(config), changes.parse()?)
        }
        ["shop", folder, shape, items] => shop::serve(Path::new(folder), shape, items.parse()?),
        other => bail!("unknown work {other:?}"),
    }
}

fn parse(connector: &str, file: &Path) -> Result<()> {
    let mut found = 0_u64;
    match connector {
        "csv" => {
            let mut reader = csv::Reader::from_path(file)?;
            let mut record = csv::ByteRecord::new();
            while reader.read_byte_record(&mut record)? {
                found += record.len() as u64;
            }
        }
        "xml" => {
            let bytes = fs::read(file)?;
            let mut reader = quick_xml::Reader::from_reader(bytes.as_slice());
            loop {
                match reader.read_event()? {
                    quick_xml::events::Event::Eof => break,
                    _ => found += 1,
                }
            }
        }
        _ => {
            let bytes = fs::read(file)?;
            let items: Vec<serde::de::IgnoredAny> = serde_json::from_slice(&bytes)?;
            found = items.len() as u64;
        }
    }
    ensure!(found > 0, "{} holds nothing", file.display());
    Ok(())
}

/// Holds the stable views and the record of the newest run against what they must be.
fn check(inventory: &Path, sums: Sums, config: &Path, changes: u64) -> Result<()> {
    let conn = Connection::open_with_flags(inventory, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let query = |sql: &str| -> Result<[i64; 3]> {
        Ok(conn.query_row(sql, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?)
    };
    // Weighted by a letter of the SKU, so that values at wrong products are seen.
    let stock = query(
        "SELECT count(*), sum(CAST(quantity AS INTEGER)),
             sum(CAST(quantity AS INTEGER) * unicode(substr(sku, 8)))
         FROM stock_levels WHERE warehouse = 'main'",
    )?;
    let prices = query(
        "SELECT count(*), sum(CAST(replace(price, '.', '') AS INTEGER)),
             sum(CAST(replace(price, '.', '') AS INTEGER) * unicode(substr(sku, 8)))
         FROM price_list WHERE price_group = 'retail' AND currency = 'EUR'",
    )?;
    let Sums { rows, quantity, weighted_quantity, price, weighted_price } = sums;
    ensure!(stock == [rows, quantity, weighted_quantity], "stock_levels is wrong: {stock:?}");
    ensure!(prices == [rows, price, weighted_price], "price_list is wrong: {prices:?}");
    drop(conn);
    let mut command = Command::new(INVSYNC);
    command.arg("--config").arg(config).args(["runs", "--format", "json"]);
    let output = command.output()?;
    let runs: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let changed = &runs["runs"][0]["changed"];
    let is_right = ["stock", "prices"].iter().all(|section| changed[section] == changes);
    ensure!(is_right, "{changes} changes of each section were due, the run recorded {changed}");
    Ok(())
}

// ---------------------------------------------------------------------------------------------
// The generator.

/// Totals over all rows; prices in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    rows: i64,
    quantity: i64,
    weighted_quantity: i64,
    price: i64,
    weighted_price: i64,
}

impl Sums {
    fn add(&mut self, row: &Row) {
        let weight = i64::from(row.sku.as_bytes()[7]);
        self.rows += 1;
        self.quantity += row.quantity;
        self.weighted_quantity += row.quantity * weight;
        self.price += row.cents;
        self.weighted_price += row.cents * weight;
    }

    fn write(self) -> String {
        let Sums { rows, quantity, weighted_quantity, price, weighted_price } = self;
        format!("{rows} {quantity} {weighted_quantity} {price} {weighted_price}")
    }

    fn read(text: &str) -> Result<Sums> {
        let numbers = text.split(' ').map(str::parse).collect::<Result<Vec<i64>, _>>()?;
        let [rows, quantity, weighted_quantity, price, weighted_price] = numbers[..] else {
            bail!("not sums: {text}");
        };
        Ok(Sums { rows, quantity, weighted_quantity, price, weighted_price })
    }
}

/// One row of a feed.
#[derive(Default)]
struct Row {
    id: u64,
    sku: String,
    ean: String,
    name: String,
    quantity: i64,
    cents: i64,
}

impl Row {
    fn set(&mut self, n: u64, is_changed: bool) {
        const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        self.id = 100_000 + n;
        // Eight letters are unique, as the steps of the hash can be turned back; the rest is not.
        let mut key = scramble(n);
        let extra = (random(n, 1) % 7) as u32;
        let mut tail = random(n, 2);
        self.sku.clear();
        for at in 0..8 + extra {
            let source = if at < 8 { &mut key } else { &mut tail };
            self.sku.push(char::from(LETTERS[(*source & 31) as usize]));
            *source >>= 5;
        }
        self.ean.clear();
        let _ = write!(self.ean, "590{:09}", n % 1_000_000_000);
        let weigh = |(at, digit): (usize, u8)| u32::from(digit - b'0') * [1, 3][at % 2];
        let sum: u32 = self.ean.bytes().enumerate().map(weigh).sum();
        let _ = write!(self.ean, "{}", (10 - sum % 10) % 10);
        self.set_name(n);
        let change = i64::from(is_changed && crate::is_changed(n));
        self.quantity = (random(n, 3) % 500) as i64 + change;
        let cents = (random(n, 4) % 100_000) as i64 + 100;
        // By up to a fifth: prices that all move by one factor are for a guard.
        self.cents = cents + change * (1 + cents * (random(n, 8) % 20) as i64 / 100);
    }

    fn set_name(&mut self, n: u64) {
        const WORDS: [&str; 20] = [
            "Łyżka",
            "Kaffeemühle",
            "crème",
            "22\" monitor",
            "Salt & Pepper",
            "żółty",
            "naïve",
            "set; 3 pcs",
            "Größe XL",
            "stainless",
            "steel",
            "Mug",
            "bleu",
            "świeca",
            "Tasse",
            "12 V",
            "organic",
            "cotton",
            "d'été",
            "USB-C",
        ];
        let wanted = 30 + (random(n, 5) % 16) as usize;
        let mut source = random(n, 6);
        let mut length = 0;
        self.name.clear();
        while length < wanted {
            let word = WORDS[(source % 20) as usize];
            source /= 20;
            if length > 0 {
                self.name.push(' ');
            }
            self.name.push_str(word);
            length += word.chars().count() + 1;
        }
    }
}

/// Whether a row is among those of which a hundredth changes.
fn is_changed(n: u64) -> bool {
    random(n, 7).is_multiple_of(100)
}

/// Splitmix64: the same numbers everywhere.
fn random(n: u64, stream: u64) -> u64 {
    let mut z = n.wrapping_mul(8).wrapping_add(stream).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Another number of 40 bits for every number of 40 bits.
fn scramble(n: u64) -> u64 {
    const MASK: u64 = (1 << 40) - 1;
    let mut z = n;
    for factor in [0x9e_3779_b97f, 0xbf_5847_6d1d, 0x94_d049_bb13] {
        z = z.wrapping_mul(factor) & MASK;
        z ^= z >> 19;
    }
    z
}

/// The numbers below `rows` in an order of their own: a Feistel walk.
fn shuffled(rows: u64) -> impl Iterator<Item = u64> {
    let half = (u64::BITS - rows.leading_zeros()).div_ceil(2).max(1);
    let mask = (1 << half) - 1;
    (0..1_u64 << (2 * half))
        .map(move |n| {
            let (mut left, mut right) = (n >> half, n & mask);
            for round in 0..4 {
                (left, right) = (right, left ^ (random(right, 100 + round) & mask));
            }
            left << half | right
        })
        .filter(move |n| *n < rows)
}

/// Writes the list of products and all feeds, and the sums of both ages of them.
fn make(folder: &Path, rows: u64) -> Result<()> {
    let create = |name: &str| -> Result<BufWriter<File>> {
        Ok(BufWriter::with_capacity(1 << 20, File::create(folder.join(name))?))
    };
    let mut row = Row::default();
    let mut products = create("products.csv")?;
    writeln!(products, "sku")?;
    for n in 0..rows {
        row.set(n, false);
        writeln!(products, "{}", row.sku)?;
    }
    products.flush()?;
    let mut all_sums = String::new();
    for is_changed in [false, true] {
        let mut sums = Sums::default();
        for feed in Feed::ALL {
            let mut out = create(&feed.file(is_changed))?;
            sums = Sums::default();
            write_head(&mut out, feed)?;
            for (at, n) in shuffled(rows).enumerate() {
                row.set(n, is_changed);
                sums.add(&row);
                write_row(&mut out, feed, &row, at == 0)?;
            }
            write_foot(&mut out, feed)?;
            out.flush()?;
        }
        let _ = writeln!(all_sums, "{}", sums.write());
    }
    fs::write(folder.join("sums"), all_sums)?;
    Ok(())
}

fn write_head(out: &mut impl Write, feed: Feed) -> io::Result<()> {
    match feed {
        Feed::Csv => writeln!(out, "sku,ean,name,quantity,price"),
        Feed::CsvIds => writeln!(out, "id,sku,ean,name,quantity,price"),
        Feed::Xml => writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<products>"),
        Feed::Json => writeln!(out, "["),
    }
}

fn write_row(out: &mut impl Write, feed: Feed, row: &Row, is_first: bool) -> io::Result<()> {
    let Row { id, sku, ean, name, quantity, cents } = row;
    let (whole, part) = (cents / 100, cents % 100);
    match feed {
        Feed::Csv | Feed::CsvIds => {
            if feed == Feed::CsvIds {
                write!(out, "{id},")?;
            }
            match name.contains('"') {
                true => write!(out, "{sku},{ean},\"{}\",", name.replace('"', "\"\""))?,
                false => write!(out, "{sku},{ean},{name},")?,
            }
            writeln!(out, "{quantity},{whole}.{part:02}")
        }
        Feed::Xml => writeln!(
            out,
            "<product><sku>{sku}</sku><ean>{ean}</ean><name>{}</name>\
             <quantity>{quantity}</quantity><price>{whole}.{part:02}</price></product>",
            quick_xml::escape::partial_escape(name.as_str())
        ),
        Feed::Json => {
            if !is_first {
                writeln!(out, ",")?;
            }
            write!(
                out,
                "{{\"sku\":\"{sku}\",\"ean\":\"{ean}\",\"name\":\"{}\",\
                 \"quantity\":{quantity},\"price\":{whole}.{part:02}}}",
                name.replace('"', "\\\"")
            )
        }
    }
}

fn write_foot(out: &mut impl Write, feed: Feed) -> io::Result<()> {
    match feed {
        Feed::Csv | Feed::CsvIds => Ok(()),
        Feed::Xml => writeln!(out, "</products>"),
        Feed::Json => writeln!(out, "\n]"),
    }
}
