//! Which of a variant's prices is meant, and how it is changed without touching those beside it.
//!
//! A write of a variant's prices replaces all of them: what is not sent back is gone. So each is
//! sent as it came, with its id, its rules and its bounds, and only the amount of one is another.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::value::RawValue;

use super::api::Price;
use super::store::PriceTarget;

/// What a region's prices have as their only condition.
const REGION: &str = "region_id";

impl PriceTarget {
    /// The code as the shop writes it.
    pub(super) fn code(&self) -> String {
        self.currency.code().to_lowercase()
    }

    /// Whether a price is of the kind that is meant.
    pub(super) fn is_of(&self, price: &Price<'_>) -> bool {
        price.currency_code.eq_ignore_ascii_case(self.currency.code())
            && price.is_for_any_quantity()
            && price.conditions() == Some(self.conditions())
    }

    fn conditions(&self) -> BTreeMap<String, String> {
        let of_region = self.region.iter().map(|region| (REGION.to_owned(), region.clone()));
        of_region.collect()
    }

    /// The one price that is meant; `None`: there is none yet. The error says why none can be told
    /// from the others.
    pub(super) fn pick<'p, 'a>(
        &self,
        prices: &'p [Price<'a>],
    ) -> Result<Option<&'p Price<'a>>, String> {
        let mut meant = prices.iter().filter(|price| self.is_of(price));
        match (meant.next(), meant.count()) {
            (found, 0) => Ok(found),
            (_, more) => Err(format!(
                "the store has {} prices of one kind in {} for it, and nobody knows which counts; \
                 none was used. Save the variant's prices anew in Medusa Admin",
                more + 1,
                self.currency
            )),
        }
    }

    /// All of a variant's prices as JSON, the one that is meant with another amount.
    pub(super) fn set_with(&self, prices: &[Price<'_>], amount: &str) -> String {
        let mut set = "[".to_owned();
        let mut is_there = false;
        for price in prices {
            let is_meant = self.is_of(price);
            is_there |= is_meant;
            let amount = if is_meant { amount } else { price.amount.get() };
            let comma = if set.len() > 1 { "," } else { "" };
            let (id, code) = (text(&price.id), text(&price.currency_code));
            let _ = write!(
                set,
                "{comma}{{\"id\":{id},\"currency_code\":{code},\"amount\":{amount},\
                 \"min_quantity\":{},\"max_quantity\":{},\"rules\":{}}}",
                raw(price.min_quantity, "null"),
                raw(price.max_quantity, "null"),
                raw(price.rules, "{}")
            );
        }
        if !is_there {
            let comma = if set.len() > 1 { "," } else { "" };
            let code = text(&self.code());
            let rules = self.rules();
            let _ = write!(
                set,
                "{comma}{{\"currency_code\":{code},\"amount\":{amount},\"rules\":{rules}}}"
            );
        }
        set.push(']');
        set
    }

    /// What a new price has as its rules.
    pub(super) fn rules(&self) -> String {
        serde_json::to_string(&self.conditions()).unwrap_or_else(|_| "{}".to_owned())
    }
}

/// A text as JSON.
pub(super) fn text(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn raw<'r>(value: Option<&'r RawValue>, otherwise: &'static str) -> &'r str {
    value.map_or(otherwise, RawValue::get)
}

#[cfg(test)]
mod tests {
    use crate::model::Currency;

    use super::*;

    const PRICES: &str = r#"[
        {"id":"p1","currency_code":"pln","amount":10.50,"min_quantity":null,"max_quantity":null,
         "rules":{}},
        {"id":"p2","currency_code":"eur","amount":2.3000000000000003,"min_quantity":null,
         "max_quantity":null,"rules":{}},
        {"id":"p3","currency_code":"eur","amount":9.99,"rules":{"region_id":"reg_1"}},
        {"id":"p4","currency_code":"eur","amount":2,"min_quantity":10,"max_quantity":null,
         "rules":{}}]"#;

    fn target(currency: &str, region: Option<&str>) -> PriceTarget {
        let currency = Currency::parse(currency).unwrap();
        PriceTarget { currency, decimals: 2, region: region.map(str::to_owned), list: None }
    }

    fn amount(target: &PriceTarget) -> Option<String> {
        let prices: Vec<Price<'_>> = serde_json::from_str(PRICES).unwrap();
        target.pick(&prices).unwrap().map(|price| price.amount.get().to_owned())
    }

    #[test]
    fn a_price_of_a_region_or_of_a_quantity_is_not_the_usual_one() {
        assert_eq!(amount(&target("EUR", None)).unwrap(), "2.3000000000000003");
        assert_eq!(amount(&target("EUR", Some("reg_1"))).unwrap(), "9.99");
        assert_eq!(amount(&target("EUR", Some("reg_2"))), None);
        assert_eq!(amount(&target("CZK", None)), None);
        let twice = PRICES.replace("pln", "eur");
        let prices: Vec<Price<'_>> = serde_json::from_str(&twice).unwrap();
        assert!(target("EUR", None).pick(&prices).unwrap_err().contains("2 prices"));
    }

    #[test]
    fn every_other_price_is_sent_back_as_it_came() {
        let prices: Vec<Price<'_>> = serde_json::from_str(PRICES).unwrap();
        let set = target("PLN", None).set_with(&prices, "12.34");
        assert_eq!(
            set,
            PRICES
                .replace("10.50", "12.34")
                .replace("9.99,", r#"9.99,"min_quantity":null,"max_quantity":null,"#)
                .replace(['\n', ' '], "")
        );
        let new = target("EUR", Some("reg_2")).set_with(&[], "5");
        assert_eq!(new, r#"[{"currency_code":"eur","amount":5,"rules":{"region_id":"reg_2"}}]"#);
    }
}
