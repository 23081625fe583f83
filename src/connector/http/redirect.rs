//! Where a read may be sent on to: the same host, for files any host; never less safe than before.

use reqwest::Url;
use reqwest::header::{HeaderMap, LOCATION};

/// Where hops may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    SameHost,
    AnyHost,
}

/// The hops of one read.
pub(super) struct Hops {
    reach: Reach,
    most: usize,
    seen: Vec<Url>,
}

impl Hops {
    pub(super) fn new(start: &Url, reach: Reach, most: usize) -> Hops {
        Hops { reach, most, seen: vec![start.clone()] }
    }

    /// Whether this is still the host that it began at, on a way no less safe: credentials may go
    /// there.
    pub(super) fn is_at_home(&self) -> bool {
        self.seen.iter().all(|hop| same_host(&self.seen[0], hop).is_ok())
    }

    /// Goes to the next URL, or says why not. `signed` is how the present one was sent.
    pub(super) fn follow(&mut self, headers: &HeaderMap, signed: &Url) -> Result<&Url, String> {
        let from = self.here();
        let to =
            target(headers, from).ok_or_else(|| "to an address that cannot be read".to_owned())?;
        let to = without_signature(to, from, signed);
        if let Some(why) = why_not(from, &to, self.reach) {
            return Err(format!("to {}: {why}", place(&to)));
        }
        if self.seen.contains(&to) {
            return Err(format!("to {}, in a loop", place(&to)));
        }
        if self.seen.len() > self.most {
            return Err(format!("to {}, after {} others", place(&to), self.most));
        }
        self.seen.push(to);
        Ok(self.here())
    }

    /// Where the read is now.
    pub(super) fn here(&self) -> &Url {
        // `seen` begins with one and only grows.
        &self.seen[self.seen.len() - 1]
    }
}

/// Where the answer points to, in words without a query. `None` where it does not say.
pub(super) fn pointed_to(headers: &HeaderMap, from: &Url) -> Option<String> {
    target(headers, from).map(|to| place(&to))
}

fn target(headers: &HeaderMap, from: &Url) -> Option<Url> {
    let text = std::str::from_utf8(headers.get(LOCATION)?.as_bytes()).ok()?;
    let mut to = from.join(text).ok()?;
    to.set_fragment(None);
    // Whoever put a name there is not whom we log in for.
    let _ = to.set_username("");
    let _ = to.set_password(None);
    Some(to)
}

/// Servers repeat the query, and with it what was signed: the next hop is signed anew.
fn without_signature(mut to: Url, plain: &Url, signed: &Url) -> Url {
    let added: Vec<String> = signed
        .query_pairs()
        .filter(|(name, _)| !plain.query_pairs().any(|(known, _)| known == *name))
        .map(|(name, _)| name.into_owned())
        .collect();
    let is_added =
        |part: &str| url_pairs(part).next().is_some_and(|(name, _)| added.contains(&name));
    let Some(query) = to.query() else { return to };
    if added.is_empty() {
        return to;
    }
    // Part by part, for the others must stay as the server wrote them.
    let kept: Vec<&str> = query.split('&').filter(|part| !is_added(part)).collect();
    let kept = kept.join("&");
    to.set_query((!kept.is_empty()).then_some(kept.as_str()));
    to
}

fn url_pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let mut url = Url::parse("http://x/").ok();
    if let Some(url) = &mut url {
        url.set_query(Some(query));
    }
    let pairs: Vec<_> = url
        .iter()
        .flat_map(|url| url.query_pairs())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    pairs.into_iter()
}

/// Why a read may not go there.
fn why_not(from: &Url, to: &Url, reach: Reach) -> Option<&'static str> {
    match (from.scheme(), to.scheme()) {
        ("https", "http") => return Some("that is not encrypted, so it was not followed"),
        ("http" | "https", "http" | "https") => {}
        _ => return Some("that is no http"),
    }
    if reach == Reach::AnyHost { None } else { same_host(from, to).err() }
}

/// Whether a URL is at the same host, or else what to do about it.
fn same_host(from: &Url, to: &Url) -> Result<(), &'static str> {
    if from.scheme() != to.scheme() && (from.port().is_some() || to.port().is_some()) {
        return Err("put the right `url` into the config");
    }
    if from.host() == to.host() && from.port() == to.port() {
        return Ok(());
    }
    Err("another host: if it is the right one, put it as `url` into the config")
}

/// Scheme, host and path: what may be shown.
pub(super) fn place(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn to(location: &str) -> HeaderMap {
        HeaderMap::from_iter([(LOCATION, location.parse().unwrap())])
    }

    fn followed(from: &str, location: &str) -> Result<String, String> {
        let from = url(from);
        Hops::new(&from, Reach::SameHost, 3).follow(&to(location), &from).map(Url::to_string)
    }

    #[test]
    fn the_same_host_is_followed_and_http_to_https() {
        for (from, location, found) in [
            ("https://a.example/x?p=1", "/x/?p=1", "https://a.example/x/?p=1"),
            ("https://a.example/x", "https://A.example:443/y#z", "https://a.example/y"),
            ("http://a.example/x", "https://a.example/x", "https://a.example/x"),
            ("http://a.example:81/x", "http://a.example:81/y", "http://a.example:81/y"),
            ("https://a.example/x", "https://u:p@a.example/y", "https://a.example/y"),
        ] {
            assert_eq!(followed(from, location), Ok(found.to_owned()), "{from} {location}");
        }
    }

    #[test]
    fn what_is_elsewhere_or_less_safe_is_refused_without_its_query() {
        for (from, location, why) in [
            ("https://a.example/x", "http://a.example/x?s=1", "not encrypted"),
            ("https://a.example/x", "https://www.a.example/y?s=1", "another host"),
            ("https://a.example/x", "//b.example/y?s=1", "another host"),
            ("https://a.example/x", "https://a.example:8443/y", "another host"),
            ("http://a.example:81/x", "https://a.example/y", "right `url`"),
            ("http://a.example/x", "https://a.example:8443/y", "right `url`"),
            ("https://a.example/x", "ftp://a.example/y?s=1", "no http"),
            ("https://a.example/x", "file:///etc/passwd", "no http"),
            ("https://a.example/x", "https://:x", "cannot be read"),
        ] {
            let found = followed(from, location).unwrap_err();
            assert!(found.contains(why), "{location}: {found}");
            assert!(!found.contains("s=1"), "{found}");
        }
    }

    #[test]
    fn a_loop_and_too_many_hops_are_noticed() {
        let start = url("https://a.example/0");
        let mut hops = Hops::new(&start, Reach::SameHost, 3);
        for location in ["/1", "/2", "/3"] {
            hops.follow(&to(location), &start).unwrap();
        }
        assert!(hops.follow(&to("/1"), &start).unwrap_err().contains("in a loop"));
        assert!(hops.follow(&to("/4"), &start).unwrap_err().contains("after 3 others"));
    }

    #[test]
    fn what_signing_added_is_not_taken_along() {
        let plain = url("https://a.example/x?page=2&_fields=id,sku");
        let signed = url("https://a.example/x?page=2&_fields=id,sku&key=1&signature=2");
        let mut hops = Hops::new(&plain, Reach::SameHost, 3);
        let location = to("/x/?page=2&_fields=id,sku&key=1&signature=2");
        let found = hops.follow(&location, &signed).unwrap();
        assert_eq!(found.as_str(), "https://a.example/x/?page=2&_fields=id,sku");
    }

    #[test]
    fn a_file_may_be_anywhere_and_credentials_stay_at_home() {
        let start = url("http://a.example/x");
        let mut hops = Hops::new(&start, Reach::AnyHost, 10);
        for (location, is_at_home) in [
            ("https://a.example/x", true),
            ("https://a.example/y", true),
            ("https://cdn.example/y?signature=1", false),
            // Whoever sends back from elsewhere is not asked with credentials.
            ("https://a.example/z", false),
        ] {
            hops.follow(&to(location), &start).unwrap();
            assert_eq!(hops.is_at_home(), is_at_home, "{location}");
        }
        assert!(hops.follow(&to("http://a.example/z"), &start).is_err());
        assert!(hops.follow(&to("file:///etc/passwd"), &start).is_err());
    }
}
