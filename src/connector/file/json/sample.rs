//! The beginning of a JSON document that nobody has described yet.

use encoding_rs::UTF_8;

use super::scan::{Scalar, Scanner, Trouble, plain_number};
use crate::connector::feed::decode::read_encoding;
use crate::connector::feed::guess::{NODES, Node, Sample, sample_of_tree};
use crate::connector::file::items::{Beginning, known_places};
use crate::connector::{ConnectorError, Context};
use crate::settings::Table;

/// See [`crate::connector::feed::guess::TakeSample`].
pub(crate) fn sample(
    table: &mut Table<'_>,
    context: &Context,
) -> Result<Option<Sample>, ConnectorError> {
    let (items, variants) = known_places(table);
    let encoding = read_encoding(table);
    let Some(begin) = Beginning::read(table, context, encoding, |_| Ok(UTF_8))? else {
        return Ok(None);
    };
    let (mut root, mut taker) = (Node::default(), Taker { count: 0 });
    let mut scanner = Scanner::new(&begin.text, 0);
    let mut ended = Ok(());
    while ended.is_ok() && !begin.text[scanner.at..].trim_ascii().is_empty() {
        ended = taker.value(&mut scanner, "", &mut root, 0);
    }
    let is_all = begin.is_all && taker.count <= NODES;
    match ended {
        Err(Trouble::Unfinished) if is_all => return Err(begin.cut()),
        Err(Trouble::Fault(fault)) => return Err(begin.error_at(fault.0, &fault.1)),
        Ok(()) | Err(Trouble::Unfinished) => {}
    }
    // What stands alone at the top is the document itself.
    if let [only] = root.children.as_mut_slice()
        && !only.children.is_empty()
    {
        root = std::mem::take(only);
    }
    let known = (items.as_deref(), variants.as_deref());
    Ok(Some(sample_of_tree(&root, is_all, known, true)))
}

/// Takes values in until there are too many.
struct Taker {
    count: usize,
}

impl Taker {
    /// Adds a value, as far as it goes, to what it stands in.
    fn value(
        &mut self,
        scanner: &mut Scanner<'_>,
        name: &str,
        into: &mut Node,
        depth: usize,
    ) -> Result<(), Trouble> {
        self.count += 1;
        if self.count > NODES {
            return Err(Trouble::Unfinished);
        }
        match scanner.peek()? {
            b'{' => {
                let mut node = Node { name: name.to_owned(), ..Node::default() };
                let read = scanner.members(depth, |scanner, key| {
                    self.value(scanner, &key.decode()?, &mut node, depth + 1)
                });
                into.children.push(node);
                read
            }
            b'[' => scanner.elements(depth, |scanner| self.value(scanner, name, into, depth + 1)),
            _ => {
                let text = match scanner.scalar()? {
                    Scalar::Null => String::new(),
                    Scalar::Word(word) => word.to_owned(),
                    Scalar::Number(number) => plain_number(number).into_owned(),
                    Scalar::String(string) => string.decode()?.into_owned(),
                };
                into.children.push(Node { name: name.to_owned(), text, ..Node::default() });
                Ok(())
            }
        }
    }
}
