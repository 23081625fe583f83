//! Saving an item: what was sent, strictly checked or cast, and what the shop makes of it.

use serde_json::{Value, json};

use super::call::{Error, Invalid};
use super::catalogue::{Catalogue, Item, Kind};
use super::settings::Settings;
use super::show::number;

/// What a save sets. `None`: it was not sent.
#[derive(Default)]
pub(super) struct Changes {
    manage_stock: Option<bool>,
    quantity: Option<f64>,
    /// Undocumented: adds to the stock.
    delta: Option<f64>,
    backorders: Option<&'static str>,
    stock_status: Option<String>,
    regular_price: Option<String>,
    sale_price: Option<String>,
}

impl Changes {
    /// Of a single update: every value is checked; `null` clears.
    pub(super) fn strict(
        body: &Value,
        is_variation: bool,
        settings: &Settings,
    ) -> Result<Changes, Error> {
        let mut invalid = Invalid::default();
        for (name, value) in body.as_object().into_iter().flatten() {
            match (name.as_str(), value) {
                ("stock_quantity", value) if !is_stock(value, settings) => {
                    let expected = if settings.decimal_stock { "number" } else { "integer" };
                    invalid.wrong_type(name, expected);
                }
                ("regular_price" | "sale_price", value)
                    if !value.is_string() && !value.is_null() =>
                {
                    invalid.wrong_type(name, "string");
                }
                ("manage_stock", Value::String(word)) if is_variation && word == "parent" => {}
                ("manage_stock", value) if !is_boolean(value) => {
                    invalid.wrong_type(name, "boolean")
                }
                _ => {}
            }
        }
        invalid.result()?;
        let mut cleared = body.clone();
        for name in ["stock_quantity", "regular_price", "sale_price"] {
            if let Some(value) = cleared.get_mut(name).filter(|value| value.is_null()) {
                *value = json!("");
            }
        }
        Ok(Changes::cast(&cleared, settings))
    }

    /// Of an item of a batch: nothing is checked, everything is cast; `null` is ignored.
    pub(super) fn cast(item: &Value, settings: &Settings) -> Changes {
        let sent = |name: &str| item.get(name).filter(|value| !value.is_null());
        let text = |name| sent(name).and_then(Value::as_str);
        let backorders = text("backorders");
        Changes {
            manage_stock: sent("manage_stock").map(as_boolean),
            quantity: sent("stock_quantity").map(|value| as_stock(value, settings)),
            delta: sent("inventory_delta").map(|value| as_stock(value, settings)),
            backorders: ["no", "notify", "yes"].into_iter().find(|word| Some(*word) == backorders),
            stock_status: text("stock_status").map(str::to_owned),
            regular_price: sent("regular_price").map(|value| as_price(value, settings)),
            sale_price: sent("sale_price").map(|value| as_price(value, settings)),
        }
    }

    /// Saves the changes. Whatever the item cannot have is ignored without a word.
    pub(super) fn save(
        &self,
        catalogue: &mut Catalogue,
        settings: &Settings,
        id: u64,
    ) -> Result<(), Error> {
        let keeps_parent_stock = catalogue
            .find(id)
            .and_then(|item| catalogue.parent(item))
            .is_some_and(|parent| parent.manages_stock);
        let Some(item) = catalogue.find_mut(id) else { return Err(Error::no_product(400)) };
        if let Some((code, message)) = item.refusal {
            return Err(Error::new(400, code, message));
        }
        if item.kind == Kind::External && self.manage_stock == Some(true) {
            let code = "product_external_invalid_manage_stock";
            return Err(Error::new(400, code, "External products cannot be stock managed."));
        }
        self.set_prices(item);
        if !matches!(item.kind, Kind::External | Kind::Grouped) {
            self.set_stock(item, settings, keeps_parent_stock);
        }
        catalogue.touch(id);
        Ok(())
    }

    /// A sale price at or above the regular one is dropped.
    fn set_prices(&self, item: &mut Item) {
        if matches!(item.kind, Kind::Variable | Kind::Grouped) {
            return;
        }
        if let Some(price) = &self.regular_price {
            item.regular_price.clone_from(price);
        }
        if let Some(price) = &self.sale_price {
            item.sale_price.clone_from(price);
        }
        let was_set = self.regular_price.is_some() || self.sale_price.is_some();
        if was_set && number(&item.sale_price) >= number(&item.regular_price) {
            item.sale_price.clear();
        }
    }

    fn set_stock(&self, item: &mut Item, settings: &Settings, keeps_parent_stock: bool) {
        if !settings.manage_stock {
            if let Some(status) = &self.stock_status {
                item.stock_status.clone_from(status);
            }
            return;
        }
        item.manages_stock = self.manage_stock.unwrap_or(item.manages_stock);
        if item.manages_stock {
            item.backorders = self.backorders.unwrap_or(item.backorders);
        } else if !keeps_parent_stock {
            item.quantity = None;
            if let Some(status) = &self.stock_status {
                item.stock_status.clone_from(status);
            }
            return;
        }
        let stored = || number(item.quantity.as_deref().unwrap_or("0"));
        let quantity = self.quantity.or_else(|| self.delta.map(|delta| stored() + delta));
        if let Some(quantity) = quantity {
            item.quantity = Some(quantity.to_string());
        } else if item.manages_stock && item.quantity.is_none() {
            item.quantity = Some("0".to_owned());
        }
    }
}

fn is_stock(value: &Value, settings: &Settings) -> bool {
    let number = match value {
        Value::Null => return true,
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.is_some_and(|number| settings.decimal_stock || number.fract() == 0.0)
}

fn is_boolean(value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::Number(number) => matches!(number.as_i64(), Some(0 | 1)),
        Value::String(word) => ["true", "false", "1", "0"].contains(&word.as_str()),
        _ => false,
    }
}

/// Every text but `yes`, `true` and `1` is no, `parent` too.
fn as_boolean(value: &Value) -> bool {
    match value {
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_i64() == Some(1),
        Value::String(word) => ["yes", "true", "1"].contains(&word.to_lowercase().as_str()),
        _ => false,
    }
}

/// A stock as PHP casts it: `"abc"` is 0, `true` is 1, a fraction goes unless a plugin keeps it.
fn as_stock(value: &Value, settings: &Settings) -> f64 {
    let number = match value {
        Value::Bool(is) => f64::from(u8::from(*is)),
        Value::Number(number) => number.as_f64().unwrap_or(0.0),
        Value::String(text) => leading_number(text),
        _ => 0.0,
    };
    if settings.decimal_stock {
        number
    } else if number.abs() >= 9.3e18 {
        0.0
    } else {
        number.trunc()
    }
}

/// The number that a text starts with, else 0.
fn leading_number(text: &str) -> f64 {
    let text = text.trim();
    let ends = (1..=text.len()).rev().filter(|end| text.is_char_boundary(*end));
    let numbers = ends.filter_map(|end| text[..end].parse::<f64>().ok());
    numbers.into_iter().find(|number| number.is_finite()).unwrap_or(0.0)
}

/// A price as WooCommerce cleans it: only digits, signs and marks stay. `"abc"` deletes it, and a
/// comma is a mark only where the shop's decimal sign is one.
fn as_price(value: &Value, settings: &Settings) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "1".to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let text = text.replace(settings.decimal_separator, ".");
    text.chars().filter(|sign| sign.is_ascii_digit() || ".-".contains(*sign)).collect()
}
