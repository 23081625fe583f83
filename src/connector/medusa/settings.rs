//! The connector's keys in `[integrations.NAME]`.

use std::path::PathBuf;
use std::sync::Arc;

use super::connector::MedusaConnector;
use super::shared::{Share, SharedReading};
use super::store::{self, Store};
use crate::around::Around;
use crate::connector::http::{Client, HttpSettings, check_scheme, needed, site};
use crate::connector::{Connector, ConnectorError, Context, Settings, may_be_written};
use crate::model::{Currency, Section, StorePlaces};
use crate::settings::{Secret, Table, Text};

/// Which of a variant's numbers holds its EAN: shops fill one, another or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EanField {
    Ean,
    Barcode,
    Upc,
}

/// Which of an inventory level's figures is the quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QuantityField {
    /// What lies on the shelf.
    Stocked,
    /// That, less what orders have reserved and what has not been shipped yet.
    Available,
}

/// `[integrations.NAME]` of a Medusa shop, before its texts are resolved.
#[derive(Clone, Debug)]
pub(super) struct MedusaSettings {
    name: String,
    folder: PathBuf,
    http: HttpSettings,
    is_store: bool,
    url: Text,
    api_key: Text,
    values: ValueSettings,
}

/// What the reading and writing of values depends on.
#[derive(Clone, Debug)]
pub(super) struct ValueSettings {
    pub(super) ean_field: EanField,
    pub(super) quantity_field: QuantityField,
    /// Whether the shop's prices are meant to include tax; `None`: as they are.
    pub(super) prices_include_tax: Option<bool>,
    /// Whether stock is worked on, which must say where.
    pub(super) has_stock: bool,
    /// The price group's currency; `None` without a prices section.
    pub(super) currency: Option<Currency>,
}

impl MedusaSettings {
    /// Takes the keys out of the table. `None` where errors, added to its problems, leave none.
    pub(super) fn read(table: &mut Table<'_>, context: &Context) -> Option<MedusaSettings> {
        let name = table.name_of("url");
        let url = table.require("url").and_then(|entry| entry.text(&name));
        let api_key = table.secret("api_key");
        let eans = [("ean", EanField::Ean), ("barcode", EanField::Barcode), ("upc", EanField::Upc)];
        let ean_field = table.choice("ean_field", &eans).unwrap_or(EanField::Ean);
        let quantities = [
            ("stocked_quantity", QuantityField::Stocked),
            ("available_quantity", QuantityField::Available),
        ];
        let quantity_field = table.choice("quantity_field", &quantities);
        let prices_include_tax = table.bool("prices_include_tax");
        Some(MedusaSettings {
            name: context.name.clone(),
            folder: context.folder.clone(),
            http: context.http.clone(),
            is_store: context.is_store,
            url: url?,
            api_key: api_key?,
            values: ValueSettings {
                ean_field,
                quantity_field: quantity_field.unwrap_or(QuantityField::Stocked),
                prices_include_tax,
                has_stock: context.sections.contains(&Section::Stock),
                currency: context.currency,
            },
        })
    }

    /// Keys of the other kinds that a Medusa has are found at once by how they begin.
    fn key(&self) -> Result<Secret, ConnectorError> {
        let key = needed("api_key", &self.api_key, &self.folder)?;
        let is_plain = key.expose().bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        if is_plain && key.expose().starts_with("sk_") {
            return Ok(key);
        }
        Err(ConnectorError::usage(
            "`api_key` is no secret API key: it begins with sk_ (a publishable key, pk_, is \
             another kind). Make one in Medusa Admin → Settings → Secret API Keys",
        ))
    }
}

impl Settings for MedusaSettings {
    fn connect(
        &self,
        around: &Around,
        places: &StorePlaces,
    ) -> Result<Box<dyn Connector>, ConnectorError> {
        let store = Arc::new(self.store(around)?);
        let shared = Arc::new(SharedReading::of(1));
        let (values, places) = (self.values.clone(), places.clone());
        Ok(Box::new(MedusaConnector::new(store, values, places, Share { shared, number: 0 })))
    }

    /// One client, one reading of all variants.
    fn connect_all(
        &self,
        around: &Around,
        places: &[StorePlaces],
    ) -> Result<Vec<Box<dyn Connector>>, ConnectorError> {
        let store = Arc::new(self.store(around)?);
        let shared = Arc::new(SharedReading::of(places.len()));
        let made = places.iter().enumerate().map(|(number, places)| {
            let share = Share { shared: Arc::clone(&shared), number };
            let (values, places) = (self.values.clone(), places.clone());
            let connector = MedusaConnector::new(Arc::clone(&store), values, places, share);
            Box::new(connector) as Box<dyn Connector>
        });
        Ok(made.collect())
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn provides(&self, _: Section) -> Result<(), String> {
        Ok(())
    }

    fn can_write(&self, _: Section) -> Result<(), String> {
        may_be_written(self.is_store)
    }
}

impl MedusaSettings {
    fn store(&self, around: &Around) -> Result<Store, ConnectorError> {
        let url = needed("url", &self.url, &self.folder)?;
        let site = site(url.expose(), &["admin", "app", "store"])?;
        check_scheme(&site, &self.http)?;
        let key = self.key()?;
        let secrets = store::forms(&key);
        let client = Client::new(&self.http, &self.folder, around, &self.name, secrets)?;
        Ok(Store::new(client, self.name.clone(), site, key))
    }
}
