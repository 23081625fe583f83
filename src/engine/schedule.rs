//! How often a timer must look whether something is due. Asks nobody, computes with the config.

use std::time::Duration;

use super::UsageError;
use crate::config::Config;
use crate::model::{Direction, Schedule};

/// How many times a timer looks while the shortest `every` passes, so that a section that is found
/// not yet due by a little is not left waiting for long.
const LOOKS: u32 = 3;
/// It looks at least so often, for what failed is tried again after minutes. Each look takes
/// milliseconds.
const MOST: Duration = Duration::from_secs(300);
const MINUTE: Duration = Duration::from_secs(60);

/// The schedule for all sections of a config that have an `every`.
pub(super) fn schedule(config: &Config) -> Result<Schedule, UsageError> {
    let mut shortest: Option<Duration> = None;
    let mut jitter = Duration::ZERO;
    let mut below_a_minute = Vec::new();
    for integration in &config.integrations {
        for (section, settings) in integration.all_sections() {
            let is_on = settings.direction != Direction::Off;
            let Some(every) = settings.every.filter(|_| is_on) else { continue };
            shortest = Some(shortest.map_or(every, |shortest| shortest.min(every)));
            jitter = jitter.max(settings.jitter);
            if every < MINUTE {
                below_a_minute.push(format!("{}.{}", integration.name, section.word()));
            }
        }
    }
    // All locations of a section have one `every`.
    below_a_minute.dedup();
    let shortest = shortest.ok_or_else(|| {
        UsageError(format!(
            "no section in {} has an `every`, so nothing would ever be due. Give each section that \
             is to run by itself one, such as every = \"15m\", and ask again",
            config.path.display()
        ))
    })?;
    Ok(Schedule { tick: tick(shortest, jitter), jitter, below_a_minute })
}

fn tick(shortest: Duration, jitter: Duration) -> Duration {
    let wanted = (shortest / LOOKS).min(MOST);
    // Machines that are to come at different minutes must look at every minute.
    let wanted = if jitter.is_zero() { wanted } else { wanted.min(MINUTE) };
    if wanted >= MINUTE {
        return MINUTE * u32::try_from(wanted.as_secs() / 60).unwrap_or(1);
    }
    let seconds = (1..=wanted.as_secs()).rev().find(|seconds| 60 % seconds == 0);
    Duration::from_secs(seconds.unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_looks_often_enough_and_in_even_steps() {
        for seconds in 1..20_000 {
            let every = Duration::from_secs(seconds);
            let tick = tick(every, Duration::ZERO).as_secs();
            assert!(tick * 3 <= seconds.max(3), "{tick} s for {seconds} s");
            let (clock, unit) = if tick < 60 { (60, 1) } else { (3_600, 60) };
            let is_even = u64::is_multiple_of(clock, tick) && tick.is_multiple_of(unit);
            assert!(is_even, "{tick} s for {seconds} s");
        }
    }

    #[test]
    fn the_steps_for_usual_rhythms() {
        let tick = |minutes: u64, jitter| {
            let every = Duration::from_secs(minutes * 60);
            tick(every, Duration::from_secs(jitter)).as_secs()
        };
        assert_eq!(
            [1, 5, 7, 15, 60, 1_440].map(|every| tick(every, 0)),
            [20, 60, 120, 300, 300, 300]
        );
        assert_eq!(tick(60, 120), 60, "with jitter the minutes count");
    }
}
