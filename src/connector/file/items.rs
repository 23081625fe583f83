//! The connector of tree-shaped feeds, shared by XML and JSON: settings, and the reader that turns
//! the items of a walk into rows.

use std::cell::Cell;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use encoding_rs::Encoding;

use super::outline::{Item, Outline, Walk};
use super::path::{Path, Start, Step};
use super::replace::make_durable;
use super::rewrite::Known;
use super::tree::{Match, NodeId, Tree};
use super::tree_write::{RewriteValue, TreeWriter};
use super::vocabulary::CompiledPath;
use crate::around::Around;
use crate::connector::feed::decode::Characters;
use crate::connector::feed::generated::Generated;
use crate::connector::feed::guess::SAMPLE_BYTES;
use crate::connector::feed::lacking::{self, Tally};
use crate::connector::feed::mapping::{Lookup, MappedPath, Mapping, PathId, RowFate};
use crate::connector::feed::settings::FeedSettings;
use crate::connector::feed::shown;
use crate::connector::feed::source::{Bytes, Keep, Source, SourceSettings};
use crate::connector::{
    Connector, ConnectorError, Context, Delivery, Origin, Reader, RowBatch, Settings, Validators,
    Want, Writer,
};
use crate::model::{Dialect, ProblemKind, Section, StorePlaces};
use crate::settings::{Entry, Table};

/// Starts a walk over a document.
pub(crate) type StartWalk = fn(Characters, Arc<Outline>) -> Result<Box<dyn Walk>, ConnectorError>;

/// The text of a number as it may stand in a field, and whether its decimal sign is the point
/// whatever the config says.
pub(crate) type ReadNumber = fn(&str, &Range<u64>, &Item<'_>) -> Option<(String, bool)>;

/// What one format does in its own way.
#[derive(Clone, Copy)]
pub(crate) struct Format {
    /// The connector's name.
    pub(crate) name: &'static str,
    /// Where items are when `items` is not given; `None`: it has to be.
    pub(crate) default_items: Option<&'static str>,
    /// How `items` is read.
    pub(crate) parse_items: fn(&str) -> Result<Vec<Step>, String>,
    /// Words that say nothing where a quantity or price should be, beside the usual ones.
    pub(crate) unknown_words: &'static [&'static str],
    /// How a number of the format's own is read, where it has such: gets the text of a quantity or
    /// price and where it stands; `None` leaves it as it is.
    pub(crate) number: Option<ReadNumber>,
    /// What the format says of a path that is otherwise right.
    pub(crate) check: fn(&Path) -> Result<(), String>,
    /// Opens a source as text, in the encoding that the document names unless the config does.
    pub(crate) decode: fn(Bytes, &FeedSettings) -> Result<Characters, ConnectorError>,
    /// Starts a walk.
    pub(crate) walk: StartWalk,
    /// How values are rewritten; `None` where they never are.
    pub(crate) rewrite: Option<RewriteValue>,
}

/// Without its functions: where they lie in memory differs from run to run.
impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Format").field("default_items", &self.default_items).finish_non_exhaustive()
    }
}

/// `items` as the config has it, and its line.
type ItemsKey = (String, u64);

/// The settings of a tree-shaped feed.
#[derive(Clone, Debug)]
pub(crate) struct TreeSettings {
    pub(crate) format: Format,
    pub(crate) feed: Arc<FeedSettings>,
    outline: Arc<Outline>,
    /// `items`, where the config has it.
    items: Option<ItemsKey>,
}

impl Format {
    /// Takes the keys out of an integration's table.
    pub(crate) fn settings(
        self,
        table: &mut Table<'_>,
        context: &Context,
    ) -> Option<Box<dyn Settings>> {
        let items = self.items(table);
        let given = items.as_ref().and_then(|(_, given)| given.clone());
        let variants = read_variants(table);
        let check = |text: &str| Path::parse(text).and_then(|path| (self.check)(&path));
        let mut feed = FeedSettings::read(table, context, &check)?;
        feed.mapping.set_unknown_words(self.unknown_words);
        // Each has been checked; one that is not right does not come this far.
        let paths: Vec<_> =
            feed.mapping.paths.iter().filter_map(|path| Path::parse(&path.text).ok()).collect();
        let outline = Outline::new(items?.0, variants?.as_deref(), paths.iter()).into();
        Some(Box::new(TreeSettings { format: self, feed: feed.into(), outline, items: given }))
    }

    /// The way to the items, and how the config gives it, if it does. `None` where an error was
    /// added.
    fn items(self, table: &mut Table<'_>) -> Option<(Vec<Step>, Option<ItemsKey>)> {
        let name = table.name_of("items");
        let entry = table.take("items");
        let is_given = entry.is_some();
        let (texts, line) = match (entry, self.default_items) {
            (Some(entry), _) if entry.is_array() => {
                let places = entry.array(&name)?;
                let texts: Vec<_> =
                    places.iter().map(|place| place.string(&name).map(|(text, _)| text)).collect();
                (texts.into_iter().collect::<Option<Vec<_>>>()?, entry.line)
            }
            (Some(entry), _) => {
                let (text, line) = entry.string(&name)?;
                (vec![text], line)
            }
            (None, Some(text)) => (vec![text.to_owned()], table.line()),
            (None, None) => {
                table.error(format!(
                    "`{name}` is missing; say where the items are, from the root: items = \
                     \"/shop/item\""
                ));
                return None;
            }
        };
        let places = texts.iter().map(|text| (self.parse_items)(text.trim()));
        let places: Result<Vec<_>, String> = places.collect();
        let steps = places.and_then(Path::join_items).and_then(|steps| {
            if steps.is_empty() && self.default_items.is_none() {
                return Err("it needs at least one element, such as \"/shop/item\"".to_owned());
            }
            Ok(steps)
        });
        let steps = steps.map_err(|why| table.problems().error(line, format!("`{name}`: {why}")));
        let given = is_given.then(|| (texts.join(", "), line));
        Some((steps.ok()?, given))
    }
}

/// The way to the variants, if there are any; `None` where an error was added.
fn read_variants(table: &mut Table<'_>) -> Option<Option<Vec<Step>>> {
    let name = table.name_of("variants");
    let Some(entry) = table.take("variants") else { return Some(None) };
    let (text, line) = entry.string(&name)?;
    Path::parse_variants(text.trim())
        .map(Some)
        .map_err(|why| table.problems().error(line, format!("`{name}`: {why}")))
        .ok()
}

impl Settings for TreeSettings {
    fn connect(
        &self,
        around: &Around,
        _: &StorePlaces,
    ) -> Result<Box<dyn Connector>, ConnectorError> {
        let source = self.feed.source.connect(around)?;
        Ok(Box::new(TreeConnector { settings: self.clone(), source, around: around.clone() }))
    }

    fn is_remote(&self) -> bool {
        self.feed.source.is_remote()
    }

    fn local_file(&self) -> Option<PathBuf> {
        self.feed.source.local_file()
    }

    fn provides(&self, section: Section) -> Result<(), String> {
        self.feed.provides(section)
    }

    fn can_write(&self, section: Section) -> Result<(), String> {
        self.feed.can_write(section)?;
        if self.format.rewrite.is_none() {
            return Err("this format is only read".to_owned());
        }
        let (_, path) = self.feed.mapping.writable(section)?;
        match self.outline.paths.get(path.index()).map(|path| path.start) {
            Some(Start::Root) => Err("a path from the root is a value of all items".to_owned()),
            Some(Start::Holder) if self.outline.variants.is_some() => {
                Err("a path with `..` is a value of all variants of an item".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// A tree-shaped feed, ready to be read.
#[derive(Clone)]
pub(crate) struct TreeConnector {
    pub(crate) settings: TreeSettings,
    pub(crate) source: Source,
    around: Around,
}

impl TreeConnector {
    /// A walk over the source, and nothing about it.
    pub(crate) fn walk(&self) -> Result<Box<dyn Walk>, ConnectorError> {
        Ok(self.start()?.1)
    }

    /// Starts a walk over the source.
    fn start(&self) -> Result<(Started, Box<dyn Walk>), ConnectorError> {
        let TreeSettings { format, feed, outline, .. } = &self.settings;
        let bytes = self.source.open(feed.keep())?;
        let name = bytes.name().to_owned();
        let characters = (format.decode)(bytes, feed)?;
        let mut dialect = Dialect { connector: format.name, ..Dialect::default() };
        if feed.encoding.is_none() {
            let encoding = characters.source_charset().name().to_lowercase();
            dialect.options.push(("encoding", encoding));
        }
        Ok((Started { name, dialect }, (format.walk)(characters, Arc::clone(outline))?))
    }

    /// What turns items into rows.
    pub(crate) fn rows(&self, want: Want) -> Rows {
        Rows {
            feed: Arc::clone(&self.settings.feed),
            outline: Arc::clone(&self.settings.outline),
            outside: OutsideValues::default(),
            found: Found::new(&self.settings),
            tally: Tally::default(),
            generated: Generated::default(),
            want,
        }
    }
}

impl Connector for TreeConnector {
    fn open(&self, want: Want) -> Result<Box<dyn Reader>, ConnectorError> {
        let ((started, walk), rows) = (self.start()?, self.rows(want));
        let (around, items) = (self.around.clone(), self.settings.items.clone());
        Ok(Box::new(TreeReader { walk, rows, items, started, around, is_done: false }))
    }

    fn if_unchanged(&self, known: &Validators) -> Result<Option<Origin>, ConnectorError> {
        self.source.if_unchanged(known)
    }

    fn origin(&self) -> Option<Origin> {
        self.source.origin()
    }

    fn writer(&self, read: &Delivery) -> Result<Option<Box<dyn Writer>>, ConnectorError> {
        if !Section::ALL.into_iter().any(|section| self.settings.can_write(section).is_ok()) {
            return Ok(None);
        }
        let Some(read) = read.fingerprint.clone() else { return Ok(None) };
        Ok(Some(Box::new(TreeWriter { connector: self.clone(), known: Known::new(read) })))
    }

    fn make_durable(&self) -> Result<(), ConnectorError> {
        make_durable(self.source.path())
    }
}

/// What is known of a source once its walk begins.
struct Started {
    /// Where the bytes come from, for messages.
    name: String,
    dialect: Dialect,
}

struct TreeReader {
    walk: Box<dyn Walk>,
    rows: Rows,
    started: Started,
    /// `items`, where the config has it.
    items: Option<ItemsKey>,
    around: Around,
    is_done: bool,
}

impl Reader for TreeReader {
    fn next(&mut self, rows: &mut RowBatch) -> Result<bool, ConnectorError> {
        rows.clear();
        while !self.is_done && rows.is_empty() && rows.problems().is_empty() {
            let goes_on = self.walk.walk(&mut |item| {
                self.rows.add(&item, rows, &mut |_, _, _| {});
                !rows.is_full() && rows.problems().len() < RowBatch::ROWS
            })?;
            self.is_done = !goes_on;
        }
        Ok(!rows.is_empty() || !rows.problems().is_empty())
    }

    fn finish(self: Box<Self>) -> Result<Delivery, ConnectorError> {
        for remark in self.walk.remarks() {
            self.around.progress.note(&format!("warning: {}: {remark}", self.started.name));
        }
        let header = self.walk.paths_seen();
        let (rows, mapping) = (&self.rows, &self.rows.feed.mapping);
        let shape = rows.found.shape(mapping);
        let nowhere = lacking::nowhere(mapping, &|path| rows.is_nowhere(path), &header);
        let why_empty = match (&self.items, rows.tally.has_rows()) {
            (Some((items, line)), false) => Some(nothing_at(items, *line, &header)),
            _ => rows.tally.why_empty(mapping, &nowhere),
        };
        let Rows { feed, generated, .. } = self.rows;
        let generated = generated.finish(&feed.mapping, &self.started.name)?;
        let (complete, fingerprint) = (feed.complete, self.walk.finish()?);
        let dialect = self.started.dialect;
        Ok(Delivery {
            complete,
            header,
            shape,
            fingerprint,
            generated,
            nowhere,
            why_empty,
            dialect,
            ..Delivery::default()
        })
    }
}

fn nothing_at(items: &str, line: u64, seen: &str) -> ConnectorError {
    ConnectorError::mapping(format!(
        "nothing is at {}, where `items` (config line {line}) looks {}",
        shown(items),
        lacking::there_is(seen)
    ))
}

/// Turns items into rows.
pub(crate) struct Rows {
    feed: Arc<FeedSettings>,
    outline: Arc<Outline>,
    outside: OutsideValues,
    found: Found,
    tally: Tally,
    generated: Generated,
    want: Want,
}

/// Which paths were looked for, and which of them ever matched.
struct Found {
    /// By path, as far as it was looked for.
    paths: Vec<Cell<Finding>>,
    /// How the format reads numbers of its own, and the paths of quantity and price.
    number: Option<(ReadNumber, Vec<PathId>)>,
}

/// What came of looking for a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Finding {
    #[default]
    NotLookedFor,
    Nowhere,
    /// It is there, and has no text.
    Bare,
    Matched,
}

impl Found {
    fn new(settings: &TreeSettings) -> Found {
        let TreeSettings { format, feed, outline, .. } = settings;
        let number = format.number.map(|read| (read, feed.mapping.value_paths()));
        Found { paths: vec![Cell::default(); outline.paths.len()], number }
    }

    /// See [`Format::number`].
    fn as_number(
        &self,
        path: PathId,
        found: &Match<'_>,
        item: &Item<'_>,
    ) -> Option<(String, bool)> {
        let (read, paths) = self.number.as_ref()?;
        if paths.contains(&path) { read(found.text?, &found.raw, item) } else { None }
    }

    fn note(&self, path: PathId, finding: Finding) {
        if let Some(found) = self.paths.get(path.index()) {
            found.set(finding.max(found.get()));
        }
    }

    fn shape(&self, mapping: &Mapping) -> Vec<(String, bool)> {
        let looked_for = |(path, found): (&MappedPath, &Cell<Finding>)| {
            let is_matched = found.get() == Finding::Matched;
            let was_looked_for = found.get() != Finding::NotLookedFor;
            was_looked_for.then(|| (format!("the path {}", path.text), is_matched))
        };
        // A feed may leave out its time: its source has one too.
        let is_time = |path: &MappedPath| path.key.ends_with("generated_at");
        let paths = mapping.paths.iter().zip(&self.paths);
        paths.filter(|(path, _)| !is_time(path)).filter_map(looked_for).collect()
    }
}

impl Rows {
    /// Whether a path was looked for and no item has it. What only fits some of what there is, as
    /// the config says, may be absent.
    fn is_nowhere(&self, path: PathId) -> bool {
        let is_plain = self.outline.paths.get(path.index()).is_some_and(CompiledPath::is_plain);
        let found = self.found.paths.get(path.index());
        is_plain && found.is_some_and(|found| found.get() == Finding::Nowhere)
    }

    /// Adds the rows of an item: one for each variant, or for itself. `each` gets, for every row
    /// added, its place in the batch and what its fields look at.
    pub(crate) fn add(
        &mut self,
        item: &Item<'_>,
        batch: &mut RowBatch,
        each: &mut dyn FnMut(&RowBatch, usize, &View<'_>),
    ) {
        let Rows { feed, outline, outside, found, tally, generated, want } = self;
        if let Some(why) = item.broken {
            let message = format!("{why}; what stands there was left out");
            batch.add_lost_row(ProblemKind::InvalidValue, item.line, message);
            return tally.count(RowFate::Lost);
        }
        outside.follow(item, outline);
        let mut add = |node: NodeId| {
            let (is_number, has_fault) = (Cell::new(false), Cell::new(false));
            let view = View { item, outline, outside, found, node, is_number, has_fault };
            generated.look(&feed.mapping, &view);
            let before = batch.len();
            tally.count(feed.mapping.row(&view, *want, item.line, batch));
            if batch.len() > before {
                each(batch, before, &view);
            }
            true
        };
        let mut has_variants = false;
        if let Some(variants) = &outline.variants {
            item.tree.find_nodes(Tree::TOP, variants, &mut |node| {
                has_variants = true;
                add(node)
            });
        }
        if !has_variants {
            add(Tree::TOP);
        }
    }
}

/// What the fields of one row look at.
pub(crate) struct View<'a> {
    pub(crate) item: &'a Item<'a>,
    pub(crate) outline: &'a Outline,
    outside: &'a OutsideValues,
    found: &'a Found,
    /// The variant, or the item itself.
    node: NodeId,
    is_number: Cell<bool>,
    /// A match held bytes that are no characters.
    has_fault: Cell<bool>,
}

impl View<'_> {
    /// Where the paths of an item start; `None` for those from the root.
    pub(crate) fn start(&self, start: Start) -> Option<NodeId> {
        match start {
            Start::Item => Some(self.node),
            Start::Holder => Some(Tree::TOP),
            Start::Root => None,
        }
    }
}

impl Lookup for View<'_> {
    fn matches(&self, path: PathId, each: &mut dyn FnMut(&str) -> bool) {
        let Some(compiled) = self.outline.paths.get(path.index()) else { return };
        self.found.note(path, Finding::Nowhere);
        let is_damaged = self.item.undecodable.is_some();
        let each = &mut |text: &str| {
            self.found.note(path, Finding::Matched);
            if is_damaged && memchr::memchr(0, text.as_bytes()).is_some() {
                self.has_fault.set(true);
                return false;
            }
            each(text)
        };
        match self.start(compiled.start) {
            None => {
                self.is_number.set(false);
                let _ = self.outside.values(path).iter().all(|value| each(value));
            }
            Some(from) => {
                let tree = self.item.tree;
                tree.find(from, &compiled.steps, compiled.attribute, &mut |one| {
                    self.found.note(path, Finding::Bare);
                    one.text.is_none_or(|text| match self.found.as_number(path, &one, self.item) {
                        Some((number, has_point)) => {
                            self.is_number.set(has_point);
                            each(&number)
                        }
                        None => {
                            self.is_number.set(false);
                            each(text)
                        }
                    })
                });
            }
        }
    }

    #[inline]
    fn is_number(&self) -> bool {
        self.is_number.get()
    }

    #[inline]
    fn at_hand(&self, id: PathId) -> Option<&str> {
        let path = self.outline.paths.get(id.index())?;
        let text = self.item.tree.first(self.start(path.start)?, path)?;
        self.found.note(id, Finding::Matched);
        memchr::memchr(0, text.as_bytes()).is_none().then_some(text)
    }

    #[inline]
    fn take_fault(&self) -> Option<String> {
        if !self.has_fault.replace(false) {
            return None;
        }
        self.item.undecodable.map(|charset| charset.fault())
    }
}

/// What the paths from the root find, looked up once for all items that it is the same for.
#[derive(Default)]
struct OutsideValues {
    version: Option<u64>,
    /// By path, in the order of the mapping; empty for paths that do not start at the root.
    values: Vec<Vec<String>>,
}

impl OutsideValues {
    fn follow(&mut self, item: &Item<'_>, outline: &Outline) {
        if !outline.reads_outside || self.version == Some(item.outside_version) {
            return;
        }
        self.version = Some(item.outside_version);
        self.values = outline
            .paths
            .iter()
            .map(|path| {
                let mut found = Vec::new();
                if path.start == Start::Root {
                    item.outside.find(Tree::TOP, &path.steps, path.attribute, &mut |one| {
                        found.extend(one.text.map(str::to_owned));
                        true
                    });
                }
                found
            })
            .collect();
    }

    fn values(&self, path: PathId) -> &[String] {
        self.values.get(path.index()).map_or(&[], Vec::as_slice)
    }
}

/// `items` and `variants` where the config has them already.
pub(crate) fn known_places(table: &mut Table<'_>) -> (Option<String>, Option<String>) {
    let mut text = |key| {
        let name = table.name_of(key);
        let entry = table.take(key).filter(Entry::is_string)?;
        entry.string(&name).map(|(text, _)| text.trim().to_owned())
    };
    (text("items"), text("variants"))
}

/// The beginning of a document as text, for who looks at what nobody has described yet.
pub(crate) struct Beginning {
    pub(crate) text: String,
    /// Whether this is the whole document.
    pub(crate) is_all: bool,
    name: String,
}

/// The encoding that a document is in where the config names none.
type UsualEncoding = fn(&Bytes) -> Result<&'static Encoding, ConnectorError>;

impl Beginning {
    /// Reads it. `encoding`: as the config has it; `None` where that is wrong.
    pub(crate) fn read(
        table: &mut Table<'_>,
        context: &Context,
        encoding: Option<Option<&'static Encoding>>,
        usual: UsualEncoding,
    ) -> Result<Option<Beginning>, ConnectorError> {
        let settings = SourceSettings::read(table, context);
        let (Some(settings), Some(encoding)) = (settings, encoding) else { return Ok(None) };
        let bytes = settings.connect(&Around::nobody())?.open(Keep::Nothing)?;
        let name = bytes.name().to_owned();
        let encoding = encoding.map_or_else(|| usual(&bytes), Ok)?;
        let mut characters = Characters::new(bytes, Some(encoding));
        let (mut raw, mut block, mut is_all) = (Vec::new(), vec![0; 256 << 10], false);
        while raw.len() < SAMPLE_BYTES {
            let count = characters.read(&mut block)?;
            is_all = count == 0;
            if is_all {
                break;
            }
            raw.extend_from_slice(&block[..count]);
        }
        let (text, _) = characters.charset().encoding().decode_without_bom_handling(&raw);
        Ok(Some(Beginning { text: text.into_owned(), is_all, name }))
    }

    /// What is wrong at a place of the text.
    pub(crate) fn error_at(&self, at: usize, message: &str) -> ConnectorError {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        ConnectorError::source(format!("{}, line {line}: {message}", self.name))
    }

    /// The error of a document that ends too early.
    pub(crate) fn cut(&self) -> ConnectorError {
        let end = self.text.len();
        self.error_at(end, "the document is cut: it ends in the middle")
    }
}
