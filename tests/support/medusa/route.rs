//! From a request to what answers it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::woocommerce::http::{Query, Request, Response};
use super::catalogue::Catalogue;
use super::save::{self, Refusal};
use super::show::{Fields, page, price, text, variant};
use super::{KEY, State};

/// What Node takes for a request's head, in bytes.
const HEAD_LIMIT: usize = 16 << 10;
/// What the shop takes for a body, in bytes.
const BODY_LIMIT: usize = 2 << 20;

impl State {
    pub(super) fn answer(&mut self, request: &Request) -> Response {
        let Some(path) = request.path().strip_prefix("/admin/") else { return not_found() };
        if request.target.len() > HEAD_LIMIT {
            return Response::new(431, "text/plain", "");
        }
        let basic = format!("Basic {}", STANDARD.encode(format!("{KEY}:")));
        if self.is_revoked || request.header("authorization") != Some(basic.as_str()) {
            return json(401, "{\"message\":\"Unauthorized\"}");
        }
        if self.may_only_read && request.method != "GET" {
            return refused(Refusal(403, "forbidden", "Forbidden".to_owned()));
        }
        if request.body.len() > BODY_LIMIT {
            let why = "request entity too large".to_owned();
            return refused(Refusal(413, "unknown_error", why));
        }
        let parts: Vec<_> = path.split('/').collect();
        match request.method.as_str() {
            "GET" => match show(&self.catalogue, &parts, &request.query()) {
                Some(body) => json(200, body),
                None => not_found(),
            },
            _ => self.save(request, &parts),
        }
    }

    fn save(&mut self, request: &Request, parts: &[&str]) -> Response {
        let (catalogue, body) = (&mut self.catalogue, request.body.as_slice());
        let saved = match *parts {
            ["inventory-items", "location-levels", "batch"] => save::levels(catalogue, body),
            ["products", product, "variants", "batch"] => {
                let product = self.looks_at_product.then_some(product);
                save::variants(catalogue, product, &Fields::of(&request.query()), body)
            }
            ["price-lists", list, "prices", "batch"] => save::list_prices(catalogue, list, body),
            _ => return not_found(),
        };
        saved.map_or_else(refused, |body| json(200, body))
    }
}

fn show(catalogue: &Catalogue, parts: &[&str], query: &Query) -> Option<String> {
    let named = |rows: &[(String, String)], key: &str| -> Vec<String> {
        let row = |(id, name): &(String, String)| {
            format!("{{\"id\":{},\"{key}\":{}}}", text(id), text(name))
        };
        rows.iter().map(row).collect()
    };
    let (name, rows): (&str, Vec<String>) = match *parts {
        ["stock-locations"] => ("stock_locations", named(&catalogue.locations, "name")),
        ["price-lists"] => ("price_lists", named(&catalogue.lists, "title")),
        ["regions"] => {
            let row = |(id, name, currency): &(String, String, &str)| {
                let (id, name) = (text(id), text(name));
                format!("{{\"id\":{id},\"name\":{name},\"currency_code\":\"{currency}\"}}")
            };
            ("regions", catalogue.regions.iter().map(row).collect())
        }
        ["stores"] => {
            let currencies = catalogue.currencies.iter().enumerate().map(|(at, code)| {
                format!("{{\"currency_code\":\"{code}\",\"is_default\":{}}}", at == 0)
            });
            let currencies: Vec<_> = currencies.collect();
            ("stores", vec![format!("{{\"supported_currencies\":[{}]}}", currencies.join(","))])
        }
        ["currencies"] => {
            let digits = |code: &str| if code == "jpy" { 0 } else { 2 };
            let row = |code: &String| {
                format!("{{\"code\":\"{code}\",\"decimal_digits\":{}}}", digits(code))
            };
            ("currencies", query.list("code").iter().map(row).collect())
        }
        ["price-preferences"] => {
            let row = |code: &&str| {
                let with_tax = catalogue.with_tax.contains(code);
                format!(
                    "{{\"attribute\":\"currency_code\",\"value\":\"{code}\",\
                     \"is_tax_inclusive\":{with_tax}}}"
                )
            };
            ("price_preferences", catalogue.currencies.iter().map(row).collect())
        }
        ["product-variants"] => {
            let (fields, ids) = (Fields::of(query), query.list("id"));
            let wanted = catalogue.variants.iter();
            let wanted = wanted.filter(|own| ids.is_empty() || ids.contains(&own.id));
            ("variants", wanted.map(|own| variant(catalogue, own, &fields)).collect())
        }
        ["price-lists", list, "prices"] => {
            let own = catalogue.listed.iter().filter(|(of, ..)| of == list);
            ("prices", own.map(|(_, of, own)| price(own, true, Some(of))).collect())
        }
        _ => return None,
    };
    Some(page(name, &rows, query))
}

fn json(status: u16, body: impl Into<Vec<u8>>) -> Response {
    Response::new(status, "application/json; charset=utf-8", body)
}

fn refused(Refusal(status, kind, message): Refusal) -> Response {
    json(status, format!("{{\"type\":\"{kind}\",\"message\":{}}}", text(&message)))
}

fn not_found() -> Response {
    let page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>Error</title>\n</head>\n\
                <body>\n<pre>Cannot GET</pre>\n</body>\n</html>\n";
    Response::html(404, page)
}
