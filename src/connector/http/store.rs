//! What every store's config has: the site's address, and texts that must not be empty.

use std::path::Path;

use reqwest::Url;

use crate::connector::ConnectorError;
use crate::settings::{Secret, Text};

/// A text that is needed, resolved and without white space around it.
pub fn needed(key: &str, text: &Text, folder: &Path) -> Result<Secret, ConnectorError> {
    let found =
        text.resolve(folder).map_err(|why| ConnectorError::usage(format!("`{key}`: {why}")))?;
    if found.expose().trim().is_empty() {
        return Err(ConnectorError::usage(format!("`{key}` is empty")));
    }
    Ok(Secret::new(found.expose().trim().to_owned()))
}

/// The site's own address, with a slash at its end: what the user copied may lead into one of these
/// folders of it.
pub fn site(text: &str, folders: &[&str]) -> Result<Url, ConnectorError> {
    let wrong = |why: &str| {
        ConnectorError::usage(format!(
            "`url` {why}; write the shop's address, such as https://shop.example.com"
        ))
    };
    let mut url = Url::parse(text).map_err(|_| wrong("is no address"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("is no web address"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("must not hold credentials"));
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = format!("{}/", url.path().trim_end_matches('/'));
    let end = folders.iter().filter_map(|folder| path.find(&format!("/{folder}/"))).min();
    let path = path[..end.unwrap_or(path.len())].trim_end_matches('/').to_owned();
    url.set_path(&format!("{path}/"));
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_is_found_in_what_people_copy() {
        let site = |text| site(text, &["wp-json", "index.php"]);
        for (text, is) in [
            ("https://shop.example", "https://shop.example/"),
            ("https://shop.example/sklep", "https://shop.example/sklep/"),
            ("https://shop.example/sklep/?a=b#c", "https://shop.example/sklep/"),
            ("https://shop.example/wp-json/wc/v3/", "https://shop.example/"),
            ("http://127.0.0.1:8081/index.php", "http://127.0.0.1:8081/"),
        ] {
            assert_eq!(site(text).unwrap().as_str(), is);
        }
        for text in ["shop.example", "ftp://shop.example", "https://a:b@shop.example", ""] {
            assert!(site(text).is_err(), "{text}");
        }
    }
}
