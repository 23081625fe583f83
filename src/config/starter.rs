//! The config that `invsync init` writes, and the schema that editors read it with.

/// A config to start from: valid as it is, with one integration to fill in.
///
/// What `#` stands right before, without a space, is config that waits to be switched on.
pub fn starter() -> &'static str {
    include_str!("starter.toml")
}

/// The name that the starter calls the schema by: beside the config.
pub const SCHEMA_NAME: &str = "invsync.schema.json";

/// The JSON Schema of a config: every key that is read, with what it means.
pub fn schema() -> &'static str {
    include_str!("schema.json")
}

/// The starter with this text in the place of the integration to fill in, and the price group in this
/// currency.
pub fn starter_with(integration: &str, currency: &str) -> String {
    let (before, rest) = starter().split_once("# One table for").unwrap_or((starter(), ""));
    let after = rest.find("# Keys and passwords").map_or("", |at| &rest[at..]);
    let before = before.replace("\"EUR\"", &format!("\"{currency}\""));
    format!("{before}{integration}\n{after}")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{errors, parse};
    use super::{SCHEMA_NAME, starter};

    #[test]
    fn the_starter_names_the_schema_in_its_first_line() {
        let first = starter().lines().next().unwrap();
        assert_eq!(first, format!("#:schema ./{SCHEMA_NAME}"));
    }

    #[test]
    fn the_starter_is_valid_as_it_is() {
        let config = parse(starter()).unwrap();
        assert_eq!((config.warehouses.len(), config.price_groups.len()), (1, 1));
        assert!(config.integrations.is_empty() && config.warnings.is_empty());
    }

    #[test]
    fn the_starter_is_valid_with_its_examples_switched_on() {
        let switched_on: String = starter()
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(config) if !config.is_empty() && !config.starts_with([' ', ':']) => config,
                _ => line,
            })
            .flat_map(|line| [line, "\n"])
            .collect();
        assert_eq!(errors(&switched_on), "");
        let names: Vec<_> =
            parse(&switched_on).unwrap().integrations.into_iter().map(|i| i.name).collect();
        assert_eq!(names, ["wholesaler-a"]);
    }
}
