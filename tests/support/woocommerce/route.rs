//! From a request to what answers it: the web server, WordPress, the routes of the API.

use serde_json::Value;

use super::auth::Door;
use super::batch::Desk;
use super::call::{Call, Caller, Error, Right};
use super::catalogue::{Catalogue, Kind};
use super::fields::Fields;
use super::http::{Query, Request, Response};
use super::list::{ListOf, list};
use super::settings::Settings;
use super::show::View;
use super::{info, pages};

/// What nginx takes for a request line.
const TARGET_LIMIT_BYTES: usize = 8_180;

/// A shop that answers one request.
pub(super) struct Server<'a> {
    pub(super) desk: Desk<'a>,
    pub(super) door: Door<'a>,
}

impl Server<'_> {
    pub(super) fn answer(&mut self, request: &Request) -> Response {
        let settings = self.door.settings;
        if request.target.len() > TARGET_LIMIT_BYTES {
            return pages::of_status(414);
        }
        if request.body.len() > settings.body_limit_bytes {
            return pages::of_status(413);
        }
        let query = request.query();
        match api_path(request, &query, settings) {
            Some(path) => self.api(request, query, &path).unwrap_or_else(|error| error.response()),
            None => outside(request, settings),
        }
    }

    fn api(&mut self, request: &Request, query: Query, path: &str) -> Result<Response, Error> {
        let settings = self.door.settings;
        // WooCommerce looks at its keys only where the address has this in it.
        let takes_keys = settings.woocommerce_active && request.target.contains("wp-json/wc/");
        let caller = if takes_keys { self.door.caller(request, &query)? } else { Caller::Nobody };
        let body = match request.json() {
            Some(Err(why)) => return Err(Error::invalid_json(&why.to_string())),
            Some(Ok(body)) => Some(body),
            None => None,
        };
        let site = site(request, settings);
        let url = format!("{site}/wp-json/{path}");
        let call = Call { query, body, caller, url };
        let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
        let root = format!("<{site}/wp-json/>; rel=\"https://api.w.org/\"");
        let mut response = match (request.method.as_str(), parts.as_slice()) {
            ("GET" | "HEAD", []) => shown(&info::index(settings, &site), &call),
            (_, ["wc", "v3", ..]) if !settings.woocommerce_active => return Err(Error::no_route()),
            ("GET" | "HEAD", ["wc", "v3", rest @ ..]) => self.read(&call, rest, &site)?,
            ("POST" | "PUT" | "PATCH", ["wc", "v3", rest @ ..]) => self.write(&call, rest)?,
            _ => return Err(Error::no_route()),
        };
        if !response.headers.iter().any(|(name, _)| name == "Link") {
            response.set("Link", root);
        }
        Ok(response)
    }

    fn read(&self, call: &Call, parts: &[&str], site: &str) -> Result<Response, Error> {
        let (catalogue, settings) = (&*self.desk.catalogue, self.desk.settings);
        let value = match *parts {
            [] => info::namespace(),
            ["products"] => return list(catalogue, settings, call, ListOf::Products),
            ["products", id] => {
                return one(catalogue, settings, call, None, number(id)?);
            }
            ["products", parent, "variations"] => {
                return list(catalogue, settings, call, ListOf::OneParent(number(parent)?));
            }
            ["products", parent, "variations", id] => {
                return one(catalogue, settings, call, Some(number(parent)?), number(id)?);
            }
            ["variations"] if settings.since([10, 3, 0]) => {
                return list(catalogue, settings, call, ListOf::AllVariations);
            }
            ["system_status"] => info::system_status(settings, site),
            ["data", "currencies", "current"] => info::currency(settings),
            ["settings", group, id] => {
                call.may(Right::List)?;
                info::setting(settings, group, id)?
            }
            _ => return Err(Error::no_route()),
        };
        if !parts.is_empty() {
            call.may(Right::List)?;
        }
        Ok(shown(&value, call))
    }

    fn write(&mut self, call: &Call, parts: &[&str]) -> Result<Response, Error> {
        match *parts {
            ["products", "batch"] => self.desk.products(call),
            ["products", id] => self.desk.update_product(call, number(id)?),
            ["products", parent, "variations", "batch"] => {
                self.desk.variations(call, number(parent)?)
            }
            ["products", parent, "variations", id] => {
                self.desk.update_variation(call, number(parent)?, number(id)?)
            }
            _ => Err(Error::no_route()),
        }
    }
}

/// A product by its id; a variation is found so too, or under its parent.
fn one(
    catalogue: &Catalogue,
    settings: &Settings,
    call: &Call,
    parent: Option<u64>,
    id: u64,
) -> Result<Response, Error> {
    call.may(Right::View)?;
    let found = catalogue.find(id);
    let item = match parent {
        None => found.ok_or_else(|| Error::no_product(404))?,
        Some(parent) => found
            .filter(|item| item.kind == Kind::Variation && item.parent == parent)
            .ok_or_else(|| Error::no_variation(404))?,
    };
    // Other than in lists the links stay.
    let fields = Fields::of(&call.query).map(|fields| fields.and(&["_links"]));
    Ok(Response::json(200, &View::new(catalogue, settings).row(item, fields.as_ref())))
}

/// An id in a path; another text is another path.
fn number(text: &str) -> Result<u64, Error> {
    text.parse().map_err(|_| Error::no_route())
}

fn shown(value: &Value, call: &Call) -> Response {
    let fields = Fields::of(&call.query);
    Response::json(200, &fields.map_or_else(|| value.clone(), |fields| fields.cut(value)))
}

/// The site's address as WordPress sees it.
fn site(request: &Request, settings: &Settings) -> String {
    let host = request.header("host").unwrap_or_default();
    format!("{}://{host}{}", settings.scheme(), settings.folder)
}

/// The path below the API's root. With plain permalinks only `rest_route` leads there.
fn api_path(request: &Request, query: &Query, settings: &Settings) -> Option<String> {
    let path = request.path().strip_prefix(settings.folder)?;
    let by_path = path.strip_prefix("/wp-json").filter(|_| !settings.plain_permalinks);
    let by_path = by_path.filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let by_query = query.get("rest_route");
    by_query.or(by_path).map(|path| path.trim_matches('/').to_owned())
}

/// Everything that is not the API. With plain permalinks WordPress sends every address to itself
/// with a slash behind it, and shows the home page there.
fn outside(request: &Request, settings: &Settings) -> Response {
    let (site, path) = (site(request, settings), request.path());
    let Some(path_in_site) = path.strip_prefix(settings.folder) else { return pages::not_found() };
    if settings.plain_permalinks {
        if request.method == "GET" && !path.ends_with('/') {
            let query = request.target.split_once('?');
            let query = query.map(|(_, query)| format!("?{query}")).unwrap_or_default();
            let target =
                format!("{}://{}", settings.scheme(), request.header("host").unwrap_or_default());
            return Response::html(301, "").with("Location", format!("{target}{path}/{query}"));
        }
        return pages::home(&format!("{site}/index.php?rest_route=/"));
    }
    match path_in_site {
        "" | "/" => pages::home(&format!("{site}/wp-json/")),
        _ => pages::not_found(),
    }
}
