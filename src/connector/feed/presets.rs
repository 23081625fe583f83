//! Presets: mappings of well-known feeds, in the language of the config, that stand in for the keys
//! an integration does not have itself. One file each in `presets/`.

use std::sync::OnceLock;

use toml::de::DeTable;

use crate::settings::nearest;

/// The mapping of a family of feeds.
#[derive(Debug)]
pub struct Preset {
    /// The value of `preset`. Several forms of one family share it, each for its connector.
    pub name: &'static str,
    /// The keys, with comments; the first line says what it is.
    pub text: &'static str,
    keys: OnceLock<DeTable<'static>>,
}

macro_rules! presets {
    ($($name:literal $file:literal)*) => {
        /// All presets by name; of several forms the first one is meant where nothing else says.
        pub static PRESETS: [Preset; [$($name),*].len()] = [$(
            Preset {
                name: $name,
                text: include_str!(concat!("presets/", $file, ".toml")),
                keys: OnceLock::new(),
            },
        )*];
    };
}

presets! {
    "bmecat" "bmecat"
    "bmecat-1.2" "bmecat-1.2"
    "bmecat-2005" "bmecat-2005"
    "ceneo" "ceneo"
    "google-merchant" "google-merchant"
    "google-merchant" "google-merchant-csv"
    "heureka" "heureka"
    "idealo" "idealo"
    "iof" "iof"
    "meta" "meta"
    "prestashop-stock" "prestashop-stock"
    "shopify-inventory" "shopify-inventory"
    "shopify-products" "shopify-products"
    "woocommerce-csv" "woocommerce-csv"
    "yml" "yml"
    "zbozi" "zbozi"
}

impl Preset {
    /// The keys that stand in.
    pub fn keys(&self) -> &DeTable<'static> {
        // A test reads them all, so that none is ever without keys.
        self.keys.get_or_init(|| {
            DeTable::parse(self.text).map(toml::Spanned::into_inner).unwrap_or_default()
        })
    }

    /// The connector that it is for.
    pub fn connector(&self) -> &str {
        self.keys().get("connector").and_then(|value| value.get_ref().as_str()).unwrap_or("")
    }

    /// What it is, in a few words.
    pub fn about(&self) -> &'static str {
        self.text.lines().next().unwrap_or("").trim_start_matches(['#', ' '])
    }

    /// Whether it can be used with a connector: tables of text and sheets have columns alike.
    pub fn fits(&self, connector: &str) -> bool {
        let own = self.connector();
        own == connector || (own == "csv" && connector == "xlsx")
    }
}

/// The preset of a name, in the form for a connector where one is named. The error says what there
/// is.
pub fn find(name: &str, connector: Option<&str>) -> Result<&'static Preset, String> {
    let forms: Vec<_> = PRESETS.iter().filter(|preset| preset.name == name).collect();
    let Some(first) = forms.first() else {
        let mut names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
        names.dedup();
        let near = nearest(name, names.iter().copied());
        let hint = near.map(|near| format!("did you mean \"{near}\"? ")).unwrap_or_default();
        return Err(format!("unknown preset: {hint}known are {}", names.join(", ")));
    };
    let Some(connector) = connector else { return Ok(first) };
    forms.iter().find(|preset| preset.fits(connector)).copied().ok_or_else(|| {
        let own: Vec<_> =
            forms.iter().map(|preset| format!("\"{}\"", preset.connector())).collect();
        format!("this preset is for the connector {}", own.join(" or "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_found_by_its_name_and_says_what_it_is() {
        for preset in &PRESETS {
            assert!(preset.text.starts_with("# "), "{}", preset.name);
            assert!(!preset.connector().is_empty(), "{}", preset.name);
            assert!(find(preset.name, Some(preset.connector())).is_ok(), "{}", preset.name);
        }
        assert_eq!(find("google-merchant", None).unwrap().connector(), "xml");
        assert_eq!(find("google-merchant", Some("xlsx")).unwrap().connector(), "csv");
        assert!(find("iof", Some("json")).unwrap_err().contains("is for the connector \"xml\""));
        assert!(find("huereka", None).unwrap_err().contains("did you mean \"heureka\"?"));
    }
}
