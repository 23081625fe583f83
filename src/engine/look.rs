//! Looking without touching: an integration's items, and what is wrong with mappings and links.

use std::collections::BTreeMap;
use std::path::Path;

use super::links_file::LinksFile;
use super::part::Source;
use super::plan::{Elsewhere, SendRules};
use super::problem_log::{About, ProblemLog};
use super::pull;
use super::read::{Opened, Reading, match_rules, read};
use super::run::RunError;
use super::{Checked, Session};
use crate::config::{Integration, SectionSettings, Unlinked};
use crate::connector::{ConnectorError, Delivery, ErrorKind, RowBatch, RowView, Want};
use crate::inventory::{Inventory, Tx};
use crate::model::{Acceptance, Direction, Exit, Finding, Problem, ProblemKind, Section, Severity};

const EVERYTHING: Want = Want { stock: true, prices: true, names: true };

/// The integration's items, past the inventory.
pub(super) fn list(
    session: &Session<'_>,
    integration: &Integration,
    each: &mut dyn FnMut(&RowView<'_>) -> anyhow::Result<bool>,
    problem: &mut dyn FnMut(&Problem) -> anyhow::Result<()>,
) -> anyhow::Result<Exit> {
    let (mut items, mut exit) = (0, Exit::Done);
    let mut why_empty = None;
    let sources = session.connect_all(integration)?;
    // Of several locations each shows all items, with what is there.
    let has_several = sources.iter().enumerate().any(|(at, source)| {
        let earlier: Vec<&Source<'_>> = sources[..at].iter().collect();
        source.repeats(&earlier)
    });
    for source in sources {
        if has_several {
            let Some(location) = source.part.places.location() else { continue };
            session.progress.note(&format!("{}: the items at {location}", integration.name));
        }
        let (listed, ended) = list_one(session, integration, &source, each, problem)?;
        items += listed.items;
        exit = exit.max(ended);
        let Some(delivery) = listed.delivery else { return Ok(exit) };
        for lack in delivery.nowhere.iter().filter(|lack| lack.is_needed) {
            session.progress.note(&format!("warning: {}: {}", integration.name, lack.message));
        }
        why_empty = Some(pull::why_empty(&delivery));
    }
    match why_empty.filter(|_| items == 0 && !integration.allow_empty) {
        Some(why) => Err(named(integration, why)),
        None => Ok(exit),
    }
}

/// How far the listing of a source went.
struct Listed {
    items: u64,
    /// What it was as a whole; `None` where nobody reads on.
    delivery: Option<Delivery>,
}

fn named(integration: &Integration, error: ConnectorError) -> anyhow::Error {
    let error = RunError::from(error);
    RunError::new(error.exit, format!("{}: {}", integration.name, error.message)).into()
}

fn list_one(
    session: &Session<'_>,
    integration: &Integration,
    source: &Source<'_>,
    each: &mut dyn FnMut(&RowView<'_>) -> anyhow::Result<bool>,
    problem: &mut dyn FnMut(&Problem) -> anyhow::Result<()>,
) -> anyhow::Result<(Listed, Exit)> {
    let named = |error| named(integration, error);
    let mut reader = source.connector.open(EVERYTHING).map_err(named)?;
    let mut batch = RowBatch::default();
    let (mut listed, mut exit) = (Listed { items: 0, delivery: None }, Exit::Done);
    loop {
        batch.clear();
        let more = reader.next(&mut batch).map_err(named)?;
        for row in batch.rows() {
            listed.items += 1;
            let skus = &session.options.skus;
            if !skus.is_empty() && !skus.iter().any(|sku| row.sku() == Some(sku)) {
                continue;
            }
            if !each(&row)? {
                return Ok((listed, exit));
            }
        }
        for found in problems_of(&batch) {
            if found.kind.makes_partial() {
                exit = Exit::Partial;
            }
            problem(&found)?;
        }
        session.check_interrupted()?;
        if !more {
            break;
        }
    }
    listed.delivery = Some(reader.finish().map_err(named)?);
    Ok((listed, exit))
}

fn problems_of(batch: &RowBatch) -> impl Iterator<Item = Problem> + '_ {
    batch.problems().iter().map(|problem| {
        let row = problem.row.and_then(|row| batch.row(row as usize));
        let own = |text: Option<&str>| text.map(str::to_owned);
        Problem {
            kind: problem.kind,
            item_id: row.and_then(|row| own(row.item_id().or(row.sku()))),
            sku: row.and_then(|row| own(row.sku())),
            file: None,
            line: Some(problem.line).filter(|line| *line > 0),
            message: problem.message.clone(),
            accepted: None,
        }
    })
}

/// What is wrong with an integration's mapping and links.
pub(super) fn check(
    session: &Session<'_>,
    integration: &Integration,
    sources: &[Source<'_>],
) -> anyhow::Result<Checked> {
    let inventory = session.open_to_look()?;
    session.check_places(&inventory)?;
    let mut checked = Checked {
        integration: integration.name.clone(),
        config_line: integration.line,
        items: 0,
        linked: 0,
        sources: Vec::new(),
        is_skipped: sources.len() < integration.parts.len(),
        findings: Vec::new(),
        error: None,
    };
    check_links_file(session, integration, &inventory, &mut checked)?;
    let links = session.links_file(integration)?;
    let mut look = Look { session, integration, inventory: &inventory, absent: Absent::new() };
    let (mut complete, mut logs, mut earlier) = (0, Vec::new(), Vec::new());
    for source in sources {
        let counts = (checked.items, checked.linked);
        match look.at(source, &mut checked) {
            Ok((mut problems, is_complete)) => {
                if source.repeats(&earlier) {
                    problems.drop_what_is_in(logs.iter());
                    (checked.items, checked.linked) = counts;
                }
                let file = source.part.settings.local_file();
                let found = problems.iter().map(|problem| in_file(problem, file.as_deref()));
                let found = found.map(|problem| in_links(problem, links.as_deref()));
                checked.findings.extend(found.map(|problem| finding(integration, problem)));
                logs.push(problems);
                earlier.push(source);
                complete += usize::from(is_complete);
            }
            Err(error) => {
                let message = format!("{}: {}", integration.name, error.message);
                checked.error = Some((message, error.exit));
                return Ok(checked);
            }
        }
    }
    // Only what every source lacks is gone.
    if complete == integration.parts.len() {
        let gone = look.absent.iter().filter(|(_, (_, times))| *times == complete);
        for (item_id, (sku, _)) in gone {
            let problem = broken_link(session, integration, item_id, sku)?;
            checked.findings.push(finding(integration, problem));
        }
        if session.options.skus.is_empty() {
            report_needless(session, integration, &mut checked);
        }
    }
    Ok(checked)
}

/// The problem with its line of the links file, where it is of links that stand there.
fn in_links(problem: Problem, links: Option<&LinksFile>) -> Problem {
    let is_of_links = problem.kind == ProblemKind::DuplicateSku && problem.line.is_none();
    let links = links.filter(|_| is_of_links);
    let line = links.zip(problem.item_id.as_deref()).and_then(|(links, id)| links.line_of(id));
    match (links, line) {
        (Some(links), Some(_)) => Problem { file: Some(links.name.clone()), line, ..problem },
        _ => problem,
    }
}

/// The problem with the local file that its line is one of.
fn in_file(problem: Problem, delivered: Option<&Path>) -> Problem {
    let is_of_delivery = problem.file.is_none() && problem.line.is_some();
    match delivered.filter(|_| is_of_delivery) {
        Some(path) => Problem { file: Some(path.display().to_string()), ..problem },
        None => problem,
    }
}

/// A problem with the line of the config that it concerns.
fn finding(integration: &Integration, problem: Problem) -> Finding {
    let line = |section: Option<&SectionSettings>| section.map(|section| section.line);
    let of_section = match problem.kind {
        ProblemKind::CurrencyMismatch => line(integration.prices.as_ref()),
        ProblemKind::NotManaged => line(integration.stock.first()),
        _ => None,
    };
    let severity = problem.kind.severity();
    Finding { problem, severity, config_line: of_section.unwrap_or(integration.line) }
}

/// What is wrong with a links file, and what is untidy in it.
fn check_links_file(
    session: &Session<'_>,
    integration: &Integration,
    inventory: &Inventory,
    checked: &mut Checked,
) -> anyhow::Result<()> {
    let Some(file) = session.links_file(integration)? else { return Ok(()) };
    let products = inventory.begin_read()?.products()?;
    let config_line = integration.links.as_ref().map_or(integration.line, |text| text.line());
    let mut log = ProblemLog::accepting(&integration.accept);
    let products = Some(&products).filter(|products| products.end() > 1);
    file.report(products, &session.options.skus, &mut log);
    if products.is_none() {
        let message = format!(
            "`integrations.{}.links`: the inventory has no products here, so nobody knows which \
             SKUs of {} exist. Name a CSV of them as `seed` in [inventory], or bring the \
             inventory along",
            integration.name, file.name
        );
        let config = session.config.path.display().to_string();
        let problem = of_file(config, config_line, message);
        checked.findings.push(Finding { problem, severity: Severity::Warning, config_line });
    }
    let wrong = log.iter().map(|problem| (problem, Severity::Error));
    let untidy = file
        .untidy()
        .into_iter()
        .map(|(line, message)| (of_file(file.name.clone(), line, message), Severity::Warning));
    let found = wrong.chain(untidy);
    checked.findings.extend(found.map(|(problem, severity)| Finding {
        problem,
        severity,
        config_line,
    }));
    Ok(())
}

/// What is wrong or doubtful in the config, or in a file that it names.
fn of_file(file: String, line: u64, message: String) -> Problem {
    Problem {
        kind: ProblemKind::Config,
        item_id: None,
        sku: None,
        file: Some(file),
        line: Some(line),
        message,
        accepted: None,
    }
}

/// Reports what the config accepts and what does not occur any more.
fn report_needless(session: &Session<'_>, integration: &Integration, checked: &mut Checked) {
    let occurs = |acceptance: &Acceptance| {
        checked.findings.iter().any(|Finding { problem, .. }| {
            acceptance.covers(problem.kind, problem.item_id.as_deref(), problem.sku.as_deref())
        })
    };
    let needless: Vec<_> = integration.accept.iter().filter(|accept| !occurs(accept)).collect();
    for Acceptance { kind, line, reason, .. } in needless {
        let message = format!(
            "`integrations.{}.accept`: this {} does not occur any more (\"{reason}\"): take the \
             entry out",
            integration.name,
            kind.word()
        );
        let file = session.config.path.display().to_string();
        let problem = of_file(file, *line, message);
        checked.findings.push(Finding { problem, severity: Severity::Warning, config_line: *line });
    }
}

/// The linked items that sources lack, with their SKUs and how many sources lack them.
type Absent = BTreeMap<String, (String, usize)>;

/// A look at all the sources of one integration.
struct Look<'l> {
    session: &'l Session<'l>,
    integration: &'l Integration,
    inventory: &'l Inventory,
    absent: Absent,
}

impl Look<'_> {
    /// What is wrong with one source, and whether it was complete.
    fn at(
        &mut self,
        source: &Source<'_>,
        checked: &mut Checked,
    ) -> Result<(ProblemLog, bool), RunError> {
        let (session, integration) = (self.session, self.integration);
        let fed = || {
            let all = integration.all_sections();
            let all = all.filter(|(section, settings)| source.part.feeds(*section, settings));
            all.filter(|(section, _)| session.options.only.is_none_or(|only| only == *section))
        };
        let has = |wanted| fed().any(|(section, _)| section == wanted);
        let (stock, prices) = (has(Section::Stock), has(Section::Prices));
        let want = Want { stock, prices, names: false };
        let opened = match Opened::by(source.connector.as_ref(), want) {
            Err(error) => return wrong_mapping(error),
            Ok(opened) => opened,
        };
        let tx = self.inventory.begin_read()?;
        let integration_id = tx.integration(&integration.name)?;
        let mut places = Vec::new();
        for (section, settings) in fed().filter(|(_, s)| s.direction == Direction::Send) {
            let stored = session.stored_place(&tx, section, &settings.place)?;
            places.push((section, stored.map(|place| place.id)));
        }
        let mut rules = match_rules(session, integration, false)?;
        // Items that a pull will make into products are no problem.
        rules.report_unlinked &= integration.unlinked == Unlinked::Report;
        let mut reading = read(session, &tx, integration_id, rules, &places, opened)?;
        if let Err(why) = pull::check_not_empty(integration, &reading) {
            return wrong_mapping(why);
        }
        source.connector.check(!places.is_empty())?;
        let matched = &mut reading.matched;
        checked.items += matched.counts.items;
        checked.linked += matched.counts.linked;
        let mut problems = std::mem::take(&mut matched.problems);
        for (item_id, product) in matched.absent_links() {
            let sku = matched.products.sku(product).to_owned();
            self.absent.entry(item_id.to_owned()).or_insert((sku, 0)).1 += 1;
        }
        for (section, _) in fed().filter(|(_, s)| s.direction == Direction::Download) {
            super::plan::disputed(&reading.matched, section, &mut problems);
        }
        for lack in &reading.delivery.nowhere {
            let severity = if lack.is_needed { Severity::Error } else { Severity::Warning };
            let file = session.config.path.display().to_string();
            let problem = of_file(file, lack.line, lack.message.clone());
            checked.findings.push(Finding { problem, severity, config_line: lack.line });
        }
        report_not_listed(&reading, &mut problems, &places);
        checked.sources.push((source.part.of, reading.delivery.dialect.clone()));
        self.report_drift(&tx, source, &reading, &mut problems)?;
        Ok((problems, reading.delivery.complete))
    }

    /// What is not as the last push confirmed it.
    fn report_drift(
        &self,
        tx: &Tx<'_>,
        source: &Source<'_>,
        reading: &Reading,
        problems: &mut ProblemLog,
    ) -> Result<(), RunError> {
        let Some(id) = tx.integration(&self.integration.name)? else { return Ok(()) };
        let Some(writer) = source.connector.writer(&reading.delivery)? else { return Ok(()) };
        let decimals = writer.limits();
        for (section, settings) in self.integration.sections(Direction::Send) {
            let is_fed = source.part.feeds(section, settings);
            let Some(column) = reading.column(section).filter(|_| is_fed) else { continue };
            let send = SendRules {
                settings,
                decimals: match section {
                    Section::Prices => decimals.price_decimals,
                    _ => decimals.quantity_decimals,
                },
                confirmed: &tx.confirmed(id, section, &settings.places)?,
                allow_drift: false,
                elsewhere: &Elsewhere::default(),
            };
            super::plan::drifted(&reading.matched, section, column, &send, problems);
        }
        Ok(())
    }
}

/// What the mapping is to blame for is a problem of the config, all else an error as in a pull.
fn wrong_mapping(error: ConnectorError) -> Result<(ProblemLog, bool), RunError> {
    if error.kind != ErrorKind::Mapping {
        return Err(error.into());
    }
    let mut problems = ProblemLog::default();
    problems.add(ProblemKind::Config, About::default(), &error.message);
    Ok((problems, false))
}

fn broken_link(
    session: &Session<'_>,
    integration: &Integration,
    item_id: &str,
    sku: &str,
) -> Result<Problem, RunError> {
    let kind = ProblemKind::BrokenLink;
    let accepted =
        integration.accept.iter().find(|accept| accept.covers(kind, Some(item_id), Some(sku)));
    let links = session.links_file(integration)?;
    let line = links.as_ref().and_then(|links| links.line_of(item_id));
    Ok(Problem {
        kind,
        item_id: Some(item_id.to_owned()),
        sku: Some(sku.to_owned()),
        file: links.map(|links| links.name.clone()),
        line,
        message: "it is linked, but the integration does not have it any more. Remove the link \
                  (`invsync link remove`), or put the item back"
            .to_owned(),
        accepted: accepted.map(|accept| accept.reason.clone()),
    })
}

/// Products with a value to send that have no item.
fn report_not_listed(
    reading: &Reading,
    problems: &mut ProblemLog,
    places: &[(Section, Option<i64>)],
) {
    let matched = &reading.matched;
    if places.is_empty() || !reading.delivery.complete {
        return;
    }
    let absent: rustc_hash::FxHashSet<_> =
        matched.absent_links().into_iter().map(|(_, product)| product).collect();
    for product in matched.products.by_sku() {
        let has_value = reading.columns.iter().any(|column| column.get(product).get().is_some());
        let is_linked = matched.delivered[product as usize].is_linked();
        if has_value && !is_linked && !absent.contains(&product) {
            let about = About { item_id: None, sku: Some(matched.products.sku(product)), line: 0 };
            let message = "it has a value to send, but no item of the store is linked to it. List \
                           it there, link its item (`invsync link set`), or accept it in the \
                           config (`accept`)";
            problems.add(ProblemKind::NotListed, about, message);
        }
    }
}
