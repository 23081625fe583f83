//! Reading the whole catalogue: every product and every variation, in the fewest requests, until
//! the paging is proven whole.
//!
//! Lists have no cursor. They are read in the order of ids, in which what is new stands last, so
//! that the totals before and after and the number of new ids tell whether something was taken
//! away meanwhile, which moves one row past the reader for each.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use roaring::RoaringTreemap;
use rustc_hash::FxHashMap;
use serde_json::value::RawValue;

use super::api::{Product, StockAt};
use super::diagnose;
use super::rows::Parent;
use super::shop::{PAGE, Shop};
use crate::connector::http::Spool;
use crate::connector::http::parallel::{self, Queue};
use crate::connector::http::{Answer, HttpError};
use crate::connector::{ConnectorError, Want};

/// How often a catalogue that changes while it is read is read from its beginning.
const PASSES: u32 = 3;

/// A catalogue that was read.
pub(super) struct Catalogue {
    /// The pages: each a line with the parent's id (0: a page of many), then the shop's JSON.
    pub(super) pages: Spool,
    /// The variable products.
    pub(super) parents: FxHashMap<u64, Parent>,
    /// Whether nothing can have been missed.
    pub(super) complete: bool,
    /// Whether the shop counts the stock of any item.
    pub(super) has_managed: bool,
}

/// What is read of each item.
pub(super) fn fields(want: Want, has_parent: bool) -> String {
    let mut fields = vec!["id", "type", "sku", "global_unique_id"];
    if has_parent {
        fields.push("parent_id");
    } else {
        fields.push("variations");
    }
    if want.names {
        fields.push("name");
    }
    if want.stock {
        fields.extend(["manage_stock", "stock_quantity"]);
    }
    if want.prices {
        fields.extend(["regular_price", "sale_price"]);
    }
    fields.join(",")
}

/// Reads the catalogue, again where it changed meanwhile.
pub(super) fn catalogue(shop: &Shop, want: Want) -> Result<Catalogue, ConnectorError> {
    let mut last = None;
    for _ in 0..PASSES {
        let pass = Pass::new(shop, want);
        let found = pass.run()?;
        if found.is_whole() {
            return Ok(found.into_catalogue(true));
        }
        let detail = format!("{}: the catalogue changed while it was read; again", shop.name);
        shop.client.around().progress.detail(&detail);
        // What is the same twice does not change: the shop counts what it does not list.
        let numbers = (found.announced(), found.listed());
        if found.is_unannounced || last.replace(numbers) == Some(numbers) {
            shop.client.around().progress.note(&not_proven(shop, &found));
            return Ok(found.into_catalogue(false));
        }
    }
    Err(ConnectorError::temporary(format!(
        "the shop's catalogue changed each of {PASSES} times that it was read; try again when \
         nobody adds or removes products"
    )))
}

/// Why absence from this catalogue says nothing.
fn not_proven(shop: &Shop, found: &Found) -> String {
    let why = match found.is_unannounced {
        true => "the shop does not say how many items it has: a proxy may drop its headers \
                 X-WP-Total"
            .to_owned(),
        false => format!(
            "the shop announces {} items and lists {}: a plugin may hide some from this key",
            found.announced(),
            found.listed()
        ),
    };
    format!("{}: {why}. What it does not list counts as not delivered, not as missing", shop.name)
}

/// One of the shop's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Products,
    /// All variations of the shop.
    Variations,
}

impl List {
    fn path(self) -> &'static str {
        match self {
            List::Products => "products",
            List::Variations => "variations",
        }
    }
}

/// One request of a pass.
enum Job {
    /// A page of a list, from 1.
    Page(List, u32),
    /// A page of the variations of one product, from 1.
    Children(u64, u32),
    /// What the shop's prices are.
    Facts,
}

/// What is known of a list by its pages so far.
#[derive(Default)]
struct Listed {
    ids: RoaringTreemap,
    /// What the first page announced.
    total: Option<u64>,
    /// What the page that was read last announced.
    last_total: Option<u64>,
    /// The number of pages when the list began to be read, and the newest id on the last of them.
    began_with: u32,
    newest: Option<u64>,
    /// The last page that was asked for.
    last_page: u32,
}

impl Listed {
    /// Whether nothing was taken away or put in between while it was read, and all is there.
    fn is_whole(&self) -> bool {
        let (Some(total), Some(last)) = (self.total, self.last_total) else {
            return self.ids.is_empty();
        };
        let added = self.ids.len() - self.ids.rank(self.newest.unwrap_or_default());
        last == total + added && self.ids.len() == last
    }

    /// Takes a page; the further pages that it tells of. The last one comes first: the newest id
    /// is on it.
    fn take(&mut self, page: u32, rows: &[Product<'_>], total: u64) -> Vec<u32> {
        self.ids.extend(rows.iter().map(|row| row.id));
        self.total.get_or_insert(total);
        self.last_total = Some(total);
        let announced = pages_of(total).max(1);
        if page == 1 && self.began_with == 0 {
            (self.began_with, self.last_page) = (announced, 1);
        }
        if page == self.began_with && self.newest.is_none() {
            self.newest = Some(rows.iter().map(|row| row.id).max().unwrap_or_default());
        }
        let mut further: Vec<u32> = (self.last_page + 1..=announced).collect();
        self.last_page = self.last_page.max(announced);
        let last = usize::from(!further.is_empty());
        further.rotate_right(last);
        further
    }
}

/// How many pages so many items fill.
fn pages_of(items: u64) -> u32 {
    u32::try_from(items.div_ceil(PAGE as u64)).unwrap_or(u32::MAX)
}

/// Everything that a pass has found, shared by its threads.
#[derive(Default)]
struct Found {
    spool: Spool,
    products: Listed,
    variations: Listed,
    parents: FxHashMap<u64, Parent>,
    /// Variations that were listed by their products, where the shop does not list them all.
    children: RoaringTreemap,
    announced_children: u64,
    /// A page came without a total.
    is_unannounced: bool,
    /// The stock of some item is counted.
    has_managed: bool,
}

impl Found {
    fn list(&mut self, list: List) -> &mut Listed {
        match list {
            List::Products => &mut self.products,
            List::Variations => &mut self.variations,
        }
    }

    fn is_whole(&self) -> bool {
        !self.is_unannounced
            && self.products.is_whole()
            && self.variations.is_whole()
            && self.children.len() == self.announced_children
    }

    fn announced(&self) -> u64 {
        let of = |listed: &Listed| listed.last_total.unwrap_or_default();
        of(&self.products) + of(&self.variations) + self.announced_children
    }

    fn listed(&self) -> u64 {
        self.products.ids.len() + self.variations.ids.len() + self.children.len()
    }

    fn into_catalogue(self, complete: bool) -> Catalogue {
        let Found { spool: pages, parents, has_managed, .. } = self;
        Catalogue { pages, parents, complete, has_managed }
    }
}

/// One reading of the whole catalogue.
struct Pass<'s> {
    shop: &'s Shop,
    want: Want,
    found: Mutex<Found>,
    has_begun_variations: AtomicBool,
}

type Jobs = Queue<Job, ConnectorError>;
type Page = Answer<Box<RawValue>>;

impl<'s> Pass<'s> {
    fn new(shop: &'s Shop, want: Want) -> Pass<'s> {
        let (found, has_begun_variations) = (Mutex::default(), AtomicBool::new(false));
        Pass { shop, want, found, has_begun_variations }
    }

    fn run(self) -> Result<Found, ConnectorError> {
        let mut jobs = vec![Job::Page(List::Products, 1)];
        if self.want.prices {
            jobs.push(Job::Facts);
        }
        let threads = self.shop.client.concurrency();
        parallel::run(threads, jobs, |job, queue| self.work(job, queue))?;
        parallel::run(threads, self.tails(), |job, queue| self.work(job, queue))?;
        Ok(self.found.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// The last pages, once more, of lists whose pages were not read at one moment: what came in
    /// meanwhile stands there, and the total tells what went.
    fn tails(&self) -> Vec<Job> {
        let mut found = self.found();
        let mut last_page = |list| (list, found.list(list).last_page);
        [last_page(List::Products), last_page(List::Variations)]
            .into_iter()
            .filter(|(_, last)| *last > 2)
            .map(|(list, last)| Job::Page(list, last))
            .collect()
    }

    fn work(&self, job: Job, queue: &Jobs) -> Result<(), ConnectorError> {
        match job {
            Job::Facts => self.shop.facts().map(drop),
            Job::Page(List::Variations, 1) if self.shop.lists_variations().is_none() => {
                self.try_variations(queue)
            }
            Job::Page(list, page) => {
                let answer = self.ask(list.path(), page);
                let answer = answer.map_err(|error| diagnose::explain(self.shop, error))?;
                self.take_page(list, page, &answer, queue)
            }
            Job::Children(parent, page) => self.children(parent, page, queue),
        }
    }

    fn ask(&self, path: &str, page: u32) -> Result<Page, HttpError> {
        let fields = fields(self.want, path != List::Products.path());
        let (page, per_page) = (page.to_string(), PAGE.to_string());
        // Without this order some versions list items twice and lose others in their place.
        let query = [
            ("per_page", per_page.as_str()),
            ("page", &page),
            ("orderby", "id"),
            ("order", "asc"),
            ("_fields", &fields),
        ];
        self.shop.read(path, &query)
    }

    /// Asks for all variations at once, which shops before 10.3 cannot list.
    fn try_variations(&self, queue: &Jobs) -> Result<(), ConnectorError> {
        match self.ask(List::Variations.path(), 1) {
            Ok(answer) => {
                self.shop.set_lists_variations(true);
                self.take_page(List::Variations, 1, &answer, queue)
            }
            Err(error) if error.status == Some(404) => {
                let found = self.found();
                self.shop.set_lists_variations(false);
                found.parents.keys().for_each(|parent| queue.add(Job::Children(*parent, 1)));
                Ok(())
            }
            Err(error) => Err(diagnose::explain(self.shop, error)),
        }
    }

    fn take_page(
        &self,
        list: List,
        page: u32,
        answer: &Page,
        queue: &Jobs,
    ) -> Result<(), ConnectorError> {
        let rows = rows(self.shop, answer)?;
        let mut found = self.found();
        found.spool.add((list as u32, page), block(0, answer).as_bytes())?;
        found.has_managed |= rows.iter().any(|row| row.stock_at() != StockAt::Nobody);
        for row in rows.iter().filter(|row| row.holds_variations()) {
            found.parents.insert(row.id, Parent::of(row));
            self.see_parent(row.id, queue);
        }
        match total(answer) {
            Some(total) => {
                let further = found.list(list).take(page, &rows, total);
                further.into_iter().for_each(|page| queue.add(Job::Page(list, page)));
            }
            None => {
                found.is_unannounced = true;
                found.list(list).ids.extend(rows.iter().map(|row| row.id));
                if rows.len() >= PAGE {
                    queue.add(Job::Page(list, page + 1));
                }
            }
        }
        self.shop.client.around().progress.advance(found.listed());
        Ok(())
    }

    /// Sees to it that a product's variations are read: all variations at once if possible.
    fn see_parent(&self, parent: u64, queue: &Jobs) {
        if self.shop.lists_variations() == Some(false) {
            queue.add(Job::Children(parent, 1));
        } else if !self.has_begun_variations.swap(true, Ordering::Relaxed) {
            queue.add(Job::Page(List::Variations, 1));
        }
    }

    fn children(&self, parent: u64, page: u32, queue: &Jobs) -> Result<(), ConnectorError> {
        let answer = self.ask(&format!("products/{parent}/variations"), page);
        let answer = answer.map_err(|error| diagnose::explain(self.shop, error))?;
        let rows = rows(self.shop, &answer)?;
        let mut found = self.found();
        let order = (2, u32::try_from(parent).unwrap_or(u32::MAX));
        found.spool.add(order, block(parent, &answer).as_bytes())?;
        found.has_managed |= rows.iter().any(|row| row.stock_at() != StockAt::Nobody);
        found.children.extend(rows.iter().map(|row| row.id));
        match total(&answer) {
            Some(total) if page == 1 => {
                found.announced_children += total;
                (2..=pages_of(total)).for_each(|page| queue.add(Job::Children(parent, page)));
            }
            Some(_) => {}
            None => {
                found.is_unannounced = true;
                if rows.len() >= PAGE {
                    queue.add(Job::Children(parent, page + 1));
                }
            }
        }
        self.shop.client.around().progress.advance(found.listed());
        Ok(())
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is kept of a page until it is drained.
fn block(parent: u64, answer: &Page) -> String {
    format!("{parent}\n{}", answer.value.get())
}

fn total(answer: &Page) -> Option<u64> {
    answer.header("x-wp-total")?.trim().parse().ok()
}

/// The rows of a page.
fn rows<'a>(shop: &Shop, answer: &'a Page) -> Result<Vec<Product<'a>>, ConnectorError> {
    let text = answer.value.get();
    serde_json::from_str(text).map_err(|_| {
        let start: String = text.chars().take(80).collect();
        ConnectorError::temporary(format!(
            "{} answered JSON that is no list of products; it begins with `{}`. A plugin may \
             change what the API says",
            answer.url.path(),
            shop.client.scrub(&start).escape_debug()
        ))
    })
}
