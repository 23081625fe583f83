//! Which integrations a command works on.

use anyhow::Result;
use clap::Args;

use super::context::usage;
use crate::config::{Config, Integration};
use crate::model::{Direction, Section};
use crate::settings::nearest;

/// Names, or all.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Names {
    /// The integrations
    #[arg(value_name = "NAME", conflicts_with = "all")]
    pub(super) names: Vec<String>,

    /// Every integration of the config that has something to do
    #[arg(long)]
    pub(super) all: bool,
}

impl Names {
    /// All where none is named.
    pub(super) fn or_all(self) -> Names {
        Names { all: self.all || self.names.is_empty(), ..self }
    }

    /// The integrations that have a section of one of these directions; without any direction
    /// all that are named. Each counts once.
    pub(super) fn select<'c>(
        &self,
        config: &'c Config,
        directions: &[Direction],
        only: Option<Section>,
    ) -> Result<Vec<&'c Integration>> {
        let fits = |integration: &Integration| has_section(integration, directions, only);
        if self.all {
            return Ok(config.integrations.iter().filter(|i| fits(i)).collect());
        }
        if self.names.is_empty() {
            return Err(usage(format!("name an integration, or use --all; {}", known(config))));
        }
        let mut selected: Vec<&Integration> = Vec::new();
        for name in &self.names {
            let integration = one(config, name)?;
            if !fits(integration) {
                return Err(usage(lacks_section(name, directions, only)));
            }
            if !selected.iter().any(|other| other.name == *name) {
                selected.push(integration);
            }
        }
        Ok(selected)
    }
}

/// The integration of this name.
pub(super) fn one<'c>(config: &'c Config, name: &str) -> Result<&'c Integration> {
    config.integration(name).ok_or_else(|| {
        let names = config.integrations.iter().map(|integration| integration.name.as_str());
        let hint = match nearest(name, names) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => String::from(";"),
        };
        usage(format!("there is no integration `{name}`{hint} {}", known(config)))
    })
}

fn known(config: &Config) -> String {
    let names: Vec<_> = config.integrations.iter().map(|i| format!("`{}`", i.name)).collect();
    match names.as_slice() {
        [] => format!("{} has no integrations yet", config.path.display()),
        _ => format!("{} has {}", config.path.display(), names.join(", ")),
    }
}

fn has_section(integration: &Integration, directions: &[Direction], only: Option<Section>) -> bool {
    directions.is_empty()
        || directions.iter().any(|direction| {
            let mut sections = integration.sections(*direction);
            sections.any(|(section, _)| only.is_none_or(|only| only == section))
        })
}

/// What is said where an integration has nothing to do.
pub(super) fn lacks_section(name: &str, directions: &[Direction], only: Option<Section>) -> String {
    let words: Vec<_> = directions
        .iter()
        .map(|direction| match direction {
            Direction::Download => "direction = \"download\"",
            Direction::Send => "direction = \"send\"",
            Direction::Off => "direction = \"off\"",
        })
        .collect();
    let what = match only {
        Some(section) => format!("no section `{}`", section.word()),
        None => String::from("no section"),
    };
    format!("`{name}` has {what} with {} in the config", words.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::{Connector, ConnectorError, Registration, Settings};
    use crate::settings::Document;

    #[derive(Debug)]
    struct Nobody;

    impl Settings for Nobody {
        fn connect(
            &self,
            _: &crate::around::Around,
            _: &crate::model::StorePlaces,
        ) -> Result<Box<dyn Connector>, ConnectorError> {
            Err(ConnectorError::usage("nobody"))
        }

        fn provides(&self, _: Section) -> Result<(), String> {
            Ok(())
        }

        fn can_write(&self, _: Section) -> Result<(), String> {
            Ok(())
        }
    }

    const REGISTRY: &[Registration] = &[Registration {
        name: "csv",
        settings: |_, _| Some(Box::new(Nobody)),
        is_feed: false,
        places: &[],
    }];

    const CONFIG: &str = r#"
        inventory.path = "inventory.db"
        warehouses.main = "Main"
        price_groups.retail = { name = "Retail", currency = "EUR" }
        [integrations.store-a]
        type = "store"
        connector = "csv"
        stock = { direction = "download", warehouse = "main" }
        prices = { direction = "send", price_group = "retail" }
        [integrations.wholesaler-b]
        type = "wholesaler"
        connector = "csv"
        stock = { direction = "download", warehouse = "main" }
        prices = { direction = "off", price_group = "retail" }
        [integrations.store-c]
        type = "store"
        connector = "csv"
    "#;

    fn config() -> Config {
        let document = Document::new("invsync.toml".as_ref(), CONFIG.to_owned());
        Config::parse(&document, REGISTRY).unwrap()
    }

    fn select(
        names: &[&str],
        directions: &[Direction],
        only: Option<Section>,
    ) -> Result<Vec<String>, String> {
        let all = names.is_empty();
        let names = names.iter().filter(|name| !name.is_empty());
        let names = Names { names: names.map(|name| (*name).to_owned()).collect(), all };
        let config = config();
        let selected = names.select(&config, directions, only).map_err(|e| e.to_string())?;
        Ok(selected.iter().map(|integration| integration.name.clone()).collect())
    }

    const PULL: &[Direction] = &[Direction::Download];
    const PUSH: &[Direction] = &[Direction::Send];

    #[test]
    fn all_leaves_out_what_has_nothing_to_do() {
        assert_eq!(select(&[], PULL, None).unwrap(), ["store-a", "wholesaler-b"]);
        assert_eq!(select(&[], PUSH, None).unwrap(), ["store-a"]);
        assert!(select(&[], PUSH, Some(Section::Stock)).unwrap().is_empty());
        assert_eq!(select(&[], &[], None).unwrap().len(), 3);
    }

    #[test]
    fn a_name_given_twice_counts_once() {
        let names = ["wholesaler-b", "store-a", "wholesaler-b"];
        assert_eq!(select(&names, PULL, None).unwrap(), ["wholesaler-b", "store-a"]);
    }

    #[test]
    fn naming_what_has_nothing_to_do_is_wrong_usage() {
        insta::assert_snapshot!(select(&["wholesaler-b"], PUSH, None).unwrap_err(), @r#"`wholesaler-b` has no section with direction = "send" in the config"#);
        insta::assert_snapshot!(
            select(&["store-a"], PULL, Some(Section::Prices)).unwrap_err(), @r#"`store-a` has no section `prices` with direction = "download" in the config"#);
    }

    #[test]
    fn a_missing_or_unknown_name_lists_the_names() {
        insta::assert_snapshot!(select(&[""], PULL, None).unwrap_err(), @r#"name an integration, or use --all; invsync.toml has `store-a`, `wholesaler-b`, `store-c`"#);
        insta::assert_snapshot!(select(&["store_a"], PULL, None).unwrap_err(), @r#"there is no integration `store_a`; did you mean `store-a`? invsync.toml has `store-a`, `wholesaler-b`, `store-c`"#);
    }
}
