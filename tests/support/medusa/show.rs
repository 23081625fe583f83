//! Rows as the API shows them: by the fields that were asked for, and in pages.

use std::collections::BTreeMap;

use super::super::woocommerce::http::Query;
use super::catalogue::{Catalogue, Price, Variant};

/// A JSON text.
pub(super) fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn optional(value: Option<&str>) -> String {
    value.map_or_else(|| "null".to_owned(), text)
}

/// The fields that a request asks for.
pub(super) struct Fields(Vec<String>);

impl Fields {
    pub(super) fn of(query: &Query) -> Fields {
        let fields = query.get("fields").unwrap_or_default();
        Fields(fields.split(',').map(str::to_owned).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|field| field == name)
    }

    fn has_below(&self, name: &str) -> bool {
        self.0.iter().any(|field| field.starts_with(name))
    }
}

/// A page of rows with its count, as `{"name": […], "count": …}`.
pub(super) fn page(name: &str, rows: &[String], query: &Query) -> String {
    let number = |key: &str, otherwise: usize| {
        query.get(key).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (limit, offset) = (number("limit", 50), number("offset", 0));
    let shown: Vec<_> = rows.iter().skip(offset).take(limit).cloned().collect();
    format!(
        "{{\"{name}\":[{}],\"count\":{},\"offset\":{offset},\"limit\":{limit}}}",
        shown.join(","),
        rows.len()
    )
}

/// A variant. Without the rules of its prices asked for, every price looks like the usual one.
pub(super) fn variant(catalogue: &Catalogue, variant: &Variant, fields: &Fields) -> String {
    let mut members = vec![format!("\"id\":{}", text(&variant.id))];
    let mut add = |name: &str, value: String| {
        if fields.has(name) {
            members.push(format!("\"{name}\":{value}"));
        }
    };
    add("product_id", text(&variant.product));
    add("title", text(&variant.title));
    add("sku", if variant.sku.is_empty() { "null".to_owned() } else { text(&variant.sku) });
    add("ean", optional(variant.ean.as_deref()));
    add("barcode", "null".to_owned());
    add("upc", "null".to_owned());
    add("manage_inventory", variant.manages.to_string());
    if fields.has("product.title") {
        members.push(format!("\"product\":{{\"title\":{}}}", text(&variant.product_title)));
    }
    if fields.has_below("inventory_items.") {
        let items: Vec<_> = match variant.manages {
            true => variant.items.iter().map(|(item, n)| item_link(catalogue, item, *n)).collect(),
            false => Vec::new(),
        };
        members.push(format!("\"inventory_items\":[{}]", items.join(",")));
    }
    if fields.has_below("prices.") {
        let rules = fields.has("prices.price_rules.attribute");
        let prices: Vec<_> = variant.prices.iter().map(|own| price(own, rules, None)).collect();
        members.push(format!("\"prices\":[{}]", prices.join(",")));
    }
    format!("{{{}}}", members.join(","))
}

fn item_link(catalogue: &Catalogue, item: &str, required: u32) -> String {
    let levels = catalogue.levels.iter().filter(|((of, _), _)| of == item);
    let levels: Vec<_> = levels
        .map(|((_, location), level)| {
            format!(
                "{{\"location_id\":{},\"stocked_quantity\":{},\"reserved_quantity\":{}}}",
                text(location),
                level.stocked,
                level.reserved
            )
        })
        .collect();
    format!(
        "{{\"inventory_item_id\":{0},\"required_quantity\":{required},\"inventory\":{{\"id\":{0},\
         \"location_levels\":[{1}]}}}}",
        text(item),
        levels.join(",")
    )
}

/// A price of a variant, or of a price list, which also says whose it is.
pub(super) fn price(price: &Price, shows_rules: bool, variant: Option<&str>) -> String {
    let Price { id, currency, amount, min_quantity, rules } = price;
    let min = min_quantity.map_or_else(|| "null".to_owned(), |from| from.to_string());
    let none = BTreeMap::new();
    let rules = if shows_rules { rules } else { &none };
    let conditions = match variant {
        Some(variant) => {
            let rules = rules.iter().map(|(attribute, value)| {
                format!("{{\"attribute\":{},\"value\":{}}}", text(attribute), text(value))
            });
            let rules: Vec<_> = rules.collect();
            let variant = text(variant);
            format!(
                "\"price_set\":{{\"variant\":{{\"id\":{variant}}}}},\"price_rules\":[{}]",
                rules.join(",")
            )
        }
        None => format!("\"rules\":{}", serde_json::to_string(rules).unwrap()),
    };
    format!(
        "{{\"id\":{},\"currency_code\":{},\"amount\":{amount},\"min_quantity\":{min},\
         \"max_quantity\":null,{conditions}}}",
        text(id),
        text(currency)
    )
}
