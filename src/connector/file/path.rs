//! The path grammar of tree-shaped feeds (XML, JSON): text to checked parts. What a path finds in
//! a document stands in `select`.
//!
//! ```text
//! path = [ "/" | "../" ] step { "/" step } [ "/" attr ]  |  attr  |  "../" attr  |  "."
//! step = ( name | "*" | "'" any text without "'" "'" ) { pred }
//! pred = "[" ( "@" name | name ) "='" text "']"  |  "[" integer "]"
//! attr = "@" name                  name = letters, digits, - _ . and at most one ":"
//! ```

use std::iter::Peekable;
use std::str::CharIndices;

/// Where a path starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// At the sellable thing: the variant, or the item where there are no variants.
    Item,
    /// `..`: at the item that holds the variant.
    Holder,
    /// `/`: at the document's root.
    Root,
}

/// A path, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) start: Start,
    pub(crate) steps: Vec<Step>,
    pub(crate) attribute: Option<String>,
}

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// `None` is `*`: any name.
    pub(crate) name: Option<String>,
    /// Further names that do as well, in the last step of `items`.
    pub(crate) other_names: Vec<String>,
    pub(crate) predicates: Vec<Predicate>,
}

impl Step {
    /// Whether one of the names is right.
    pub(crate) fn fits(&self, is_right: impl Fn(&str) -> bool) -> bool {
        let Some(name) = &self.name else { return true };
        is_right(name) || self.other_names.iter().any(|name| is_right(name))
    }
}

/// What a step's match has to be besides its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Predicate {
    /// `[@name='text']`
    Attribute { name: String, text: String },
    /// `[name='text']`
    Child { name: String, text: String },
    /// `[2]`, counted from 1.
    Position(u32),
}

impl Path {
    /// Reads the path of a field.
    ///
    /// The error says what is wrong, and where in the path.
    pub(crate) fn parse(text: &str) -> Result<Path, String> {
        if text == "." {
            return Ok(Path { start: Start::Item, steps: Vec::new(), attribute: None });
        }
        let mut parser = Parser::new(text);
        let start = parser.start()?;
        let (steps, attribute) = parser.steps(start)?;
        Ok(Path { start, steps, attribute })
    }

    /// Reads `items`: steps from the root, without predicates or attribute; `/` alone is the root.
    pub(crate) fn parse_items(text: &str) -> Result<Vec<Step>, String> {
        if text == "/" {
            return Ok(Vec::new());
        }
        let path = Path::parse(text)?;
        if path.start != Start::Root {
            return Err("it must start at the root, with `/`".to_owned());
        }
        if path.steps.iter().any(|step| !step.predicates.is_empty()) {
            return Err("it cannot have predicates `[…]`; `where` filters items".to_owned());
        }
        without_attribute(path)
    }

    /// One way to items in several places, which differ in their last name at most.
    pub(crate) fn join_items(places: Vec<Vec<Step>>) -> Result<Vec<Step>, String> {
        let mut places = places.into_iter();
        let mut joined = places.next().ok_or("it needs at least one place")?;
        for mut place in places {
            let (last, first) = (place.pop(), joined.pop());
            let (Some(last), Some(mut first)) = (last, first) else {
                return Err("the document itself cannot be one of several places".to_owned());
            };
            let (Some(name), Some(_), true) = (last.name, &first.name, place == joined) else {
                return Err("several places must stand beside each other, and differ in their \
                            last name only"
                    .to_owned());
            };
            first.other_names.push(name);
            joined.push(first);
        }
        Ok(joined)
    }

    /// Reads `variants`: steps from the item, without attribute.
    pub(crate) fn parse_variants(text: &str) -> Result<Vec<Step>, String> {
        let path = Path::parse(text)?;
        if path.start != Start::Item {
            return Err("it must start at the item, without `/` or `..`".to_owned());
        }
        if path.steps.is_empty() && path.attribute.is_none() {
            return Err("`.` is the item itself; name what is in it".to_owned());
        }
        without_attribute(path)
    }
}

fn without_attribute(path: Path) -> Result<Vec<Step>, String> {
    match path.attribute {
        Some(name) => Err(format!("it cannot end in the attribute `@{name}`")),
        None => Ok(path.steps),
    }
}

struct Parser<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Parser<'a> {
        Parser { text, chars: text.char_indices().peekable() }
    }

    fn start(&mut self) -> Result<Start, String> {
        if self.text.is_empty() {
            return Err("a path cannot be empty".to_owned());
        }
        if self.eat('/') {
            return Ok(Start::Root);
        }
        if self.rest().starts_with("../") {
            self.chars.nth(2);
            return Ok(Start::Holder);
        }
        if self.text == ".." {
            return Err("`..` needs a step or attribute behind it, such as `../name`".to_owned());
        }
        Ok(Start::Item)
    }

    fn steps(&mut self, start: Start) -> Result<(Vec<Step>, Option<String>), String> {
        let mut steps = Vec::new();
        loop {
            if self.eat('@') {
                if steps.is_empty() && start == Start::Root {
                    return Err(
                        "the document itself has no attributes: name the element, such as \
                                `/shop/@currency`"
                            .to_owned(),
                    );
                }
                let name = self.name()?;
                return match self.chars.peek() {
                    None => Ok((steps, Some(name))),
                    Some(_) => Err(format!("nothing can follow the attribute `@{name}`")),
                };
            }
            steps.push(self.step()?);
            match self.chars.next() {
                None => return Ok((steps, None)),
                Some((_, '/')) => {}
                Some((at, found)) => return Err(self.unexpected(at, found)),
            }
        }
    }

    fn step(&mut self) -> Result<Step, String> {
        let name = if self.eat('*') {
            None
        } else if self.eat('\'') {
            let name = self.until("'")?;
            if name.is_empty() {
                return Err("a quoted step cannot be empty".to_owned());
            }
            Some(name)
        } else {
            Some(self.name()?)
        };
        let mut predicates = Vec::new();
        while self.eat('[') {
            predicates.push(self.predicate()?);
        }
        Ok(Step { name, other_names: Vec::new(), predicates })
    }

    fn predicate(&mut self) -> Result<Predicate, String> {
        if self.chars.peek().is_some_and(|(_, c)| c.is_ascii_digit()) {
            let number = self.until("]")?;
            return match number.parse() {
                Ok(position) if position > 0 => Ok(Predicate::Position(position)),
                _ => Err(format!("`[{number}]` must be a position, counted from 1")),
            };
        }
        let is_attribute = self.eat('@');
        let name = self.name()?;
        if !(self.eat('=') && self.eat('\'')) {
            let sign = if is_attribute { "@" } else { "" };
            return Err(format!("a predicate is written `[{sign}{name}='text']` or `[2]`"));
        }
        let text = self.until("']")?;
        Ok(if is_attribute {
            Predicate::Attribute { name, text }
        } else {
            Predicate::Child { name, text }
        })
    }

    /// A name without quotes.
    fn name(&mut self) -> Result<String, String> {
        let rest = self.rest();
        let end = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
        let name = &rest[..end];
        for _ in name.chars() {
            self.chars.next();
        }
        match name {
            "" => Err(match self.chars.peek() {
                Some(&(at, found)) => self.unexpected(at, found),
                None => "it ends where a name is needed".to_owned(),
            }),
            "." => Err("`.` can only stand alone: it is the item's own text".to_owned()),
            ".." => {
                Err("`..` can only stand at the start, as `../`: it is the item that holds the \
                         variant"
                    .to_owned())
            }
            _ if name.matches(':').count() > 1 || name.starts_with(':') || name.ends_with(':') => {
                Err(format!("`{name}` can have one `:`, between a prefix and a name"))
            }
            _ => Ok(name.to_owned()),
        }
    }

    /// The text up to `end`, which is taken too.
    fn until(&mut self, end: &str) -> Result<String, String> {
        let rest = self.rest();
        let Some(length) = rest.find(end) else {
            return Err(format!("`{end}` is missing behind `{rest}`"));
        };
        let text = &rest[..length];
        for _ in text.chars().chain(end.chars()) {
            self.chars.next();
        }
        Ok(text.to_owned())
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.chars.next_if(|(_, c)| *c == wanted).is_some()
    }

    fn rest(&mut self) -> &'a str {
        self.chars.peek().map_or("", |(at, _)| &self.text[*at..])
    }

    fn unexpected(&self, at: usize, found: char) -> String {
        let place = self.text[..at].chars().count() + 1;
        match found {
            '/' => format!("a step is missing before the `/` at character {place}"),
            _ => format!(
                "`{}` at character {place} is not expected there; a name with other signs than \
                 letters, digits, `-`, `_`, `.` is quoted: `'unit price'`",
                found.escape_debug()
            ),
        }
    }
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn step(name: &str, predicates: Vec<Predicate>) -> Step {
        let name = (name != "*").then(|| name.to_owned());
        Step { name, other_names: Vec::new(), predicates }
    }

    fn path(start: Start, steps: Vec<Step>, attribute: Option<&str>) -> Path {
        Path { start, steps, attribute: attribute.map(str::to_owned) }
    }

    fn error(text: &str) -> String {
        Path::parse(text).unwrap_err()
    }

    #[test]
    fn every_form_of_the_grammar_is_read() {
        let plain = |name| step(name, vec![]);
        let cases = [
            ("name", path(Start::Item, vec![plain("name")], None)),
            ("@id", path(Start::Item, vec![], Some("id"))),
            ("../@id", path(Start::Holder, vec![], Some("id"))),
            ("../a/b", path(Start::Holder, vec![plain("a"), plain("b")], None)),
            ("/a/@c", path(Start::Root, vec![plain("a")], Some("c"))),
            ("*/g:id", path(Start::Item, vec![plain("*"), plain("g:id")], None)),
            ("'unit/ price'/@x", path(Start::Item, vec![plain("unit/ price")], Some("x"))),
            ("Größe-2.x_y", path(Start::Item, vec![plain("Größe-2.x_y")], None)),
        ];
        for (text, expected) in cases {
            assert_eq!(Path::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn predicates_are_read_from_left_to_right() {
        let expected = step(
            "PRICE",
            vec![
                Predicate::Attribute { name: "xml:lang".into(), text: "it's [x]".into() },
                Predicate::Child { name: "CUR".into(), text: String::new() },
                Predicate::Position(2),
            ],
        );
        let read = Path::parse("PRICE[@xml:lang='it's [x]'][CUR=''][2]");
        assert_eq!(read, Ok(path(Start::Item, vec![expected], None)));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert!(error("").contains("empty"));
        assert!(error("a//b").contains("before the `/` at character 3"));
        assert!(error("unit price").contains("character 5"));
        assert!(error("a/").contains("ends where a name is needed"));
        assert!(error("a/../b").contains("only stand at the start"));
        assert!(error("a/.").contains("only stand alone"));
        assert!(error("..").contains("../name"));
        assert!(error("/@a").contains("no attributes"));
        assert!(error("@a/b").contains("nothing can follow"));
        assert!(error("a[0]").contains("counted from 1"));
        assert!(error("a[99999999999]").contains("counted from 1"));
        assert!(error("a[b]").contains("[b='text']"));
        assert!(error("a[@b='x]").contains("`']` is missing"));
        assert!(error("'a").contains("`'` is missing"));
        assert!(error("a:b:c").contains("one `:`"));
    }

    #[test]
    fn items_and_variants_are_stricter_paths() {
        assert_eq!(Path::parse_items("/"), Ok(vec![]));
        assert_eq!(Path::parse_items("/a/*").unwrap().len(), 2);
        for text in ["a", "/a/@b", "/a[1]", "../a", ""] {
            assert!(Path::parse_items(text).is_err(), "{text}");
        }
        assert_eq!(Path::parse_variants("sizes/size").unwrap().len(), 2);
        for text in ["/a", "../a", "@a", "a/@b", ""] {
            assert!(Path::parse_variants(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_path_or_an_error(text in "[a-b/@'\\[\\]=:.*1 é]{0,16}|.{0,40}") {
            let _ = Path::parse(&text);
            let _ = Path::parse_items(&text);
            let _ = Path::parse_variants(&text);
        }
    }
}
