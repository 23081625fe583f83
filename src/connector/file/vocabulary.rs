//! The names that paths mention: numbers stand for them wherever a document is read, so that what
//! no path wants is known by one look.

use super::path::{Path, Predicate, Start, Step};

/// No name that any path mentions.
pub(super) const OTHER: u16 = 0;

/// The names that paths mention, and what they want of them.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    elements: Words,
    attributes: Words,
    /// A step is `*`: elements of every name are kept.
    keeps_all: bool,
}

/// Names by their length: the fastest way to find one of a few.
#[derive(Debug, Default)]
struct Words {
    by_length: Vec<Vec<Word>>,
    count: u16,
}

#[derive(Debug)]
struct Word {
    text: Box<str>,
    id: u16,
    has_prefix: bool,
    wants_text: bool,
}

/// A name as it stands in a document, looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// With its prefix.
    pub(super) full: u16,
    /// Without; the same for what has none.
    pub(super) local: u16,
    wants_text: bool,
}

/// A name as a path mentions it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    id: u16,
    has_prefix: bool,
}

impl Mention {
    pub(super) fn fits(self, full: u16, local: u16) -> bool {
        self.id == if self.has_prefix { full } else { local }
    }
}

/// How names of a document are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prefixes {
    /// `g:title` is `title` in a namespace (XML).
    Namespaces,
    /// A `:` is a sign like any other (JSON).
    None,
}

impl Words {
    fn mention(&mut self, text: &str, wants_text: bool) -> u16 {
        let length = text.len();
        if self.by_length.len() <= length {
            self.by_length.resize_with(length + 1, Vec::new);
        }
        let words = &mut self.by_length[length];
        if let Some(word) = words.iter_mut().find(|word| *word.text == *text) {
            word.wants_text |= wants_text;
            return word.id;
        }
        self.count = self.count.saturating_add(1);
        let has_prefix = text.contains(':');
        words.push(Word { text: text.into(), id: self.count, has_prefix, wants_text });
        self.count
    }

    fn find(&self, text: &str) -> Option<&Word> {
        // Names are too short for a call that compares memory to pay.
        let is_it = |word: &&Word| word.text.bytes().zip(text.bytes()).all(|(a, b)| a == b);
        self.by_length.get(text.len())?.iter().find(is_it)
    }

    fn name(&self, text: &str, prefixes: Prefixes) -> Name {
        let found = self.find(text);
        let full = found.map_or(OTHER, |word| word.id);
        let wants_text = found.is_some_and(|word| word.wants_text);
        if prefixes == Prefixes::Namespaces
            && found.is_none_or(|word| word.has_prefix)
            && let Some(colon) = memchr::memchr(b':', text.as_bytes())
        {
            let found = self.find(&text[colon + 1..]);
            let local = found.map_or(OTHER, |word| word.id);
            let wants_text = wants_text || found.is_some_and(|word| word.wants_text);
            return Name { full, local, wants_text };
        }
        Name { full, local: full, wants_text }
    }
}

impl Vocabulary {
    /// Takes in the names of some steps. `wants_text`: the text of what the last one finds is read.
    pub(crate) fn compile(&mut self, steps: &[Step], wants_text: bool) -> Vec<CompiledStep> {
        let last = steps.len().saturating_sub(1);
        let wants = |at: usize| wants_text && at == last;
        steps.iter().enumerate().map(|(at, step)| self.compile_step(step, wants(at))).collect()
    }

    /// Takes in the names of a path.
    pub(crate) fn compile_path(&mut self, path: &Path) -> CompiledPath {
        CompiledPath {
            start: path.start,
            steps: self.compile(&path.steps, path.attribute.is_none()),
            attribute: path.attribute.as_deref().map(|name| self.attribute_mention(name)),
        }
    }

    fn compile_step(&mut self, step: &Step, wants_text: bool) -> CompiledStep {
        let name = step.name.as_deref().map(|name| self.element_mention(name, wants_text));
        if name.is_none() {
            self.keeps_all = true;
        }
        let predicates = step
            .predicates
            .iter()
            .map(|predicate| match predicate {
                Predicate::Attribute { name, text } => CompiledPredicate::Attribute(
                    self.attribute_mention(name),
                    text.trim().to_owned(),
                ),
                Predicate::Child { name, text } => CompiledPredicate::Child(
                    self.element_mention(name, true),
                    text.trim().to_owned(),
                ),
                Predicate::Position(position) => CompiledPredicate::Position(*position),
            })
            .collect();
        CompiledStep { name, predicates }
    }

    fn element_mention(&mut self, name: &str, wants_text: bool) -> Mention {
        Mention { id: self.elements.mention(name, wants_text), has_prefix: name.contains(':') }
    }

    fn attribute_mention(&mut self, name: &str) -> Mention {
        Mention { id: self.attributes.mention(name, true), has_prefix: name.contains(':') }
    }

    /// An element's name; `None` where no path can want the element.
    pub(crate) fn element(&self, text: &str, prefixes: Prefixes) -> Option<Name> {
        let mut name = self.elements.name(text, prefixes);
        // What `*` finds at the end of a path has a name that nothing is known of.
        name.wants_text |= self.keeps_all;
        (name.full != OTHER || name.local != OTHER || self.keeps_all).then_some(name)
    }

    /// An attribute's name; `None` where no path mentions it.
    pub(crate) fn attribute(&self, text: &str, prefixes: Prefixes) -> Option<Name> {
        let name = self.attributes.name(text, prefixes);
        (name.full != OTHER || name.local != OTHER).then_some(name)
    }
}

impl Name {
    /// Whether some path reads the text of elements of this name.
    pub(crate) fn wants_text(self) -> bool {
        self.wants_text
    }

    /// The place of the name among those mentioned; 0 for any other.
    pub(crate) fn id(self) -> u16 {
        self.full
    }
}

/// A path whose names have been looked up.
#[derive(Debug)]
pub(crate) struct CompiledPath {
    pub(crate) start: Start,
    pub(crate) steps: Vec<CompiledStep>,
    pub(crate) attribute: Option<Mention>,
}

impl CompiledPath {
    /// Whether it is names alone, without predicates.
    pub(crate) fn is_plain(&self) -> bool {
        self.steps.iter().all(|step| step.predicates.is_empty())
    }
}

/// A step whose names have been looked up.
#[derive(Debug)]
pub(crate) struct CompiledStep {
    pub(super) name: Option<Mention>,
    pub(super) predicates: Vec<CompiledPredicate>,
}

/// A predicate whose names have been looked up.
#[derive(Debug)]
pub(super) enum CompiledPredicate {
    Attribute(Mention, String),
    Child(Mention, String),
    Position(u32),
}
