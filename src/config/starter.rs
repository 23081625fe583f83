//! The config that `invsync init` writes.

/// A config to start from: valid as it is, with one integration to fill in.
///
/// What `#` stands right before, without a space, is config that waits to be switched on.
pub fn starter() -> &'static str {
    include_str!("starter.toml")
}

/// The same with this text in the place of the integration to fill in, and the price group in this
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
    use super::starter;

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
                Some(config) if !config.is_empty() && !config.starts_with(' ') => config,
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
