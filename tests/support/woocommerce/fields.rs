//! `_fields`: which parts of an answer the client wants.

use serde_json::{Map, Value};

use super::http::Query;

/// Names, and paths with points in them. Names that nothing has are ignored.
pub(super) struct Fields(Vec<String>);

impl Fields {
    /// The fields of a query; `None` for everything.
    pub(super) fn of(query: &Query) -> Option<Fields> {
        Fields::new(query.list("_fields"))
    }

    /// The fields that one item of a batch asks for.
    pub(super) fn of_item(item: &Value) -> Option<Fields> {
        let text = item["_fields"].as_str()?;
        Fields::new(text.split(',').map(|name| name.trim().to_owned()).collect())
    }

    fn new(names: Vec<String>) -> Option<Fields> {
        (!names.is_empty()).then_some(Fields(names))
    }

    /// These fields, and more.
    pub(super) fn and(mut self, names: &[&str]) -> Fields {
        self.0.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Whether a field is asked for that is not among these.
    pub(super) fn names_other_than(&self, row: &Map<String, Value>) -> bool {
        self.0.iter().any(|name| !row.contains_key(name.split('.').next().unwrap_or(name)))
    }

    /// A value with only the fields in it, of a list in each of its members.
    pub(super) fn cut(&self, value: &Value) -> Value {
        match value {
            Value::Array(all) => all.iter().map(|member| self.cut(member)).collect(),
            Value::Object(_) => {
                let mut cut = Map::new();
                for name in &self.0 {
                    copy(value, &mut cut, name);
                }
                Value::Object(cut)
            }
            other => other.clone(),
        }
    }
}

/// Copies what is at a path, with the objects on the way.
fn copy(from: &Value, to: &mut Map<String, Value>, path: &str) {
    let (name, below) =
        path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some(value) = from.get(name) else { return };
    match below {
        None => {
            to.insert(name.to_owned(), value.clone());
        }
        Some(below) => {
            let inner = to.entry(name).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                copy(value, inner, below);
            }
        }
    }
}
