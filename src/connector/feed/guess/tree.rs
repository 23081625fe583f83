//! Documents of XML and JSON: where their items are, and the paths that find something in them.

use std::collections::BTreeMap;

use super::column::Look;
use super::words::{self, ITEMS as ITEM_WORDS};
use super::{Column, ITEMS, Line, Sample, fields, is_literal, kept, quoted};

/// The most paths that are looked at.
const COLUMNS: usize = 1000;
/// The most kinds that an attribute may tell apart.
const KINDS: usize = 200;
/// The most places that may be where the items are.
const PLACES: usize = 40;

/// An element of XML or a value of JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name or key; empty for what stands in an array at the top.
    pub name: String,
    /// Its attributes.
    pub attributes: Vec<(String, String)>,
    /// Its own text.
    pub text: String,
    /// What it holds.
    pub children: Vec<Node>,
}

type Found<'n> = BTreeMap<Vec<&'n str>, Vec<&'n Node>>;

/// See [`super::sample_of_tree`].
pub(super) fn sample(
    root: &Node,
    is_all: bool,
    (items, variants): (Option<&str>, Option<&str>),
    is_json: bool,
) -> Sample {
    let mut found = Found::new();
    collect(root, &mut Vec::new(), &mut found);
    let place = match items {
        Some(items) => known_place(items),
        None => best_place(&found, is_json),
    };
    let Some(place) = place else { return Sample::default() };
    let nodes = nodes_at(root, &place);
    let mut sample = match variants.map(known_place).unwrap_or_else(|| variants_of(&nodes)) {
        Some(steps) => variant_sample(&nodes, &steps, variants.is_none()),
        None => item_sample(&nodes[..nodes.len().min(ITEMS)]),
    };
    sample.is_all = is_all && nodes.len() <= ITEMS;
    sample.currencies = currencies(root, &place);
    let path = format!("/{}", place.iter().map(|step| written(step)).collect::<Vec<_>>().join("/"));
    if items.is_none() && (!is_json || path != "/") {
        let evidence = match nodes.len() {
            many if many > ITEMS => format!("more than {ITEMS} of them"),
            many => format!("{many} of them{}", if is_all { "" } else { " so far" }),
        };
        sample.options.insert(0, Line::new("items", quoted(&path), evidence));
    }
    sample
}

fn known_place(path: &str) -> Option<Vec<String>> {
    let steps = path.split('/').filter(|step| !step.is_empty());
    Some(steps.map(|step| step.trim_matches('\'').to_owned()).collect())
}

/// All nodes by their path from the root, which has none.
fn collect<'n>(node: &'n Node, path: &mut Vec<&'n str>, found: &mut Found<'n>) {
    for child in &node.children {
        let is_named = !child.name.is_empty();
        if is_named {
            path.push(&child.name);
        }
        if !can_be_named(&child.name) {
            continue;
        }
        if found.len() < 5000 || found.contains_key(path) {
            found.entry(path.clone()).or_default().push(child);
        }
        collect(child, path, found);
        if is_named {
            path.pop();
        }
    }
}

fn nodes_at<'n>(root: &'n Node, place: &[String]) -> Vec<&'n Node> {
    let mut nodes = vec![root];
    for step in place {
        let fits = |node: &&Node| step == "*" || local(&node.name) == local(step);
        nodes = nodes.iter().flat_map(|node| &node.children).filter(fits).collect();
    }
    if place.is_empty() {
        nodes = root.children.iter().collect();
    }
    nodes.truncate(ITEMS + 1);
    nodes
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// The place whose nodes make the best items.
fn best_place(found: &Found<'_>, is_json: bool) -> Option<Vec<String>> {
    let mut places: Vec<(Vec<String>, Vec<&Node>)> = found
        .iter()
        .filter(|(_, nodes)| nodes.iter().any(|node| has_fields(node)))
        .map(|(path, nodes)| (path.iter().map(|step| (*step).to_owned()).collect(), nodes.clone()))
        .collect();
    if is_json {
        places.extend(keyed_places(found));
    }
    // The most numerous first; what is rare and deep is rarely an item.
    places.sort_by_key(|(path, nodes)| (std::cmp::Reverse(nodes.len()), path.len()));
    places.truncate(PLACES);
    let scored = places.into_iter().map(|(path, nodes)| (score(&path, &nodes), path));
    let best = scored
        .filter(|(score, _)| *score > 0)
        .max_by_key(|(score, path)| (*score, std::cmp::Reverse(path.len())));
    let (_, path) = best?;
    Some(holder(found, &path).unwrap_or(path))
}

/// Objects of JSON whose keys are all different and whose values are alike.
fn keyed_places<'n>(found: &Found<'n>) -> Vec<(Vec<String>, Vec<&'n Node>)> {
    let mut by_parent: BTreeMap<Vec<String>, Vec<&'n Node>> = BTreeMap::new();
    for (path, nodes) in found {
        if let ([node], Some((_, parent))) = (nodes.as_slice(), path.split_last())
            && has_fields(node)
        {
            let mut parent: Vec<String> = parent.iter().map(|step| (*step).to_owned()).collect();
            parent.push("*".to_owned());
            by_parent.entry(parent).or_default().push(node);
        }
    }
    by_parent.into_iter().filter(|(_, nodes)| nodes.len() > 1).collect()
}

fn has_fields(node: &Node) -> bool {
    let leaves =
        node.children.iter().filter(|child| child.children.is_empty() && !child.name.is_empty());
    leaves.count() + node.attributes.len() > 1 || node.children.len() > 2
}

fn score(path: &[String], nodes: &[&Node]) -> usize {
    let looked_at: Vec<_> = nodes.iter().take(200).copied().collect();
    let fields = fields::score(&item_sample(&looked_at));
    if fields == 0 {
        return 0;
    }
    let last = path.last().map(|name| words::plain(local(name))).unwrap_or_default();
    let is_word = usize::from(ITEM_WORDS.contains(&last.as_str()));
    let many = (nodes.len().ilog2() as usize).min(8);
    fields + is_word * 60 + many * 12
}

/// The item that holds what was found, where that is one of several variants.
fn holder(found: &Found<'_>, path: &[String]) -> Option<Vec<String>> {
    let below: Vec<_> = path.iter().map(String::as_str).collect();
    let count = found.get(&below)?.len();
    (1..path.len()).rev().find_map(|length| {
        let above = &below[..length];
        let nodes = found.get(above)?;
        let last = words::plain(local(above.last()?));
        let is_item = ITEM_WORDS.contains(&last.as_str()) && !last.ends_with('s');
        let has_name =
            fields::has_name(&item_sample(&nodes.iter().take(200).copied().collect::<Vec<_>>()));
        (is_item && has_name && nodes.len() > 1 && count >= nodes.len())
            .then(|| path[..length].to_vec())
    })
}

/// The way to what items hold several of, each with an id of its own.
fn variants_of(nodes: &[&Node]) -> Option<Vec<String>> {
    let mut found: BTreeMap<Vec<&str>, Vec<&Node>> = BTreeMap::new();
    for node in nodes.iter().take(ITEMS) {
        collect(node, &mut Vec::new(), &mut found);
    }
    let holders = nodes.len().min(ITEMS);
    let repeated = found.iter().filter(|(_, below)| below.len() > holders && has_fields(below[0]));
    let fitting = repeated.filter(|(_, below)| {
        let looked_at: Vec<_> = below.iter().take(500).copied().collect();
        fields::is_sellable(&item_sample(&looked_at))
    });
    let (path, _) = fitting.min_by_key(|(path, _)| path.len())?;
    Some(path.iter().map(|step| (*step).to_owned()).collect())
}

fn variant_sample(nodes: &[&Node], steps: &[String], is_guessed: bool) -> Sample {
    let (mut variants, mut holders) = (Vec::new(), Vec::new());
    for node in nodes.iter().take(ITEMS) {
        let below = nodes_at(node, steps);
        // An item without any is sellable itself.
        let own = if below.is_empty() { vec![*node] } else { below };
        holders.extend(own.iter().map(|_| *node));
        variants.extend(own);
    }
    let mut sample = item_sample(&variants);
    let first = steps.first().map(|step| local(step).to_owned()).unwrap_or_default();
    let above = item_sample(&holders).columns.into_iter();
    sample.columns.extend(
        above
            .filter(|column| !column.path.starts_with(&first))
            .map(|column| Column { path: format!("../{}", column.path), ..column }),
    );
    if is_guessed {
        let path = steps.iter().map(|step| written(step)).collect::<Vec<_>>().join("/");
        let evidence =
            format!("{} in {} items; each is sold by itself", variants.len(), nodes.len());
        sample.options.push(Line::new("variants", quoted(&path), evidence));
    }
    sample
}

/// The columns of nodes that are items.
fn item_sample(nodes: &[&Node]) -> Sample {
    let mut columns = Columns { kinds: kinds(nodes), ..Columns::default() };
    for (at, node) in nodes.iter().enumerate().take(ITEMS * 4) {
        columns.item = at;
        if !node.name.is_empty() {
            columns.add(Place { path: "@key", name: "key", context: "" }, &node.name);
        }
        columns.take(node, "", "");
    }
    let items = nodes.len();
    let mut columns = columns.list;
    for column in &mut columns {
        column.values.resize(items, None);
    }
    // A key says something only where it differs; the names of elements are no such keys.
    columns.retain(|column| {
        let look = Look::of(column);
        look.filled > 0 && (column.path != "@key" || (items > 1 && look.is_unique()))
    });
    Sample { items, columns, ..Sample::default() }
}

/// What tells several elements of one path apart: an attribute and its values.
type Kinds = BTreeMap<String, (String, Vec<String>)>;

/// The attributes that tell elements apart which an item has several of.
fn kinds(nodes: &[&Node]) -> Kinds {
    let mut kinds = Kinds::new();
    for node in nodes.iter().take(300) {
        find_kinds(node, "", &mut kinds, 0);
    }
    kinds.retain(|_, (_, values)| values.len() <= KINDS);
    kinds
}

fn find_kinds(node: &Node, path: &str, kinds: &mut Kinds, depth: usize) {
    if depth > 6 {
        return;
    }
    for child in &node.children {
        let below = joined(path, &written(&child.name));
        find_kinds(child, &below, kinds, depth + 1);
        let Some((name, value)) =
            kind_of(child).filter(|(_, value)| !value.contains("']") && is_literal(value))
        else {
            continue;
        };
        let (known, values) = kinds.entry(below.clone()).or_insert_with(|| (name.clone(), vec![]));
        if known == name && !values.contains(value) && values.len() <= KINDS {
            values.push(value.clone());
        }
    }
}

/// The attribute that says what kind of its like an element is.
fn kind_of(node: &Node) -> Option<&(String, String)> {
    const OF_TEXTS: [&str; 7] = ["lang", "name", "price_type", "type", "key", "code", "label"];
    const OF_HOLDERS: [&str; 3] = ["price_type", "lang", "type"];
    let names = match (node.children.is_empty(), node.text.is_empty()) {
        (true, true) => return None,
        (true, false) => OF_TEXTS.as_slice(),
        (false, _) => OF_HOLDERS.as_slice(),
    };
    let find = |wanted: &&str| node.attributes.iter().find(|(name, _)| local(name) == *wanted);
    names.iter().find_map(find)
}

struct Place<'p> {
    path: &'p str,
    name: &'p str,
    context: &'p str,
}

#[derive(Default)]
struct Columns {
    list: Vec<Column>,
    places: BTreeMap<String, usize>,
    kinds: Kinds,
    item: usize,
}

impl Columns {
    fn take(&mut self, node: &Node, path: &str, plain: &str) {
        let context = [local(&node.name), path.split("='").nth(1).unwrap_or("")].join(" ");
        let context = if path.is_empty() { String::new() } else { context };
        let kind = self.kinds.get(plain).map(|(name, _)| name.clone());
        for (name, value) in node.attributes.iter().filter(|(name, _)| kind.as_ref() != Some(name))
        {
            let path = joined(path, &format!("@{name}"));
            self.add(Place { path: &path, name, context: &context }, value);
        }
        for child in &node.children {
            if child.name.is_empty() || !can_be_named(&child.name) {
                continue;
            }
            let step = written(&child.name);
            let plain = joined(plain, &step);
            let (predicate, kind) = self.predicate(child, &plain);
            let below = joined(path, &format!("{step}{predicate}"));
            if child.children.is_empty() {
                let name = match &kind {
                    Some(kind) if !self.is_language(&plain) => kind.clone(),
                    _ => child.name.clone(),
                };
                let context = [context.as_str(), kind.as_deref().unwrap_or("")].join(" ");
                self.add(Place { path: &below, name: &name, context: &context }, &child.text);
            }
            self.take(child, &below, &plain);
        }
    }

    fn is_language(&self, plain: &str) -> bool {
        self.kinds.get(plain).is_some_and(|(name, _)| matches!(local(name), "lang" | "type"))
    }

    fn predicate(&self, child: &Node, plain: &str) -> (String, Option<String>) {
        let Some((name, _)) = self.kinds.get(plain) else { return (String::new(), None) };
        let value = child.attributes.iter().find(|(other, _)| other == name);
        value.map_or((String::new(), None), |(_, value)| {
            (format!("[@{name}='{value}']"), Some(value.clone()))
        })
    }

    fn add(&mut self, place: Place<'_>, value: &str) {
        let known = self.places.get(place.path).copied();
        let at = known.unwrap_or(self.list.len());
        if known.is_none() {
            if self.list.len() == COLUMNS {
                return;
            }
            self.places.insert(place.path.to_owned(), at);
            self.list.push(Column {
                path: place.path.to_owned(),
                name: local(place.name).to_owned(),
                context: place.context.trim().to_owned(),
                ..Column::default()
            });
        }
        let column = &mut self.list[at];
        if column.values.len() > self.item {
            column.repeats = true;
            let last = &mut column.values[self.item];
            if last.is_none() {
                *last = kept(value);
            }
            return;
        }
        column.values.resize(self.item, None);
        column.values.push(kept(value));
    }
}

fn joined(path: &str, step: &str) -> String {
    if path.is_empty() { step.to_owned() } else { format!("{path}/{step}") }
}

/// Whether a path can hold a name, and a config the path.
fn can_be_named(name: &str) -> bool {
    !name.contains('\'') && is_literal(name)
}

/// A step as a path has it: in quotes where it is more than a name.
fn written(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    let is_name = name.chars().all(is_plain) && name.matches(':').count() < 2;
    if name == "*" || is_name { name.to_owned() } else { format!("'{name}'") }
}

/// Currencies that stand outside of the items, before them or around them.
fn currencies(root: &Node, place: &[String]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    find_currencies(root, "", Some(place), &mut found);
    found.truncate(3);
    found
}

fn find_currencies(
    node: &Node,
    path: &str,
    place: Option<&[String]>,
    found: &mut Vec<(String, String)>,
) {
    for child in &node.children {
        let way = place.and_then(|place| place.split_first());
        let rest = way.filter(|(step, _)| **step == child.name).map(|(_, rest)| rest);
        if rest.is_some_and(<[String]>::is_empty) || child.name.is_empty() {
            // The items begin here; what follows comes too late.
            return;
        }
        let below = format!("{path}/{}", written(&child.name));
        for (name, value) in &child.attributes {
            if fields::is_currency(local(name), value) {
                found.push((format!("{below}/@{name}"), value.clone()));
            }
        }
        if child.children.is_empty() && fields::is_currency(local(&child.name), &child.text) {
            found.push((below.clone(), child.text.trim().to_owned()));
        }
        find_currencies(child, &below, rest, found);
        if rest.is_some() {
            return;
        }
    }
}
