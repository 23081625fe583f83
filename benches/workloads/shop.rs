//! W9: a WooCommerce shop that takes its time, pulled and pushed.
//!
//! The shop is a child of its own, for its memory must not count as invsync's: it answers on the
//! loopback until its standard input ends, and says before each line that it reads how many
//! requests there were.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::woocommerce::{Catalogue, Fake, Item};
use crate::{INVSYNC, Measured, measure, median, mib, ms, path, this_program};

/// How long the shop takes for each answer.
const LATENCY: Duration = Duration::from_millis(50);
/// Items in a page and in a batch.
const PAGE: u64 = 100;
/// The default of `http.concurrency`.
const CONCURRENCY: f64 = 4.0;
/// Variations of one product.
const FAMILY: u64 = 4;
/// What the whole may take, as a multiple of what the requests take.
const GOAL: f64 = 1.2;

/// What the shop sells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Simple,
    Variations,
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Shape::Simple => "simple",
            Shape::Variations => "variations",
        }
    }

    fn catalogue(self, items: u64) -> Catalogue {
        let filled = |item: Item| item.stock("5").price("10.00");
        match self {
            Shape::Simple => Catalogue::new().simples(1..=items, filled),
            Shape::Variations => (0..items / FAMILY).fold(Catalogue::new(), |shop, n| {
                let parent = 1_000_000 + n;
                let own = n * FAMILY + 1..=(n + 1) * FAMILY;
                shop.item(own.fold(Item::variable(parent, ""), |product, id| {
                    product.variation(id, &sku(id), filled)
                }))
            }),
        }
    }

    /// The pages that such a shop fills.
    fn pages(self, items: u64) -> u64 {
        let parents = match self {
            Shape::Simple => 0,
            Shape::Variations => (items / FAMILY).div_ceil(PAGE),
        };
        items.div_ceil(PAGE) + parents
    }
}

fn sku(id: u64) -> String {
    format!("SKU-{id:05}")
}

/// All sizes that are not larger than asked for, in both shapes.
pub(crate) fn bench(folder: &Path, most: u64, runs: usize) -> Result<()> {
    println!(
        "W9   a shop that takes {} ms for an answer, {CONCURRENCY} at once",
        LATENCY.as_millis()
    );
    println!(
        "     {:<11} {:>6}  {:<5} {:>8} {:>9} {:>6} {:>9} {:>9} {:>6} {:>5}",
        "", "items", "", "needed", "requests", "run ms", "needed ms", "peak MiB", "ratio", "goal"
    );
    for shape in [Shape::Simple, Shape::Variations] {
        for items in [1_000, 10_000, 50_000].into_iter().filter(|items| *items <= most) {
            let folder = folder.join(format!("shop-{}-{items}", shape.name()));
            fs::create_dir_all(&folder)?;
            run(&Place { folder, shape, items }, runs)?;
        }
    }
    Ok(())
}

/// Where the config and the inventory of a shop are.
struct Place {
    folder: PathBuf,
    shape: Shape,
    items: u64,
}

impl Place {
    /// An invsync about to run.
    fn invsync(&self, config: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(INVSYNC);
        command.arg("--config").arg(self.folder.join(config)).args(arguments);
        command
    }

    fn file(&self, name: &str) -> Result<String> {
        Ok(path(&self.folder.join(name))?.to_owned())
    }
}

fn run(place: &Place, runs: usize) -> Result<()> {
    let (mut pulls, mut pushes) = (Vec::new(), Vec::new());
    let mut requests = (0, 0);
    for _ in 0..runs {
        let mut shop = Shop::start(place)?;
        write_products(place)?;
        measure(
            &mut place
                .invsync("pull.toml", &["inventory", "import", "-q", &place.file("skus.csv")?]),
        )?;
        pulls.push(measure(&mut place.invsync("pull.toml", &["pull", "store-a", "--limit", "1"]))?);
        requests.0 = shop.requests()?;
        measure(
            &mut place
                .invsync("pull.toml", &["inventory", "import", "-q", &place.file("values.csv")?]),
        )?;
        pushes
            .push(measure(&mut place.invsync("push.toml", &["push", "store-a", "--limit", "1"]))?);
        requests.1 = shop.requests()?;
        shop.end(place.items)?;
    }
    let pages = place.shape.pages(place.items);
    row(place, "pull", pages, requests.0, median(pulls));
    row(place, "push", pages + place.items.div_ceil(PAGE), requests.1, median(pushes));
    Ok(())
}

fn row(place: &Place, what: &str, needed: u64, requests: u64, run: Measured) {
    let least = LATENCY.mul_f64(needed as f64 / CONCURRENCY);
    println!(
        "     {:<11} {:>6}  {what:<5} {needed:>8} {requests:>9} {:>6.0} {:>9.0} {:>9.1} {:>6.2} {GOAL:>5}",
        place.shape.name(),
        place.items,
        ms(run.wall),
        ms(least),
        mib(run.peak),
        run.wall.as_secs_f64() / least.as_secs_f64(),
    );
}

/// The products, and the values that all of them get: another quantity of each.
fn write_products(place: &Place) -> Result<()> {
    let (mut skus, mut values) = ("sku\n".to_owned(), "sku,stock.main\n".to_owned());
    for id in 1..=place.items {
        let sku = sku(id);
        let _ = writeln!(skus, "{sku}");
        let _ = writeln!(values, "{sku},{}", 6 + id % 7);
    }
    fs::write(place.folder.join("skus.csv"), skus)?;
    fs::write(place.folder.join("values.csv"), values)?;
    for leftover in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(place.folder.join(format!("inventory.db{leftover}")));
    }
    Ok(())
}

/// A shop in a process of its own.
struct Shop {
    child: Child,
    asked: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Shop {
    fn start(place: &Place) -> Result<Shop> {
        let mut command = this_program()?;
        command.args(["shop", path(&place.folder)?, place.shape.name(), &place.items.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let asked = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("no output")?).lines();
        let mut shop = Shop { child, asked, answers };
        ensure!(shop.answer()? == "ready", "the shop did not start");
        Ok(shop)
    }

    fn answer(&mut self) -> Result<String> {
        Ok(self.answers.next().context("the shop ended")??)
    }

    /// How many requests there were since it was asked last.
    fn requests(&mut self) -> Result<u64> {
        writeln!(self.asked.as_mut().context("no input")?, "requests")?;
        Ok(self.answer()?.parse()?)
    }

    /// Ends it; it has what was pushed.
    fn end(mut self, items: u64) -> Result<()> {
        self.asked = None;
        let right = self.answer()?;
        ensure!(self.child.wait()?.success(), "the shop failed");
        ensure!(right == items.to_string(), "{right} of {items} items have what was pushed");
        Ok(())
    }
}

/// The child's part.
pub(crate) fn serve(folder: &Path, shape: &str, items: u64) -> Result<()> {
    let shape = if shape == Shape::Simple.name() { Shape::Simple } else { Shape::Variations };
    let fake = Fake::start(shape.catalogue(items));
    fake.settings(|shop| shop.latency = LATENCY);
    for (name, direction) in [("pull.toml", "download"), ("push.toml", "send")] {
        let file = folder.join(name);
        fs::write(&file, config(&fake, direction))?;
        // The keys are the fake's; a real config would be as closed.
        #[cfg(unix)]
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    }
    println!("ready");
    for line in std::io::stdin().lines() {
        line?;
        println!("{}", fake.log().len());
        fake.forget();
    }
    let is_right = |id: &u64| fake.stock(*id) == (6 + id % 7).to_string();
    println!("{}", (1..=items).filter(is_right).count());
    Ok(())
}

fn config(fake: &Fake, direction: &str) -> String {
    let sections = format!(
        "[integrations.store-a.stock]\ndirection = \"{direction}\"\nwarehouse = \"main\"\n\
         [integrations.store-a.prices]\ndirection = \"{direction}\"\nprice_group = \"retail\"\n\
         [integrations.store-a.guard]\nmax_changed = \"100%\"\n"
    );
    format!(
        "[inventory]\npath = \"inventory.db\"\n[warehouses]\nmain = \"Main\"\n\
         [price_groups]\nretail = {{ name = \"Retail\", currency = \"EUR\" }}\n{}",
        fake.config(&sections)
    )
}
