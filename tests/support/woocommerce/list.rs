//! Lists: which items, in which order, which page of them.

use super::call::{Call, Error, Invalid, Right};
use super::catalogue::{Catalogue, Item, Kind};
use super::fields::Fields;
use super::http::{Query, Response, percent_encoded};
use super::settings::Settings;
use super::show::{View, number};

/// What a list is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ListOf {
    Products,
    /// All variations of the shop.
    AllVariations,
    /// The variations of a product. Of one that is not there or has none: an empty list.
    OneParent(u64),
}

const STATUSES: [&str; 7] = ["any", "future", "trash", "draft", "pending", "private", "publish"];
const TYPES: [&str; 4] = ["simple", "grouped", "external", "variable"];
const ORDERS: [&str; 10] = [
    "date",
    "id",
    "include",
    "title",
    "slug",
    "modified",
    "price",
    "popularity",
    "rating",
    "menu_order",
];
const STOCK_STATUSES: [&str; 3] = ["instock", "outofstock", "onbackorder"];

/// A page of a list.
pub(super) fn list(
    catalogue: &Catalogue,
    settings: &Settings,
    call: &Call,
    of: ListOf,
) -> Result<Response, Error> {
    let mut page = Page::read(&call.query)?;
    if settings.ignores_offset {
        page.offset = None;
    }
    call.may(Right::List)?;
    let filter = Filter::new(of, call, catalogue, settings);
    let mut found: Vec<_> = catalogue.items().filter(|item| filter.takes(item)).collect();
    sort(&mut found, &call.query);
    let (view, fields) = (View::new(catalogue, settings).indexed(), Fields::of(&call.query));
    if let Some(wanted) = call.query.get("stock_status").filter(|wanted| !wanted.is_empty()) {
        found.retain(|item| view.row(item, None)["stock_status"] == wanted);
    }
    let loses_rows = !settings.since([10, 5, 0]) && call.query.get("orderby") != Some("id");
    let rows = page.rows(&found, loses_rows);
    let rows: Vec<_> = rows.into_iter().map(|item| view.row(item, fields.as_ref())).collect();
    Ok(page.with_headers(Response::json(200, &rows.into()), found.len(), call))
}

/// Which page of a list.
struct Page {
    per_page: usize,
    number: usize,
    offset: Option<usize>,
}

impl Page {
    fn read(query: &Query) -> Result<Page, Error> {
        let mut invalid = Invalid::default();
        let per_page = integer(query, "per_page", &mut invalid);
        if per_page.is_some_and(|number| !(1..=100).contains(&number)) {
            invalid.out_of_bounds("per_page", "between 1 (inclusive) and 100 (inclusive)");
        }
        let number = integer(query, "page", &mut invalid);
        if number.is_some_and(|number| number < 1) {
            invalid.out_of_bounds("page", "greater than or equal to 1");
        }
        let offset = integer(query, "offset", &mut invalid);
        for (name, words) in [
            ("order", &["asc", "desc"][..]),
            ("orderby", &ORDERS),
            ("status", &STATUSES),
            ("type", &TYPES),
            ("stock_status", &STOCK_STATUSES),
        ] {
            if query.get(name).is_some_and(|word| !word.is_empty() && !words.contains(&word)) {
                invalid.not_in(name, words);
            }
        }
        for name in ["include", "exclude", "parent"] {
            if query.list(name).iter().any(|id| id.parse::<u64>().is_err()) {
                invalid.wrong_type(&format!("{name}[0]"), "integer");
            }
        }
        invalid.result()?;
        let size = |number: Option<i64>| number.and_then(|number| usize::try_from(number).ok());
        let (per_page, number) = (size(per_page).unwrap_or(10), size(number).unwrap_or(1));
        Ok(Page { per_page, number, offset: size(offset) })
    }

    /// The rows of the page. Before 10.5 an order by something that several items share was not
    /// stable: a page began with a row of the page before, and another row was in none.
    fn rows<'a>(&self, found: &[&'a Item], loses_rows: bool) -> Vec<&'a Item> {
        let start = self.offset.unwrap_or((self.number - 1) * self.per_page);
        let mut rows: Vec<_> = found.iter().skip(start).take(self.per_page).copied().collect();
        if loses_rows && start > 0 && !rows.is_empty() && self.number.is_multiple_of(2) {
            rows[0] = found[start - 1];
        }
        rows
    }

    /// The totals, and the pages beside this one; their addresses repeat every parameter.
    fn with_headers(&self, response: Response, total: usize, call: &Call) -> Response {
        let pages = total.div_ceil(self.per_page);
        let mut links = Vec::new();
        if self.number > 1 {
            links.push(link(call, (self.number - 1).min(pages.max(1)), "prev"));
        }
        if self.number < pages {
            links.push(link(call, self.number + 1, "next"));
        }
        let response = response
            .with("X-WP-Total", total.to_string())
            .with("X-WP-TotalPages", pages.to_string());
        if links.is_empty() { response } else { response.with("Link", links.join(", ")) }
    }
}

fn integer(query: &Query, name: &str, invalid: &mut Invalid) -> Option<i64> {
    let found = query.get(name)?.parse();
    if found.is_err() {
        invalid.wrong_type(name, "integer");
    }
    found.ok()
}

fn link(call: &Call, page: usize, rel: &str) -> String {
    let others = call.query.0.iter().filter(|(name, _)| name != "page");
    let mut pairs: Vec<_> = others
        .map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value)))
        .collect();
    pairs.push(format!("page={page}"));
    format!("<{}?{}>; rel=\"{rel}\"", call.url, pairs.join("&"))
}

/// Which items a list takes. Parameters that this version does not know are ignored.
struct Filter<'a> {
    of: ListOf,
    catalogue: &'a Catalogue,
    include: Vec<u64>,
    exclude: Vec<u64>,
    parents: Vec<u64>,
    status: Words,
    kind: Words,
    sku: Vec<String>,
    gtin: Vec<String>,
    /// Whether variations are among the products: only where a SKU or a GTIN is asked for.
    has_variations: bool,
    search_sku: String,
    search: String,
}

/// A word that is asked for, and lists of words that may or must not be.
struct Words {
    only: Vec<String>,
    never: Vec<String>,
}

impl Words {
    fn take(&self, word: &str) -> bool {
        let is_in = |list: &[String]| list.iter().any(|known| known == word);
        (self.only.is_empty() || is_in(&self.only)) && !is_in(&self.never)
    }
}

impl<'a> Filter<'a> {
    fn new(of: ListOf, call: &Call, catalogue: &'a Catalogue, settings: &Settings) -> Filter<'a> {
        let query = &call.query;
        let ids = |name| query.list(name).iter().filter_map(|id| id.parse().ok()).collect();
        let words = |one: &str, include: &str, exclude: &str| {
            // The lists came with 9.6.
            let list = |name| if settings.since([9, 6, 0]) { query.list(name) } else { Vec::new() };
            let wanted = query.get(one).filter(|word| !word.is_empty()).map(str::to_owned);
            let only: Vec<String> = wanted.into_iter().chain(list(include)).collect();
            Words {
                only: only.into_iter().filter(|word| word != "any").collect(),
                never: list(exclude),
            }
        };
        let text = |name| query.get(name).unwrap_or_default().trim().to_lowercase();
        let gtin = if settings.since([9, 4, 0]) {
            one_or_list(&text("global_unique_id"))
        } else {
            Vec::new()
        };
        let sku = one_or_list(&text("sku"));
        Filter {
            of,
            catalogue,
            include: ids("include"),
            exclude: ids("exclude"),
            parents: ids("parent"),
            status: words("status", "include_status", "exclude_status"),
            kind: words("type", "include_types", "exclude_types"),
            has_variations: !sku.is_empty() || (!gtin.is_empty() && settings.since([9, 6, 0])),
            sku,
            gtin,
            search_sku: text("search_sku"),
            search: text("search"),
        }
    }

    fn takes(&self, item: &Item) -> bool {
        self.is_of_list(item)
            && self.has_status(item)
            && (self.include.is_empty() || self.include.contains(&item.id))
            && !self.exclude.contains(&item.id)
            && (self.of != ListOf::Products || self.kind.take(item.kind.word()))
            && is_one_of(&self.sku, &item.sku)
            && is_one_of(&self.gtin, &item.global_unique_id)
            && has_part(&self.search_sku, &item.sku)
            && has_part(&self.search, &item.name)
    }

    fn is_of_list(&self, item: &Item) -> bool {
        let is_variation = item.kind == Kind::Variation;
        match self.of {
            ListOf::Products => !is_variation || self.has_variations,
            ListOf::AllVariations => {
                is_variation && (self.parents.is_empty() || self.parents.contains(&item.parent))
            }
            ListOf::OneParent(parent) => is_variation && item.parent == parent,
        }
    }

    /// Without a status: everything but the trash.
    fn has_status(&self, item: &Item) -> bool {
        let is_trashed = self.catalogue.is_trashed(item);
        let word = if is_trashed { "trash" } else { item.status };
        self.status.take(word) && !(is_trashed && self.status.only.is_empty())
    }
}

/// Texts are looked for as a list and as one text that has commas in it.
fn one_or_list(text: &str) -> Vec<String> {
    let parts = text.split(',').map(str::trim).chain([text]);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Whether a text is among the lower-case ones that are asked for, if any are.
fn is_one_of(wanted: &[String], own: &str) -> bool {
    wanted.is_empty() || wanted.contains(&own.to_lowercase())
}

fn has_part(wanted: &str, own: &str) -> bool {
    wanted.is_empty() || own.to_lowercase().contains(wanted)
}

/// The default is the newest first. The ids stand for the dates on which items were made.
fn sort(found: &mut [&Item], query: &Query) {
    let include = query.list("include");
    let place = |item: &Item| include.iter().position(|id| id.parse() == Ok(item.id));
    let orderby = query.get("orderby").unwrap_or("date");
    match orderby {
        "include" => return found.sort_by_key(|item| place(item)),
        "modified" => found.sort_by_key(|item| (item.modified, item.id)),
        "title" | "slug" => found.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id))),
        "price" => found.sort_by(|a, b| {
            number(&a.regular_price).total_cmp(&number(&b.regular_price)).then(a.id.cmp(&b.id))
        }),
        _ => found.sort_by_key(|item| item.id),
    }
    if query.get("order") != Some("asc") {
        found.reverse();
    }
}
