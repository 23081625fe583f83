//! Reading the whole catalogue: every product and every variation, in the fewest requests, until
//! the paging is proven whole.
//!
//! Lists have no cursor. They are read in the order of ids, and each page begins with the row that
//! the one before ended with: where a page begins behind that row, something was taken away
//! meanwhile and a row slipped past, so that all is read again. What has an id between the first
//! and the last of a page is on that page; so nothing that was there all the time can be missed.

use std::collections::BTreeMap;
use std::ops::Range;
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
/// Pages that are asked for ahead, for a shop may announce anything.
const AHEAD: u32 = 64;

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
        let numbers = (found.announced(), found.listed(), found.pages_never_meet());
        let is_the_same = last.replace(numbers) == Some(numbers);
        // A shop that does not know `offset` has pages that never meet, each time; one that lists
        // more than it announces, without a gap, has been read whole.
        let is_consistent = found.announced() == found.listed();
        if is_the_same && (found.pages_never_meet() && is_consistent || found.lists_more()) {
            return Ok(found.into_catalogue(true));
        }
        // What is the same twice does not change: the shop counts what it does not list.
        if is_the_same && (!found.has_gap() || found.pages_never_meet()) {
            shop.client.around().progress.note(&not_proven(shop, &found));
            return Ok(found.into_catalogue(false));
        }
        shop.detail("the catalogue changed while it was read; again");
    }
    Err(ConnectorError::temporary(format!(
        "the shop's catalogue changed each of {PASSES} times that it was read; try again when \
         nobody adds or removes products"
    )))
}

/// Why absence from this catalogue says nothing.
fn not_proven(shop: &Shop, found: &Found) -> String {
    format!(
        "{}: the shop announces {} items and lists {}: a plugin may hide some from this key. What \
         it does not list counts as not delivered, not as missing",
        shop.name,
        found.announced(),
        found.listed()
    )
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
    /// A page of the variations of one product, from 1, and the last id of the page before.
    Children { parent: u64, page: u32, last: u64 },
    /// A page that was read already, once more: whether it is still the same.
    Prove(List, u32),
    /// What the shop's prices are.
    Facts,
}

/// What is known of a list by its pages so far.
#[derive(Default)]
struct Listed {
    ids: RoaringTreemap,
    /// The first and the last id of each page; of an empty one 0 and 0.
    pages: BTreeMap<u32, (u64, u64)>,
    /// What the first page announced.
    first_total: Option<u64>,
    /// Pages that were read again, and were the same.
    proven: u32,
    /// The first page that was not full.
    end: Option<u32>,
    /// What the page that was read last announced.
    total: Option<u64>,
    /// The last page that was asked for.
    asked: u32,
}

impl Listed {
    /// Takes a page; the further pages to ask for. A full page is the last one only where all that
    /// the shop says of its list agrees (`is_last`).
    fn take(
        &mut self,
        page: u32,
        rows: &[Product<'_>],
        total: Option<u64>,
        is_last: bool,
    ) -> Range<u32> {
        let known = self.ids.len();
        self.ids.extend(rows.iter().map(|row| row.id));
        self.pages.insert(page, ends_of(rows));
        self.total = total.or(self.total);
        if page == 1 {
            self.first_total = total;
        }
        self.asked = self.asked.max(page);
        if rows.len() < PAGE || is_last {
            self.end = Some(self.end.map_or(page, |end| end.min(page)));
        }
        let announced = total.map_or(0, pages_of).min(page.saturating_add(AHEAD));
        // A shop that lists the same again and again would be asked for ever.
        let has_new = self.ids.len() > known;
        let next = if rows.len() < PAGE || is_last || !has_new { 0 } else { page + 1 };
        let further = self.asked + 1..announced.max(next).max(self.asked) + 1;
        self.asked = further.end - 1;
        further
    }

    /// The first and the last page: of a shop that does not know `offset`, whose pages never meet,
    /// they tell whether anything moved. What was taken away early moves the first one, what was
    /// taken away later moves the last one, and what is new stands there.
    fn to_prove(&self) -> Vec<u32> {
        let (gaps, meeting) = self.gaps();
        let last = self.pages.range(..=self.end.unwrap_or(u32::MAX)).next_back();
        match last {
            Some((last, _)) if gaps > 0 && meeting == 0 => vec![1, *last],
            _ => Vec::new(),
        }
    }

    /// Takes a page that was read again.
    fn prove(&mut self, page: u32, rows: &[Product<'_>], total: Option<u64>) {
        let is_same = self.pages.get(&page) == Some(&ends_of(rows)) && total == self.first_total;
        self.proven += u32::from(is_same && total == Some(self.ids.len()));
    }

    /// Between how many pages a row may have slipped past, and between how many not.
    fn gaps(&self) -> (usize, usize) {
        let up_to_end = self.pages.range(..=self.end.unwrap_or(u32::MAX)).map(|(_, ids)| ids);
        let pairs = up_to_end.clone().zip(up_to_end.skip(1));
        let (gaps, meeting): (Vec<_>, Vec<_>) =
            pairs.partition(|((_, last), (first, _))| is_gap(*last, *first));
        (gaps.len(), meeting.len())
    }
}

/// Whether a row may have slipped past between a page that ended with `last` and one that begins
/// with `first`: also an empty one, for what the full one before ended with is not there any more.
fn is_gap(last: u64, first: u64) -> bool {
    first > last || first == 0
}

/// The first and the last id of a page; 0 and 0 of an empty one.
fn ends_of(rows: &[Product<'_>]) -> (u64, u64) {
    let ids = || rows.iter().map(|row| row.id);
    (ids().min().unwrap_or_default(), ids().max().unwrap_or_default())
}

/// How many pages so many items fill, each beginning with the last row of the one before.
fn pages_of(items: u64) -> u32 {
    let (page, step) = (PAGE as u64, PAGE as u64 - 1);
    u32::try_from(1 + items.saturating_sub(page).div_ceil(step)).unwrap_or(u32::MAX)
}

/// The row that a page begins with, from 0.
fn offset_of(page: u32) -> u64 {
    u64::from(page - 1) * (PAGE as u64 - 1)
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
    /// A row may have slipped past between two pages of a product's variations, and not so.
    children_have_gap: bool,
    children_meet: bool,
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

    /// Keeps a page until it is drained: the parent's id in a line, then what the shop said.
    fn keep(
        &mut self,
        order: (u32, u32),
        parent: u64,
        answer: &Page,
        rows: &[Product<'_>],
    ) -> Result<(), ConnectorError> {
        self.has_managed |= rows.iter().any(|row| row.stock_at() != StockAt::Nobody);
        self.spool.add(order, format!("{parent}\n{}", answer.value.get()).as_bytes())
    }

    fn has_gap(&self) -> bool {
        let has_gap = |listed: &Listed| listed.gaps().0 > 0 && listed.proven < 2;
        self.children_have_gap || has_gap(&self.products) || has_gap(&self.variations)
    }

    /// Whether there are gaps, and wherever there can be one.
    fn pages_never_meet(&self) -> bool {
        let meet = |listed: &Listed| listed.gaps().1 > 0;
        self.has_gap() && !self.children_meet && !meet(&self.products) && !meet(&self.variations)
    }

    fn is_whole(&self) -> bool {
        !self.has_gap() && self.announced() == self.listed()
    }

    /// Whether nothing can have slipped past, although the shop announces less.
    fn lists_more(&self) -> bool {
        !self.has_gap() && self.announced() < self.listed()
    }

    fn announced(&self) -> u64 {
        let of = |listed: &Listed| listed.total.unwrap_or(listed.ids.len());
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
pub(super) type Page = Answer<Box<RawValue>>;

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
        let proofs = [List::Products, List::Variations].into_iter().flat_map(|list| {
            let pages = self.found().list(list).to_prove();
            pages.into_iter().map(move |page| Job::Prove(list, page))
        });
        let proofs: Vec<Job> = proofs.collect();
        parallel::run(threads, proofs, |job, queue| self.work(job, queue))?;
        Ok(self.found.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn work(&self, job: Job, queue: &Jobs) -> Result<(), ConnectorError> {
        match job {
            Job::Facts => self.shop.facts().map(drop),
            Job::Page(List::Variations, 1) if self.shop.lists_variations().is_none() => {
                self.try_variations(queue)
            }
            Job::Page(list, page) if self.found().list(list).end.is_some_and(|end| page > end) => {
                Ok(())
            }
            Job::Page(list, page) => {
                let answer = self.page(list.path(), page)?;
                self.take_page(list, page, &answer, queue)
            }
            Job::Prove(list, page) => {
                let answer = self.page(list.path(), page)?;
                let rows = rows(self.shop, &answer)?;
                self.found().list(list).prove(page, &rows, total(&answer));
                Ok(())
            }
            Job::Children { parent, page, last } => self.children(parent, page, last, queue),
        }
    }

    fn page(&self, path: &str, page: u32) -> Result<Page, ConnectorError> {
        self.ask(path, page).map_err(|error| diagnose::explain(self.shop, error))
    }

    fn ask(&self, path: &str, page: u32) -> Result<Page, HttpError> {
        let fields = fields(self.want, path != List::Products.path());
        let (number, offset) = (page.to_string(), offset_of(page).to_string());
        let per_page = PAGE.to_string();
        // Without this order some versions list items twice and lose others in their place.
        let mut query = vec![
            ("per_page", per_page.as_str()),
            ("page", &number),
            ("orderby", "id"),
            ("order", "asc"),
            ("_fields", &fields),
        ];
        if page > 1 {
            query.push(("offset", &offset));
        }
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
                found.parents.keys().for_each(|parent| queue.add(first_children(*parent)));
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
        found.keep((list as u32, page), 0, answer, &rows)?;
        for row in rows.iter().filter(|row| row.holds_variations()) {
            found.parents.insert(row.id, Parent::of(row));
            self.see_parent(row.id, queue);
        }
        let is_last = is_last(page, answer);
        let further = found.list(list).take(page, &rows, total(answer), is_last);
        further.for_each(|page| queue.add(Job::Page(list, page)));
        self.shop.client.around().progress.advance(found.listed());
        Ok(())
    }

    /// Sees to it that a product's variations are read: all variations at once if possible.
    fn see_parent(&self, parent: u64, queue: &Jobs) {
        if self.shop.lists_variations() == Some(false) {
            queue.add(first_children(parent));
        } else if !self.has_begun_variations.swap(true, Ordering::Relaxed) {
            queue.add(Job::Page(List::Variations, 1));
        }
    }

    fn children(
        &self,
        parent: u64,
        page: u32,
        last: u64,
        queue: &Jobs,
    ) -> Result<(), ConnectorError> {
        let answer = self.page(&format!("products/{parent}/variations"), page)?;
        let rows = rows(self.shop, &answer)?;
        let mut found = self.found();
        let order = (2, u32::try_from(parent).unwrap_or(u32::MAX));
        found.keep(order, parent, &answer, &rows)?;
        let known = found.children.len();
        found.children.extend(rows.iter().map(|row| row.id));
        let (first, new_last) = ends_of(&rows);
        if page > 1 {
            let is_gap = is_gap(last, first);
            found.children_have_gap |= is_gap;
            found.children_meet |= !is_gap;
        }
        if rows.len() < PAGE || found.children.len() == known {
            // Without a total, what was listed is what there is.
            let listed = u64::from(page - 1) * (PAGE as u64 - 1) + rows.len() as u64;
            found.announced_children += total(&answer).unwrap_or(listed);
        } else {
            queue.add(Job::Children { parent, page: page + 1, last: new_last });
        }
        self.shop.client.around().progress.advance(found.listed());
        Ok(())
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn first_children(parent: u64) -> Job {
    Job::Children { parent, page: 1, last: 0 }
}

fn total(answer: &Page) -> Option<u64> {
    answer.header("x-wp-total")?.trim().parse().ok()
}

/// Whether all that the shop says of its list agrees that a full page is its last one.
fn is_last(page: u32, answer: &Page) -> bool {
    let Some(total) = total(answer) else { return false };
    let pages = answer.header("x-wp-totalpages").and_then(|text| text.trim().parse::<u64>().ok());
    let has_next = answer.header("link").is_some_and(|link| link.contains("rel=\"next\""));
    let is_end = offset_of(page) + PAGE as u64 == total;
    // `Link` counts pages that do not meet.
    is_end && pages == Some(total.div_ceil(PAGE as u64)) && (page > 1 || !has_next)
}

/// The rows of a page.
pub(super) fn rows<'a>(shop: &Shop, answer: &'a Page) -> Result<Vec<Product<'a>>, ConnectorError> {
    let text = answer.value.get();
    serde_json::from_str(text).map_err(|_| {
        let start: String = shop.client.scrub(text).chars().take(80).collect();
        ConnectorError::temporary(format!(
            "{} answered JSON that is no list of products; it begins with `{}`. A plugin may \
             change what the API says",
            answer.url.path(),
            start.escape_debug()
        ))
    })
}
