//! The harness: a shop in a folder of its own, the real binary run in it, and what to expect of
//! both. A test reads as `Shop::new().config(…).file(…).run("pull store-a").code(0).stock(…)`.

pub(crate) mod chromium;
pub(crate) mod conformance;
pub(crate) mod feeds;
pub(crate) mod http;
pub(crate) mod medusa;
pub(crate) mod woocommerce;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What every shop's config starts with: two warehouses, one price group.
pub(crate) const BASE: &str = r#"
[inventory]
path = "inventory.db"
[warehouses]
main = "Main warehouse"
outlet = "Outlet"
[price_groups]
retail = { name = "Retail", currency = "EUR" }
"#;

/// A store, read and written as `store.csv`, with ids of its own; without sections.
pub(crate) const STORE_A: &str = r#"
[integrations.store-a]
type = "store"
connector = "csv"
source = "store.csv"
[integrations.store-a.fields]
item_id = "id"
sku = "sku"
ean = "ean"
name = "name"
quantity = "qty"
price = "price"
"#;

/// `store-a` is superior in both sections.
pub(crate) const DOWNLOAD: &str = r#"
[integrations.store-a.stock]
direction = "download"
warehouse = "main"
[integrations.store-a.prices]
direction = "download"
price_group = "retail"
"#;

/// The inventory is superior in both sections of `store-a`.
pub(crate) const SEND: &str = r#"
[integrations.store-a.stock]
direction = "send"
warehouse = "main"
[integrations.store-a.prices]
direction = "send"
price_group = "retail"
"#;

/// A shop: a folder with a config, files, and after the first run an inventory.
pub(crate) struct Shop {
    folder: TempDir,
}

impl Shop {
    /// A shop with [`BASE`] as its config, and nothing else.
    pub(crate) fn new() -> Shop {
        Shop::in_folder(&std::env::temp_dir())
    }

    /// The same in this folder: one in memory is faster where much is synced.
    pub(crate) fn in_folder(parent: &Path) -> Shop {
        let shop = Shop { folder: tempfile::tempdir_in(parent).unwrap() };
        shop.write("invsync.toml", BASE);
        shop
    }

    /// [`STORE_A`] with both sections downloading, and its file.
    pub(crate) fn downloading(csv: &str) -> Shop {
        Shop::new().config(STORE_A).config(DOWNLOAD).file("store.csv", csv)
    }

    /// [`STORE_A`] with both sections sending, its file, and what the inventory has.
    pub(crate) fn sending(csv: &str, inventory: &str) -> Shop {
        Shop::new().config(STORE_A).config(SEND).file("store.csv", csv).inventory(inventory)
    }

    /// A shop in a folder of its own, beside this one, that has the same files.
    pub(crate) fn copy(&self) -> Shop {
        let parent = self.folder.path().parent().unwrap();
        let shop = Shop { folder: tempfile::tempdir_in(parent).unwrap() };
        for (path, bytes) in self.all_files() {
            let name = path.strip_prefix(self.folder.path()).unwrap();
            shop.write(name.to_str().unwrap(), bytes);
        }
        shop
    }

    /// The names of the files in the shop's folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Adds to the config.
    pub(crate) fn config(self, toml: &str) -> Shop {
        let config = format!("{}{toml}\n", self.read("invsync.toml"));
        self.file("invsync.toml", config)
    }

    /// Writes a file.
    pub(crate) fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Shop {
        self.write(name, bytes);
        self
    }

    /// Imports a CSV of the inventory's own shape.
    pub(crate) fn inventory(self, csv: &str) -> Shop {
        self.write("import.csv", csv);
        self.run("inventory import import.csv").code(0);
        self
    }

    /// Writes a file into a shop that is in use.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// A file's text.
    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    /// A file's bytes.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Where a file of the shop is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Every file with its bytes: to see that nothing was touched.
    pub(crate) fn all_files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.folder.path(), &mut files);
        files
    }

    /// Fails where a file was made, changed or removed since [`Shop::all_files`].
    pub(crate) fn is_untouched_since(&self, before: &BTreeMap<PathBuf, Vec<u8>>) {
        let after = self.all_files();
        let names = before.keys().chain(after.keys());
        let touched: BTreeSet<_> =
            names.filter(|name| before.get(*name) != after.get(*name)).collect();
        assert!(touched.is_empty(), "touched: {touched:?}");
    }

    /// The binary, about to run in the shop; nothing of the caller's environment gets through.
    pub(crate) fn command<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_invsync"));
        command.args(args).current_dir(self.folder.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs the binary. Arguments are split as a shell does, without expansions.
    pub(crate) fn run(&self, args: &str) -> Ran<'_> {
        self.run_args(&words(args))
    }

    /// Runs the binary with exactly these arguments.
    pub(crate) fn run_args<I: AsRef<OsStr>>(&self, args: &[I]) -> Ran<'_> {
        self.finish(&mut self.command(args))
    }

    /// Runs the binary with a variable in its environment.
    pub(crate) fn run_with(&self, variable: (&str, &str), args: &str) -> Ran<'_> {
        self.finish(self.command(words(args)).env(variable.0, variable.1))
    }

    /// Starts the binary and leaves it running.
    pub(crate) fn start(&self, args: &str) -> Child {
        let mut command = self.command(words(args));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs a prepared command to its end.
    pub(crate) fn finish(&self, command: &mut Command) -> Ran<'_> {
        let output = command.output().unwrap();
        self.ran(&format!("{:?}", command.get_args().collect::<Vec<_>>()), output)
    }

    /// What a command of this shop did that was run otherwise.
    pub(crate) fn ran(&self, args: &str, output: Output) -> Ran<'_> {
        Ran {
            shop: self,
            args: args.to_owned(),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The JSON of a command that is run with `--format json`.
    pub(crate) fn json(&self, args: &str) -> Value {
        self.run(&format!("{args} --format json")).json()
    }

    /// The inventory, by SQL.
    pub(crate) fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path("inventory.db")).unwrap()
    }

    /// A stock level, by the view for other programs.
    pub(crate) fn stock(&self, warehouse: &str, sku: &str) -> Option<String> {
        let sql = "SELECT quantity FROM stock_levels WHERE warehouse = ?1 AND sku = ?2";
        self.value(sql, warehouse, sku)
    }

    /// A price, by the view for other programs.
    pub(crate) fn price(&self, price_group: &str, sku: &str) -> Option<String> {
        self.value(
            "SELECT price FROM price_list WHERE price_group = ?1 AND sku = ?2",
            price_group,
            sku,
        )
    }

    fn value(&self, sql: &str, place: &str, sku: &str) -> Option<String> {
        let sql = self.sql().query_row(sql, [place, sku], |row| row.get(0)).map(Some);
        match sql {
            Err(rusqlite::Error::QueryReturnedNoRows) => None,
            value => value.unwrap(),
        }
    }

    /// Everything that other programs see of the inventory, sorted.
    pub(crate) fn values(&self) -> Vec<String> {
        let sql = "SELECT sku || ' stock.' || warehouse || ' ' || quantity FROM stock_levels
            UNION ALL SELECT sku || ' price.' || price_group || ' ' || price FROM price_list
            ORDER BY 1";
        let conn = self.sql();
        let mut statement = conn.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// The products' SKUs, sorted.
    pub(crate) fn skus(&self) -> Vec<String> {
        let list = self.json("inventory list");
        let skus = list["products"].as_array().unwrap().iter();
        skus.map(|product| product["sku"].as_str().unwrap().to_owned()).collect()
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
}

/// A zip archive of these files.
pub(crate) fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut writer, bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Splits as a shell does: white space, `"…"`, `'…'`.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// What a command did.
pub(crate) struct Ran<'s> {
    shop: &'s Shop,
    args: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran<'_> {
    fn fail(&self, what: &str) -> ! {
        panic!(
            "{}: {what}\ncode {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.args, self.code, self.stdout, self.stderr
        )
    }

    /// It exited with this code.
    pub(crate) fn code(self, code: i32) -> Self {
        if self.code != Some(code) {
            self.fail(&format!("expected exit code {code}"));
        }
        self
    }

    /// Its results have this in them. Blanks between words count once.
    pub(crate) fn stdout(self, text: &str) -> Self {
        if !squeezed(&self.stdout).contains(&squeezed(text)) {
            self.fail(&format!("stdout lacks {text:?}"));
        }
        self
    }

    /// Its results do not have this in them.
    pub(crate) fn stdout_lacks(self, text: &str) -> Self {
        if squeezed(&self.stdout).contains(&squeezed(text)) {
            self.fail(&format!("stdout has {text:?}"));
        }
        self
    }

    /// Its messages have this in them.
    pub(crate) fn stderr(self, text: &str) -> Self {
        if !squeezed(&self.stderr).contains(&squeezed(text)) {
            self.fail(&format!("stderr lacks {text:?}"));
        }
        self
    }

    /// It printed nothing at all.
    pub(crate) fn silent(self) -> Self {
        if !self.stdout.is_empty() || !self.stderr.is_empty() {
            self.fail("expected no output at all");
        }
        self
    }

    /// The inventory now has this stock; `–`: unknown.
    pub(crate) fn stock(self, warehouse: &str, sku: &str, quantity: &str) -> Self {
        let found = self.shop.stock(warehouse, sku).unwrap_or_else(|| "–".to_owned());
        if found != quantity {
            self.fail(&format!("stock.{warehouse} of {sku} is {found}, expected {quantity}"));
        }
        self
    }

    /// The inventory now has this price; `–`: unknown.
    pub(crate) fn price(self, price_group: &str, sku: &str, price: &str) -> Self {
        let found = self.shop.price(price_group, sku).unwrap_or_else(|| "–".to_owned());
        if found != price {
            self.fail(&format!("price.{price_group} of {sku} is {found}, expected {price}"));
        }
        self
    }

    /// A file of the shop now has exactly this text.
    pub(crate) fn wrote(self, name: &str, text: &str) -> Self {
        let found = self.shop.read(name);
        if found != text {
            self.fail(&format!("{name} is {found:?}, expected {text:?}"));
        }
        self
    }

    /// Its results as JSON.
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(why) => self.fail(&format!("stdout is no JSON: {why}")),
        }
    }

    /// The only run of its JSON.
    pub(crate) fn one_run(&self) -> Run {
        let json = self.json();
        match json["runs"].as_array().map(Vec::as_slice) {
            Some([run]) => Run(run.clone()),
            _ => self.fail("expected exactly one run"),
        }
    }
}

/// Lines without the padding of columns.
pub(crate) fn squeezed(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}

/// A run in JSON.
pub(crate) struct Run(pub(crate) Value);

impl Run {
    /// A number of the run.
    pub(crate) fn number(&self, key: &str) -> u64 {
        self.0[key].as_u64().unwrap()
    }

    /// A text of the run.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap()
    }

    /// The changes as `SKU section before→after status`, in the order of the report.
    pub(crate) fn changes(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or("–").to_owned();
        let changes = self.0["changes"].as_array().unwrap().iter();
        changes
            .map(|change| {
                format!(
                    "{} {} {}→{} {}",
                    text(&change["sku"]),
                    text(&change["section"]),
                    text(&change["before"]),
                    text(&change["after"]),
                    text(&change["status"])
                )
            })
            .collect()
    }

    /// The problems as `kind item_id line`, sorted.
    pub(crate) fn problems(&self) -> Vec<String> {
        let problems = self.0["problems"].as_array().unwrap().iter();
        let mut texts: Vec<_> = problems
            .map(|problem| {
                let id = problem["item_id"].as_str().unwrap_or("–");
                let line =
                    problem["line"].as_u64().map_or("–".to_owned(), |line| line.to_string());
                format!("{} {id} {line}", problem["kind"].as_str().unwrap())
            })
            .collect();
        texts.sort();
        texts
    }

    /// The guards as `guard section actual>limit`, with `allowed` behind.
    pub(crate) fn guards(&self) -> Vec<String> {
        let guards = self.0["guards"].as_array().unwrap().iter();
        guards
            .map(|guard| {
                let section = guard["section"].as_str().unwrap_or("–");
                let allowed = if guard["allowed"] == true { " allowed" } else { "" };
                format!(
                    "{} {section} {}>{}{allowed}",
                    guard["guard"].as_str().unwrap(),
                    guard["actual"].as_str().unwrap(),
                    guard["limit"].as_str().unwrap()
                )
            })
            .collect()
    }
}
