//! How sections stand as Prometheus reads it from a text file: node_exporter's textfile collector.
//!
//! The format: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::io::{self, Write};

use super::status::{SectionStatus, Status};

/// Prints how sections stand as metrics.
pub fn prometheus(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    let seconds = |at: crate::model::Timestamp| at.unix_ms.div_euclid(1_000);
    let mut of_sections = |name, help, value: &dyn Fn(&SectionStatus) -> Option<i64>| {
        let mut has_head = false;
        for section in &status.sections {
            let Some(value) = value(section) else { continue };
            if !std::mem::replace(&mut has_head, true) {
                head(out, name, help)?;
            }
            writeln!(out, "{name}{{{}}} {value}", labels(section))?;
        }
        io::Result::Ok(())
    };
    of_sections(
        "invsync_section_last_success_timestamp_seconds",
        "When the section last went well; 0: never.",
        &|section| Some(section.last_success.map_or(0, seconds)),
    )?;
    of_sections(
        "invsync_section_last_run_timestamp_seconds",
        "When the last run of the section began; 0: never.",
        &|section| Some(section.last_run.as_ref().map_or(0, |run| seconds(run.started_at))),
    )?;
    of_sections(
        "invsync_section_every_seconds",
        "How often the section is to run by itself.",
        &|section| section.every.map(|every| i64::try_from(every.as_secs()).unwrap_or(i64::MAX)),
    )?;
    of_sections(
        "invsync_section_overdue",
        "1 where the last success is too long ago, or there was none yet.",
        &|section| Some(section.is_overdue.into()),
    )?;
    of_sections(
        "invsync_section_failures",
        "How many of the last runs of the section failed in a row.",
        &|section| Some(section.failures.into()),
    )?;
    of_sections(
        "invsync_uncertain_items",
        "Changes that were sent without an answer and not settled yet.",
        &|section| Some(i64::try_from(section.uncertain).unwrap_or(i64::MAX)),
    )?;
    last_status(status, out)?;
    head(out, "invsync_inventory_bytes", "What the files of the inventory take.")?;
    writeln!(out, "invsync_inventory_bytes {}", status.inventory_bytes.unwrap_or(0))?;
    out.flush()
}

/// How the last run of each section ended, as a label.
fn last_status(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    const NAME: &str = "invsync_section_last_run_status";
    let ran = status.sections.iter().filter_map(|s| Some((s, s.last_run.as_ref()?)));
    let ran: Vec<_> = ran.collect();
    if !ran.is_empty() {
        head(out, NAME, "1 with the status of the section's last run.")?;
    }
    ran.into_iter().try_for_each(|(section, run)| {
        writeln!(out, "{NAME}{{{},status=\"{}\"}} 1", labels(section), run.status.word())
    })
}

fn head(out: &mut dyn Write, name: &str, help: &str) -> io::Result<()> {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge")
}

fn labels(section: &SectionStatus) -> String {
    let location = section.location.as_deref().map(escaped);
    let location = location.map(|name| format!(",location=\"{name}\"")).unwrap_or_default();
    format!(
        "integration=\"{}\",section=\"{}\",direction=\"{}\"{location}",
        escaped(&section.integration),
        section.section.word(),
        section.direction_word()
    )
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
