//! Reading: an integration's items, drained on a thread of their own, matched on this one.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::time::Instant;

use super::Session;
use super::matching::{MatchRules, Matched, Matcher};
use super::run::RunError;
use crate::config::{Integration, Unlinked};
use crate::connector::{Connector, ConnectorError, Delivery, Reader, RowBatch, Want};
use crate::inventory::{Column, Loaded, Tx};
use crate::model::{Exit, Section};

/// Batches under way between the two threads.
const BATCHES: usize = 64;

/// What was read of an integration and what it means for the inventory.
pub(super) struct Reading {
    pub matched: Matched,
    /// The inventory's values, one column for each of `sections`.
    pub columns: Vec<Column>,
    pub sections: Vec<Section>,
    /// When the integration began to be read.
    pub read_at: Instant,
    pub delivery: Delivery,
}

impl Reading {
    /// What the inventory's own commands work on: nothing was read.
    pub(super) fn of_products(matched: Matched, columns: Vec<Column>) -> Reading {
        let delivery = Delivery::default();
        Reading { matched, columns, sections: Vec::new(), read_at: Instant::now(), delivery }
    }

    /// The inventory's values of a section, where they were loaded.
    pub(super) fn column(&self, section: Section) -> Option<&Column> {
        let at = self.sections.iter().position(|loaded| *loaded == section)?;
        self.columns.get(at)
    }
}

/// A reader, and when the integration began to be read.
pub(super) struct Opened {
    reader: Box<dyn Reader>,
    at: Instant,
}

impl Opened {
    /// Contacts an integration.
    pub(super) fn by(connector: &dyn Connector, want: Want) -> Result<Opened, ConnectorError> {
        let at = Instant::now();
        Ok(Opened { reader: connector.open(want)?, at })
    }
}

/// Drains a reader and matches its rows, while the inventory's state is loaded.
pub(super) fn read(
    session: &Session<'_>,
    tx: &Tx<'_>,
    integration_id: Option<i64>,
    rules: MatchRules,
    places: &[(Section, Option<i64>)],
    opened: Opened,
) -> Result<Reading, RunError> {
    let Opened { reader, at: read_at } = opened;
    std::thread::scope(|scope| {
        let (full_sender, full) = sync_channel(BATCHES);
        let (empty, empty_receiver) = channel();
        let drained = std::thread::Builder::new()
            .spawn_scoped(scope, move || {
                drain(reader, &empty_receiver, &|batch| full_sender.send(batch).is_ok())
            })
            .map_err(|why| {
                let why =
                    format!("no thread can be started: {why}. Wait a while, then run this again");
                RunError::new(Exit::Temporary, why)
            })?;
        let Loaded { products, columns } = tx.load(places)?;
        let mut links = tx.link_state(integration_id)?;
        if let Some(file) = &rules.links {
            links = file.state(&products, &links)?;
        }
        let mut matcher = Matcher::new(rules, products, links);
        if matcher.needs_eans_first() {
            matcher.set_eans(tx.eans()?);
        }
        let taken = take_all(session, &mut matcher, full, &empty);
        let delivery = drained
            .join()
            .map_err(|_| RunError::new(Exit::Failed, "the thread that reads ended by a panic"))?;
        taken?;
        let delivery = delivery?;
        let read_at = delivery.read_at.unwrap_or(read_at);
        if matcher.needs_eans() {
            matcher.set_eans(tx.eans()?);
        }
        let sections = places.iter().map(|(section, _)| *section).collect();
        Ok(Reading { matched: matcher.finish()?, columns, sections, read_at, delivery })
    })
}

fn drain(
    mut reader: Box<dyn Reader>,
    empty: &Receiver<RowBatch>,
    send: &dyn Fn(RowBatch) -> bool,
) -> Result<Delivery, ConnectorError> {
    loop {
        let mut batch = empty.try_recv().unwrap_or_default();
        batch.clear();
        let more = reader.next(&mut batch)?;
        // Problems of what is no item may come without any row.
        if (!batch.is_empty() || !batch.problems().is_empty()) && !send(batch) {
            return Ok(Delivery::default());
        }
        if !more {
            return reader.finish();
        }
    }
}

fn take_all(
    session: &Session<'_>,
    matcher: &mut Matcher,
    full: Receiver<RowBatch>,
    empty: &Sender<RowBatch>,
) -> Result<(), RunError> {
    let mut done = 0;
    for batch in full {
        session.check_interrupted()?;
        matcher.take(&batch)?;
        done += batch.len() as u64;
        session.progress.advance(done);
        // The reader may have ended already.
        let _ = empty.send(batch);
    }
    Ok(())
}

/// What an integration's items are matched by. The error is one of usage: its links file cannot be
/// used.
pub(super) fn match_rules(
    session: &Session<'_>,
    integration: &Integration,
    pulls: bool,
) -> Result<MatchRules, RunError> {
    let currency = integration
        .prices
        .as_ref()
        .and_then(|prices| session.config.price_group(&prices.place))
        .and_then(|group| group.currency);
    let links = session.links_file(integration)?;
    Ok(MatchRules {
        link_by: integration.link_by.clone(),
        create: pulls && integration.unlinked == Unlinked::Create,
        report_unlinked: integration.unlinked != Unlinked::Ignore,
        currency,
        only_skus: session.options.skus.clone(),
        only_proposes: links.is_some(),
        links,
        accept: Arc::clone(&integration.accept),
    })
}
