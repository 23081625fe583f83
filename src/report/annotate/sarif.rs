//! SARIF 2.1.0, for code scanning.
//!
//! Source: OASIS "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", and GitHub's
//! "SARIF support for code scanning" for what has to be there to be shown.

use std::io::{self, Write};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::place::{Place, Tree};
use crate::model::{Finding, ProblemKind};
use crate::report::check::{CheckReport, Findings};
use crate::report::escape::{shown, shown_lines};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// What a path of a URI needs to have escaped; `/` stays.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b':');

pub(super) fn print(report: &CheckReport<'_>, tree: &Tree, out: &mut dyn Write) -> io::Result<()> {
    let results: Vec<Value> = report
        .all
        .iter()
        .flat_map(|of| of.sorted().map(move |found| result(of, found, tree)))
        .collect();
    let errors: Vec<Value> = report.all.iter().filter_map(notification).collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "invsync",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": ProblemKind::ALL.map(rule),
            }},
            "automationDetails": {"id": "invsync/check"},
            "invocations": [{
                "executionSuccessful": errors.is_empty(),
                "toolExecutionNotifications": errors,
            }],
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn rule(kind: ProblemKind) -> Value {
    json!({
        "id": kind.word(),
        "shortDescription": {"text": kind.meaning()},
        "defaultConfiguration": {"level": kind.severity().word()},
    })
}

fn result(of: &Findings<'_>, found: &Finding, tree: &Tree) -> Value {
    let problem = &found.problem;
    let about = problem.subject().map(|subject| format!("{subject}: ")).unwrap_or_default();
    let Place { path, line } = tree.place_of(found);
    let mut result = json!({
        "ruleId": problem.kind.word(),
        "ruleIndex": ProblemKind::ALL.iter().position(|kind| *kind == problem.kind),
        "level": found.severity.word(),
        "message": {"text": shown(&format!("{}: {about}{}", of.name(), problem.message))},
        "locations": [{"physicalLocation": {
            "artifactLocation": {
                "uri": utf8_percent_encode(&path, PATH).to_string(),
                "uriBaseId": "%SRCROOT%",
            },
            "region": {"startLine": line},
        }}],
    });
    if let Some(reason) = &problem.accepted {
        result["suppressions"] =
            json!([{"kind": "external", "status": "accepted", "justification": shown(reason)}]);
    }
    result
}

/// What kept an integration from being read is no result: nothing was found out about it.
fn notification(of: &Findings<'_>) -> Option<Value> {
    let message = shown_lines(of.error?);
    Some(json!({"level": "error", "message": {"text": message}}))
}
