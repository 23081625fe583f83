//! JUnit's XML: a test suite for each integration, a test case for each problem, and one that
//! passes for each kind of which there is none.
//!
//! Source of the elements and attributes that programs read: the documentation of GitLab ("Unit
//! test reports") and `testmoapp/junitxml`.

use std::collections::BTreeSet;
use std::io::{self, Write};

use quick_xml::escape::escape;

use super::place::{Place, Tree};
use crate::model::{Finding, ProblemKind, Severity};
use crate::report::check::{CheckReport, Findings};
use crate::report::escape::shown;

pub(super) fn print(report: &CheckReport<'_>, tree: &Tree, out: &mut dyn Write) -> io::Result<()> {
    let suites: Vec<Suite> = report.all.iter().map(|of| suite(report, tree, of)).collect();
    let mut counts = Counts::default();
    for suite in &suites {
        counts.add(&suite.counts());
    }
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"invsync check\" {}>", counts.attributes())?;
    for suite in &suites {
        suite.print(out)?;
    }
    writeln!(out, "</testsuites>")
}

struct Suite {
    name: String,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    place: Place,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    /// A warning that does not count: it passes, with something to say.
    Told(String),
    Skipped(String),
    Failed {
        kind: &'static str,
        message: String,
    },
    Error(String),
}

fn suite(report: &CheckReport<'_>, tree: &Tree, of: &Findings<'_>) -> Suite {
    let mut cases = Vec::new();
    if let Some(error) = of.error {
        cases.push(case("read", tree.in_config(of.config_line), Outcome::Error(error.to_owned())));
    } else if of.is_skipped {
        let why = "a source was not read: nobody was contacted (--offline)";
        cases.push(case("read", tree.in_config(of.config_line), Outcome::Skipped(why.to_owned())));
    }
    let found: BTreeSet<_> = of.findings.iter().map(|found| found.problem.kind).collect();
    for kind in ProblemKind::ALL.into_iter().filter(|kind| !found.contains(kind)) {
        cases.push(case(kind.word(), tree.in_config(of.config_line), Outcome::Passed));
    }
    cases.extend(
        of.sorted()
            .map(|found| case(&title(found), tree.place_of(found), outcome(report.strict, found))),
    );
    Suite { name: of.name().to_owned(), cases }
}

fn case(name: &str, place: Place, outcome: Outcome) -> Case {
    Case { name: name.to_owned(), place, outcome }
}

fn title(found: &Finding) -> String {
    let problem = &found.problem;
    let word = problem.kind.word();
    match problem.subject() {
        Some(subject) => format!("{word}: {subject}"),
        None => word.to_owned(),
    }
}

fn outcome(strict: bool, found: &Finding) -> Outcome {
    let problem = &found.problem;
    if let Some(reason) = &problem.accepted {
        return Outcome::Skipped(format!("accepted: {reason}"));
    }
    let message = problem.message.clone();
    if found.severity == Severity::Error || strict {
        Outcome::Failed { kind: problem.kind.word(), message }
    } else {
        Outcome::Told(message)
    }
}

impl Suite {
    fn counts(&self) -> Counts {
        let of = |wanted: fn(&Outcome) -> bool| {
            self.cases.iter().filter(|case| wanted(&case.outcome)).count()
        };
        Counts {
            tests: self.cases.len(),
            failures: of(|outcome| matches!(outcome, Outcome::Failed { .. })),
            errors: of(|outcome| matches!(outcome, Outcome::Error(_))),
            skipped: of(|outcome| matches!(outcome, Outcome::Skipped(_))),
        }
    }

    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "  <testsuite name=\"{}\" {}>",
            text(&self.name),
            self.counts().attributes()
        )?;
        for case in &self.cases {
            case.print(&self.name, out)?;
        }
        writeln!(out, "  </testsuite>")
    }
}

impl Case {
    fn print(&self, suite: &str, out: &mut dyn Write) -> io::Result<()> {
        let Place { path, line } = &self.place;
        let (name, suite, file) = (text(&self.name), text(suite), text(path));
        write!(
            out,
            "    <testcase name=\"{name}\" classname=\"{suite}\" file=\"{file}\" line=\"{line}\""
        )?;
        match &self.outcome {
            Outcome::Passed => return writeln!(out, "/>"),
            Outcome::Told(message) => {
                write!(out, "><system-out>{}</system-out>", text(message))?;
            }
            Outcome::Skipped(why) => write!(out, "><skipped message=\"{}\"/>", text(why))?,
            Outcome::Failed { kind, message } => write!(
                out,
                "><failure type=\"{kind}\" message=\"{}\">{file}:{line}</failure>",
                text(message)
            )?,
            Outcome::Error(message) => {
                write!(out, "><error type=\"read\" message=\"{}\"/>", text(message))?;
            }
        }
        writeln!(out, "</testcase>")
    }
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
    }

    fn attributes(&self) -> String {
        let Counts { tests, failures, errors, skipped } = self;
        format!(
            "tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\""
        )
    }
}

/// For an attribute or element. Control characters are shown; what XML has no place for is left
/// out.
fn text(raw: &str) -> String {
    let shown = shown(raw);
    let allowed: String = shown.chars().filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}')).collect();
    escape(allowed).into_owned()
}
