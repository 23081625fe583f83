//! The sources of an integration, each with what it delivered and what is planned on it.

use std::io;
use std::sync::Arc;

use super::Session;
use super::plan::SectionPlan;
use super::problem_log::ProblemLog;
use super::read::Reading;
use super::run::Ending;
use super::view::PlanChanges;
use crate::config::{Integration, Part, SectionSettings};
use crate::connector::Connector;
use crate::inventory::Inventory;
use crate::model::{
    ChangeRow, ChangeStatus, Direction, Problem, ProblemKind, RunSummary, Section, StorePlaces,
    Timestamp,
};
use crate::report::{Changes, EachChange, Problems, RunReport};

/// A source, ready to be contacted.
pub(super) struct Source<'i> {
    pub part: &'i Part,
    pub connector: Box<dyn Connector>,
}

impl Source<'_> {
    /// The sections of a direction that this source feeds and the command line did not leave out.
    pub(super) fn sections<'i>(
        &self,
        session: &Session<'_>,
        integration: &'i Integration,
        direction: Direction,
    ) -> Vec<(Section, &'i SectionSettings)> {
        let mut sections = super::pull::sections(session, integration, direction);
        sections.retain(|(section, settings)| self.part.feeds(*section, settings));
        sections
    }

    /// Whether one of these has the same items, with other values: then they are counted there.
    pub(super) fn repeats(&self, earlier: &[&Source<'_>]) -> bool {
        let has_same = |other: &&Source<'_>| Arc::ptr_eq(&other.part.settings, &self.part.settings);
        earlier.iter().any(has_same)
    }

    /// Whether what a run recorded of a section at these places is of this source.
    pub(super) fn has(&self, section: Section, at_store: &StorePlaces) -> bool {
        self.part.sections.contains(&section) && self.part.places.of(section) == *at_store
    }
}

/// What a source delivered, and what is planned on it.
pub(super) struct Planned {
    pub reading: Reading,
    pub plans: Vec<SectionPlan>,
    /// Another source has the same items: they are counted there.
    pub is_repeated: bool,
}

/// Everything that a run planned, of all its sources.
pub(super) struct AllPlanned(pub Vec<Planned>);

impl AllPlanned {
    /// What the sources of an integration have, one after the other.
    pub(super) fn of(all: impl IntoIterator<Item = Planned>) -> AllPlanned {
        let mut planned = AllPlanned(Vec::new());
        all.into_iter().for_each(|one| planned.add(one));
        planned
    }

    /// Adds what a source has; what another one has said of the same items is not said again.
    pub(super) fn add(&mut self, mut planned: Planned) {
        if planned.is_repeated {
            planned.reading.matched.problems.drop_what_is_in(self.logs());
        }
        self.0.push(planned);
    }

    pub(super) fn plans(&self) -> impl Iterator<Item = &SectionPlan> {
        self.0.iter().flat_map(|planned| &planned.plans)
    }

    fn logs(&self) -> impl Iterator<Item = &ProblemLog> {
        self.0.iter().map(|planned| &planned.reading.matched.problems)
    }

    /// All problems, in the order of the sources.
    pub(super) fn problems(&self) -> impl Iterator<Item = Problem> + '_ {
        self.logs().flat_map(ProblemLog::iter)
    }

    /// How many problems of each kind there are.
    pub(super) fn problem_counts(&self) -> Vec<(ProblemKind, u64)> {
        let mut counts: Vec<(ProblemKind, u64)> = Vec::new();
        for (kind, more) in self.logs().flat_map(ProblemLog::counts) {
            match counts.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += more,
                None => counts.push((kind, more)),
            }
        }
        counts
    }

    /// How the run ended; `is_stopped`: a guard stopped all that a source feeds.
    pub(super) fn ending(&self, is_stopped: bool) -> Ending {
        let endings = self.0.iter().map(|Planned { reading, plans, .. }| {
            Ending::of(plans, is_stopped, &reading.matched.problems)
        });
        endings.fold(Ending::default(), Ending::and)
    }

    /// Puts the numbers into the summary; what counts as missing the caller knows.
    pub(super) fn summarise(&self, summary: &mut RunSummary, ending: &Ending) {
        let done = if summary.dry_run { ChangeStatus::Planned } else { ChangeStatus::Applied };
        summary.status = ending.status();
        for planned in self.0.iter().filter(|planned| !planned.is_repeated) {
            let counts = planned.reading.matched.counts;
            summary.items += counts.items;
            summary.duplicates += counts.duplicates;
            summary.linked += counts.linked;
            summary.unlinked += (counts.items - counts.duplicates).saturating_sub(counts.linked);
            summary.created += planned.reading.matched.created.len() as u64;
        }
        summary.invalid = self.logs().map(|log| log.count_of(ProblemKind::InvalidValue)).sum();
        for plan in self.plans().filter(|plan| !plan.stopped) {
            *summary.changed.of(plan.section) += plan.count(done);
        }
        summary.held_back = ending.held_back;
        summary.refused = ending.refused;
        summary.sections = self.plans().map(SectionPlan::heading).collect();
        summary.sections.sort_by_key(|heading| heading.section);
        summary.finished_at = Some(Timestamp::now());
    }

    /// The report of the run.
    pub(super) fn report<'a>(
        &'a self,
        inventory: &'a Inventory,
        summary: &RunSummary,
    ) -> RunReport<'a> {
        let changes = self.0.iter().map(|planned| PlanChanges {
            inventory,
            matched: &planned.reading.matched,
            plans: &planned.plans,
            has_items: true,
        });
        RunReport {
            summary: summary.clone(),
            changes: Box::new(AllChanges(changes.collect())),
            problems: Box::new(AllProblems(self)),
        }
    }
}

/// The changes of all sources, by section and SKU.
struct AllChanges<'a>(Vec<PlanChanges<'a>>);

impl Changes for AllChanges<'_> {
    fn each(&self, each: EachChange<'_>) -> anyhow::Result<()> {
        let mut goes_on = true;
        for section in Section::ALL {
            self.each_of(section, &mut |change| {
                goes_on = goes_on && each(change)?;
                Ok(goes_on)
            })?;
        }
        Ok(())
    }

    fn each_of(&self, section: Section, each: EachChange<'_>) -> anyhow::Result<()> {
        // A section has one source, or one for each location.
        let mut goes_on = true;
        let mut each = |change: &ChangeRow<'_>| {
            goes_on = goes_on && each(change)?;
            Ok(goes_on)
        };
        self.0.iter().try_for_each(|changes| changes.each_of(section, &mut each))
    }

    fn count_of(&self, section: Section) -> anyhow::Result<u64> {
        self.0.iter().map(|changes| changes.count_of(section)).sum()
    }
}

struct AllProblems<'a>(&'a AllPlanned);

impl Problems for AllProblems<'_> {
    fn count(&self) -> u64 {
        self.0.logs().map(Problems::count).sum()
    }

    fn each(&self, each: &mut dyn FnMut(&Problem) -> io::Result<bool>) -> anyhow::Result<()> {
        for problem in self.0.problems() {
            if !each(&problem)? {
                break;
            }
        }
        Ok(())
    }
}
