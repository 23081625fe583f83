//! One shop: its address, its key, what it has, and how it is asked.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::api::{
    Currencies, Locations, Place, Preferences, PriceLists, Regions, StoreCurrency, Stores,
};
use super::diagnose;
use crate::connector::ConnectorError;
use crate::connector::http::{
    AUTHORIZATION, Answer, Authentication, Client, HeaderMap, HeaderValue, HttpError, Method,
    Request, Url,
};
use crate::model::{Currency, StorePlaceKind, StorePlaces};
use crate::settings::Secret;

/// The most rows that are asked for at once. Medusa has no limit; a thousand variants are 1.1 MB.
pub(super) const PAGE: usize = 1000;
/// How many of a shop's places an error lists.
const LISTED: usize = 20;

/// A shop and what is known of it.
pub(super) struct Store {
    pub(super) client: Client,
    /// The integration's name.
    pub(super) name: String,
    site: Url,
    key: Key,
    locations: OnceLock<Vec<Place>>,
}

/// A secret key, sent by HTTP Basic as the user, without a password.
struct Key(Secret);

impl Authentication for Key {
    fn sign(&self, _: &str, _: &mut Url, headers: &mut HeaderMap) {
        let text = format!("Basic {}", BASE64.encode(format!("{}:", self.0.expose())));
        if let Ok(mut value) = HeaderValue::from_str(&text) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
    }
}

/// Every form in which the key travels: what must never be shown.
pub(super) fn forms(key: &Secret) -> Vec<Secret> {
    vec![key.clone(), Secret::new(BASE64.encode(format!("{}:", key.expose())))]
}

/// Which prices of the shop are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PriceTarget {
    pub(super) currency: Currency,
    /// The decimals that a price has in it.
    pub(super) decimals: u32,
    /// The region that they are for; `None`: everywhere.
    pub(super) region: Option<String>,
    /// The price list that they are in; `None`: the variants' own prices.
    pub(super) list: Option<String>,
}

impl Store {
    /// Nothing is asked yet.
    pub(super) fn new(client: Client, name: String, site: Url, key: Secret) -> Store {
        Store { client, name, site, key: Key(key), locations: OnceLock::new() }
    }

    /// Reads what stands at a path below `admin/`.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer<T>, ConnectorError> {
        let mut url = self.address(path);
        url.query_pairs_mut().extend_pairs(query);
        let request = Request { method: Method::Get, url, body: None, auth: Some(&self.key) };
        self.client.read(&request).map_err(diagnose::explain)
    }

    /// Writes absolute values.
    pub(super) fn write(
        &self,
        path: &str,
        fields: Option<&str>,
        body: String,
    ) -> Result<Answer<Box<RawValue>>, HttpError> {
        let mut url = self.address(path);
        if let Some(fields) = fields {
            url.query_pairs_mut().append_pair("fields", fields);
        }
        let auth = Some(&self.key as &dyn Authentication);
        self.client.write(&Request { method: Method::Post, url, body: Some(body), auth })
    }

    fn address(&self, path: &str) -> Url {
        let mut url = self.site.clone();
        url.set_path(&format!("{}admin/{path}", self.site.path()));
        url
    }

    /// Says something for who looks closely (`-v`).
    pub(super) fn detail(&self, message: &str) {
        self.client.around().progress.detail(&format!("{}: {message}", self.name));
    }

    /// All stock locations; asked once.
    pub(super) fn locations(&self) -> Result<&[Place], ConnectorError> {
        if let Some(known) = self.locations.get() {
            return Ok(known);
        }
        let found: Locations = self.list("stock-locations", "id,name")?;
        Ok(self.locations.get_or_init(|| found.stock_locations))
    }

    fn list<T: DeserializeOwned>(&self, path: &str, fields: &str) -> Result<T, ConnectorError> {
        let limit = PAGE.to_string();
        Ok(self.read(path, &[("limit", &limit), ("fields", fields)])?.value)
    }

    /// The id of the stock location that the config names, or of the only one. The inner error says
    /// why none can be chosen.
    pub(super) fn location(
        &self,
        places: &StorePlaces,
    ) -> Result<Result<String, String>, ConnectorError> {
        let all = self.locations()?;
        if let Some(named) = places.location() {
            return self.choose(StorePlaceKind::Location, named, all).map(Ok);
        }
        Ok(match all {
            [only] => Ok(only.id.clone()),
            [] => {
                Err("the store has no stock location, so that no stock can be read or sent. Make \
                       one in Medusa Admin → Settings → Locations & Shipping"
                    .to_owned())
            }
            several => Err(format!(
                "the store has several stock locations; say which one is meant with `location` in \
                 the stock section: {}",
                self.listed(several)
            )),
        })
    }

    /// Which prices are meant. The inner error says why none can be used.
    pub(super) fn price_target(
        &self,
        places: &StorePlaces,
        currency: Option<Currency>,
    ) -> Result<Result<PriceTarget, String>, ConnectorError> {
        let supported = self.supported_currencies()?;
        // Without a price group, as for `list`, what the shop sells in most is shown.
        let Some(currency) = currency.or_else(|| supported.first().copied()) else {
            return Ok(Err("the store sells in no currency; no price was used".to_owned()));
        };
        let region = places.get(StorePlaceKind::Region);
        let region = region.map(|named| self.region(named)).transpose()?;
        let list = places.get(StorePlaceKind::PriceList);
        let list = list.map(|named| self.price_list(named)).transpose()?;
        if !supported.contains(&currency) {
            let all: Vec<_> = supported.iter().map(ToString::to_string).collect();
            return Ok(Err(format!(
                "the store does not sell in {currency}, the price group's currency, but in {}; no \
                 price was used",
                all.join(", ")
            )));
        }
        if let Some(region) = &region
            && let Some(own) = region.currency_code.text().and_then(Currency::parse)
            && own != currency
        {
            return Ok(Err(format!(
                "the region {} sells in {own}, and the price group's currency is {currency}; no \
                 price was used",
                self.shown(region)
            )));
        }
        let decimals = self.decimals(currency)?;
        let (region, list) = (region.map(|region| region.id), list.map(|list| list.id));
        Ok(Ok(PriceTarget { currency, decimals, region, list }))
    }

    fn region(&self, named: &str) -> Result<Place, ConnectorError> {
        let all: Regions = self.list("regions", "id,name,currency_code")?;
        self.chosen(StorePlaceKind::Region, named, &all.regions)
    }

    fn price_list(&self, named: &str) -> Result<Place, ConnectorError> {
        let all: PriceLists = self.list("price-lists", "id,title")?;
        self.chosen(StorePlaceKind::PriceList, named, &all.price_lists)
    }

    /// The currencies that the shop sells in, its usual one first.
    fn supported_currencies(&self) -> Result<Vec<Currency>, ConnectorError> {
        let fields = "supported_currencies.currency_code,supported_currencies.is_default";
        let found: Stores = self.list("stores", fields)?;
        let mut all: Vec<StoreCurrency> =
            found.stores.into_iter().flat_map(|store| store.supported_currencies).collect();
        all.sort_by_key(|currency| !currency.is_default);
        Ok(all.iter().filter_map(|currency| Currency::parse(&currency.currency_code)).collect())
    }

    fn decimals(&self, currency: Currency) -> Result<u32, ConnectorError> {
        let code = currency.code().to_lowercase();
        let query = [("code[]", code.as_str()), ("fields", "code,decimal_digits")];
        let found: Currencies = self.read("currencies", &query)?.value;
        let own = found.currencies.iter().find(|row| row.code == code);
        Ok(own.and_then(|row| row.decimal_digits).unwrap_or(currency.decimals()))
    }

    /// Whether prices of this kind are entered with tax; `None` where the shop does not say.
    pub(super) fn prices_include_tax(
        &self,
        target: &PriceTarget,
    ) -> Result<Option<bool>, ConnectorError> {
        let found: Preferences =
            self.list("price-preferences", "attribute,value,is_tax_inclusive")?;
        let code = target.currency.code().to_lowercase();
        let flag = |attribute: &str, value: &str| {
            let mut all = found.price_preferences.iter();
            all.find(|own| own.attribute == attribute && own.value.as_deref() == Some(value))
                .map(|own| own.is_tax_inclusive)
        };
        let of_region = target.region.as_ref().and_then(|region| flag("region_id", region));
        Ok(of_region.or_else(|| flag("currency_code", &code)))
    }

    /// Names everything that a config may name, for `check`.
    pub(super) fn tell_places(&self) -> Result<(), ConnectorError> {
        let regions: Regions = self.list("regions", "id,name,currency_code")?;
        let lists: PriceLists = self.list("price-lists", "id,title")?;
        let all = [
            ("stock locations", self.locations()?),
            ("regions", &regions.regions),
            ("price lists", &lists.price_lists),
        ];
        for (what, places) in all.into_iter().filter(|(_, places)| !places.is_empty()) {
            let message = format!("{}: {what}: {}", self.name, self.listed(places));
            self.client.around().progress.note(&message);
        }
        Ok(())
    }

    fn choose(
        &self,
        kind: StorePlaceKind,
        named: &str,
        all: &[Place],
    ) -> Result<String, ConnectorError> {
        self.chosen(kind, named, all).map(|place| place.id)
    }

    /// The place with this id, or else the only one with this name.
    fn chosen(
        &self,
        kind: StorePlaceKind,
        named: &str,
        all: &[Place],
    ) -> Result<Place, ConnectorError> {
        if let Some(place) = all.iter().find(|place| place.id == named) {
            return Ok(place.clone());
        }
        let of_name: Vec<_> =
            all.iter().filter(|place| place.name.text() == Some(named)).cloned().collect();
        let (what, key) = (kind.shown(), kind.word());
        match of_name.as_slice() {
            [only] => Ok(only.clone()),
            [] if all.is_empty() => {
                Err(ConnectorError::mapping(format!("`{key}`: the store has no {what} at all")))
            }
            [] => Err(ConnectorError::mapping(format!(
                "`{key}`: the store has no {what} of that id or name; it has {}",
                self.listed(all)
            ))),
            several => Err(ConnectorError::mapping(format!(
                "`{key}`: several are named so; give the id instead: {}",
                self.listed(several)
            ))),
        }
    }

    /// `"Main" (sloc_1), "Second" (sloc_2)`.
    fn listed(&self, places: &[Place]) -> String {
        let mut all: Vec<_> = places.iter().take(LISTED).map(|place| self.shown(place)).collect();
        if places.len() > LISTED {
            all.push(format!("and {} more", places.len() - LISTED));
        }
        all.join(", ")
    }

    fn shown(&self, place: &Place) -> String {
        let name: String = place.name.text().unwrap_or_default().chars().take(60).collect();
        self.client.scrub(&format!("\"{}\" ({})", name.escape_debug(), place.id))
    }
}
