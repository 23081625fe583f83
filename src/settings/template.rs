//! `${NAME}` and `${NAME:-default}` in a text, as in the shell.

use super::TextError;

/// Defaults within defaults, so that no text can exhaust the stack.
const MAX_DEPTH: usize = 16;

/// A text with variables of the environment in it.
#[derive(Clone, Default)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone)]
enum Part {
    Literal(String),
    Variable { name: String, default: Option<Template> },
}

impl Template {
    /// Reads a text; `$${` is a literal `${`. The error says what is wrong with a `${`.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        let mut rest = text;
        parse_until(&mut rest, None, 0)
    }

    /// A text that stands for itself.
    pub(super) fn plain(text: &str) -> Template {
        let mut found = Template::default();
        found.push(text);
        found
    }

    /// The one variable of this name.
    pub(super) fn variable(name: &str) -> Result<Template, String> {
        if !is_name(name) {
            return Err("`env` needs the name of an environment variable: letters, digits and `_`"
                .to_owned());
        }
        Ok(Template(vec![Part::Variable { name: name.to_owned(), default: None }]))
    }

    /// The text where it has no variable.
    pub(super) fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// What stands before its first variable.
    pub(super) fn beginning(&self) -> &str {
        match self.0.first() {
            Some(Part::Literal(text)) => text,
            _ => "",
        }
    }

    /// The text with the values of its variables.
    pub(super) fn resolve(&self) -> Result<String, TextError> {
        self.resolve_with(&|name| std::env::var_os(name))
    }

    /// The values of its variables, without their defaults.
    pub(super) fn values(&self) -> Vec<String> {
        let names = self.0.iter().filter_map(|part| match part {
            Part::Variable { name, .. } => Some(name),
            Part::Literal(_) => None,
        });
        names.filter_map(|name| std::env::var(name).ok()).collect()
    }

    fn resolve_with(&self, env: Environment<'_>) -> Result<String, TextError> {
        self.0.iter().map(|part| part.resolve(env)).collect()
    }

    fn push(&mut self, literal: &str) {
        match self.0.last_mut() {
            Some(Part::Literal(text)) => text.push_str(literal),
            _ if literal.is_empty() => {}
            _ => self.0.push(Part::Literal(literal.to_owned())),
        }
    }
}

type Environment<'e> = &'e dyn Fn(&str) -> Option<std::ffi::OsString>;

impl Part {
    fn resolve(&self, env: Environment<'_>) -> Result<String, TextError> {
        let (name, default) = match self {
            Part::Literal(text) => return Ok(text.clone()),
            Part::Variable { name, default } => (name, default),
        };
        match (env(name), default) {
            // As in the shell, `:-` covers an empty variable too.
            (Some(value), Some(default)) if value.is_empty() => default.resolve_with(env),
            (Some(value), _) => value.into_string().map_err(|_| TextError::NotUtf8(name.clone())),
            (None, Some(default)) => default.resolve_with(env),
            (None, None) => Err(TextError::Unset(name.clone())),
        }
    }
}

/// Takes a template off `rest`, up to the character `end` or to the end of the text.
fn parse_until(rest: &mut &str, end: Option<char>, depth: usize) -> Result<Template, String> {
    let mut found = Template::default();
    loop {
        let at = rest.find(|c| c == '$' || Some(c) == end).unwrap_or(rest.len());
        found.push(&rest[..at]);
        *rest = &rest[at..];
        if let Some(behind) = rest.strip_prefix("$${") {
            found.push("${");
            *rest = behind;
        } else if let Some(behind) = rest.strip_prefix("${") {
            *rest = behind;
            found.0.push(parse_variable(rest, depth)?);
        } else if let Some(behind) = rest.strip_prefix('$') {
            found.push("$");
            *rest = behind;
        } else {
            return Ok(found);
        }
    }
}

/// Takes a variable off `rest`, from behind its `${` to behind its `}`.
fn parse_variable(rest: &mut &str, depth: usize) -> Result<Part, String> {
    if depth >= MAX_DEPTH {
        return Err(format!("at most {MAX_DEPTH} `${{` may stand within each other"));
    }
    let end = rest.find(['}', ':']).unwrap_or(rest.len());
    let name = &rest[..end];
    *rest = &rest[end..];
    let mut default = None;
    if let Some(behind) = rest.strip_prefix(":-") {
        *rest = behind;
        default = Some(parse_until(rest, Some('}'), depth + 1)?);
    }
    match rest.strip_prefix('}') {
        Some(behind) => *rest = behind,
        None if rest.is_empty() => return Err("a `${` has no `}`".to_owned()),
        None => return Err(NAME_WANTED.to_owned()),
    }
    if !is_name(name) {
        return Err(NAME_WANTED.to_owned());
    }
    Ok(Part::Variable { name: name.to_owned(), default })
}

const NAME_WANTED: &str = "`${…}` needs the name of an environment variable (letters, digits and \
                           `_`), and `:-` before a default; write `$${` for a literal `${`";

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn resolved(text: &str) -> Result<String, String> {
        let env = |name: &str| match name {
            "SET" => Some("value".into()),
            "EMPTY" => Some("".into()),
            "DOLLAR" => Some("${SET}".into()),
            _ => None,
        };
        Template::parse(text)?.resolve_with(&env).map_err(|why| why.to_string())
    }

    #[test]
    fn variables_are_put_in_as_in_the_shell() {
        for (text, value) in [
            ("", ""),
            ("plain", "plain"),
            ("a ${SET} b", "a value b"),
            ("${SET}${SET}", "valuevalue"),
            ("${SET:-x}", "value"),
            ("${EMPTY:-x}", "x"),
            ("${EMPTY}", ""),
            ("${UNSET:-x}", "x"),
            ("${UNSET:-}", ""),
            ("${UNSET:-a:-b}", "a:-b"),
            ("${UNSET:-${SET}!}", "value!"),
            ("${UNSET:-${UNSET:-y}}z", "yz"),
            ("${UNSET:-{x}}", "{x}"),
            ("${UNSET:-$${x}", "${x"),
            ("$${SET}", "${SET}"),
            ("$SET 5$ $", "$SET 5$ $"),
            ("a}b", "a}b"),
            // What a variable holds is not read again.
            ("${DOLLAR}", "${SET}"),
            ("é${SET}é", "évalueé"),
        ] {
            assert_eq!(resolved(text).as_deref(), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let why = resolved("x${UNSET}").unwrap_err();
        assert_eq!(why, "the environment variable UNSET is not set");
        assert_eq!(resolved("${EMPTY:-${UNSET}}"), Err(why));
    }

    #[test]
    fn a_wrong_variable_is_an_error_that_quotes_nothing() {
        for text in ["${", "${SET", "${UNSET:-x", "${UNSET:-${SET}"] {
            assert_eq!(resolved(text).unwrap_err(), "a `${` has no `}`", "{text}");
        }
        for text in ["${}", "${:-x}", "${1A}", "${A B}", "${A:?x}", "${A-x}", "${é}", "${SET:}"] {
            assert_eq!(resolved(text).unwrap_err(), NAME_WANTED, "{text}");
        }
        assert!(resolved(&"${A:-".repeat(100_000)).unwrap_err().starts_with("at most 16"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "([$]|[{]|[}]|:-|A|é){0,40}") {
            let _ = resolved(&text);
        }

        #[test]
        fn a_text_without_dollars_is_itself(text in "[^$]{0,40}") {
            prop_assert_eq!(resolved(&text), Ok(text));
        }
    }
}
