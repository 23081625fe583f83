//! Batches: each is applied whole or not at all.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::catalogue::{Catalogue, Level, Price, number};
use super::show::{Fields, price, text, variant};

/// A refusal: the status, the type and the message.
pub(super) struct Refusal(pub(super) u16, pub(super) &'static str, pub(super) String);

type Saved = Result<String, Refusal>;

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal(400, "invalid_data", message.into())
}

#[derive(Deserialize)]
struct Batch<T> {
    #[serde(default = "Vec::new")]
    update: Vec<T>,
    #[serde(default = "Vec::new")]
    create: Vec<T>,
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<Batch<T>, Refusal> {
    serde_json::from_slice(body).map_err(|why| invalid(format!("Invalid request: {why}")))
}

#[derive(Deserialize)]
struct LevelRow<'a> {
    inventory_item_id: String,
    location_id: String,
    #[serde(borrow)]
    stocked_quantity: &'a RawValue,
}

/// Levels: those to update must be there, those to create must not.
pub(super) fn levels(catalogue: &mut Catalogue, body: &[u8]) -> Saved {
    let batch: Batch<LevelRow<'_>> = parse(body)?;
    for (word, rows) in [("update", &batch.update), ("create", &batch.create)] {
        for (at, row) in rows.iter().enumerate() {
            let quantity = row.stocked_quantity.get();
            if quantity.starts_with('-') {
                return Err(invalid(format!(
                    "Invalid request: Value for field '{word}, {at}, stocked_quantity' too small, \
                     expected at least: '0'"
                )));
            }
            let (item, location) = (&row.inventory_item_id, &row.location_id);
            let is_there = catalogue.level(item, location).is_some();
            if is_there != (word == "update") {
                return Err(match is_there {
                    true => invalid(format!("Item {item} at {location} already exists.")),
                    false => {
                        let why = format!("Item {item} is not stocked at location {location}");
                        Refusal(404, "not_found", why)
                    }
                });
            }
            let mut owners = catalogue.variants.iter();
            if owners.any(|own| own.is_refused && own.items.iter().any(|(own, _)| own == item)) {
                return Err(invalid("The plugin says no."));
            }
        }
    }
    let mut echo = |rows: Vec<LevelRow<'_>>| {
        let rows = rows.into_iter().map(|row| {
            let (item, location) = (row.inventory_item_id, row.location_id);
            let reserved = catalogue.level(&item, &location).map(|level| level.reserved.clone());
            let reserved = reserved.unwrap_or_else(|| "0".to_owned());
            let stocked = number(row.stocked_quantity.get());
            let shown = format!(
                "{{\"inventory_item_id\":{},\"location_id\":{},\"stocked_quantity\":{stocked},\
                 \"reserved_quantity\":{reserved},\"available_quantity\":0}}",
                text(&item),
                text(&location)
            );
            catalogue.levels.insert((item, location), Level { stocked, reserved });
            shown
        });
        rows.collect::<Vec<_>>().join(",")
    };
    let (updated, created) = (echo(batch.update), echo(batch.create));
    Ok(format!("{{\"created\":[{created}],\"updated\":[{updated}]}}"))
}

#[derive(Deserialize)]
struct VariantRow<'a> {
    id: String,
    #[serde(borrow, default)]
    prices: Option<Vec<PriceRow<'a>>>,
}

#[derive(Deserialize)]
struct PriceRow<'a> {
    id: Option<String>,
    variant_id: Option<String>,
    currency_code: Option<String>,
    #[serde(borrow)]
    amount: &'a RawValue,
    #[serde(default)]
    rules: BTreeMap<String, String>,
    #[serde(default)]
    min_quantity: Option<u64>,
}

impl PriceRow<'_> {
    fn price(&self, variant: &str) -> Price {
        let currency = self.currency_code.clone().unwrap_or_default();
        let rules: Vec<_> = self.rules.values().cloned().collect();
        let new = || format!("price_{}_{currency}{}", &variant[8..], rules.join("_"));
        Price {
            id: self.id.clone().unwrap_or_else(new),
            amount: number(self.amount.get()),
            min_quantity: self.min_quantity,
            rules: self.rules.clone(),
            currency,
        }
    }
}

/// Variants: the prices that are sent replace all that a variant has; of two of one kind the last
/// one stays.
pub(super) fn variants(
    catalogue: &mut Catalogue,
    product: Option<&str>,
    fields: &Fields,
    body: &[u8],
) -> Saved {
    let batch: Batch<VariantRow<'_>> = parse(body)?;
    let is_here = |row: &VariantRow<'_>| {
        let mut all = catalogue.variants.iter();
        all.any(|own| own.id == row.id && product.is_none_or(|product| own.product == product))
    };
    let unknown = batch.update.iter().filter(|row| !is_here(row));
    let unknown: Vec<_> = unknown.map(|row| row.id.as_str()).collect();
    if !unknown.is_empty() {
        let ids = unknown.join(", ");
        return Err(invalid(format!("Cannot update non-existing variants with ids: {ids}")));
    }
    let is_refused = |row: &VariantRow<'_>| {
        catalogue.variants.iter().any(|own| own.id == row.id && own.is_refused)
    };
    if batch.update.iter().any(is_refused) {
        return Err(invalid("The plugin says no."));
    }
    for row in &batch.update {
        let own = catalogue.variants.iter_mut().find(|own| own.id == row.id);
        let (Some(own), Some(prices)) = (own, &row.prices) else { continue };
        let mut set: Vec<Price> = Vec::new();
        for price in prices.iter().map(|price| price.price(&row.id)) {
            set.retain(|known| !known.is_same_kind(&price));
            set.push(price);
        }
        own.prices = set;
    }
    let all = catalogue.variants.iter();
    let updated = all.filter(|own| batch.update.iter().any(|row| row.id == own.id));
    let updated: Vec<_> = updated.map(|own| variant(catalogue, own, fields)).collect();
    Ok(format!("{{\"created\":[],\"updated\":[{}],\"deleted\":{{}}}}", updated.join(",")))
}

/// Prices of a price list: what is created is added, whether there is such a one or not.
pub(super) fn list_prices(catalogue: &mut Catalogue, list: &str, body: &[u8]) -> Saved {
    let batch: Batch<PriceRow<'_>> = parse(body)?;
    for row in batch.update.iter().chain(&batch.create) {
        let variant = row.variant_id.as_deref().unwrap_or_default();
        let Some(own) = catalogue.variants.iter().find(|own| own.id == variant) else {
            return Err(invalid(format!("No price set exist for variants: {variant}")));
        };
        if own.is_refused {
            return Err(invalid("The plugin says no."));
        }
    }
    let mut updated = Vec::new();
    for row in &batch.update {
        let mut all = catalogue.listed.iter_mut();
        let Some((_, of, own)) = all.find(|(_, _, own)| Some(&own.id) == row.id.as_ref()) else {
            return Err(invalid("Cannot set field 'currency_code' of Price to null"));
        };
        own.amount = number(row.amount.get());
        updated.push(price(own, true, Some(of)));
    }
    let mut created = Vec::new();
    for row in &batch.create {
        let variant = row.variant_id.clone().unwrap_or_default();
        let mut new = row.price(&variant);
        new.id = format!("{}_{list}", new.id);
        created.push(price(&new, true, Some(&variant)));
        catalogue.listed.push((list.to_owned(), variant, new));
    }
    let (created, updated) = (created.join(","), updated.join(","));
    Ok(format!("{{\"created\":[{created}],\"updated\":[{updated}],\"deleted\":{{}}}}"))
}
