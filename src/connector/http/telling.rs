//! What the client tells: a line for each attempt and each wait, and the whole story of an error.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Url;

use super::attempt::Reply;
use super::client::{Client, Errand, GiveUp, Intent};
use super::failure::Failure;
use super::scrub::one_line;
use super::verdict::Failed;
use super::{HttpError, HttpErrorKind, redirect};

/// How much of a path and query an error shows.
const SHOWN_CHARS: usize = 200;

impl Client {
    /// The error as a whole: who asked for what, what came, how often, why no more.
    pub(super) fn story(
        &self,
        errand: &Errand<'_>,
        failed: Failed,
        attempts: u32,
        why: &GiveUp,
    ) -> HttpError {
        let mut error = *failed.error;
        let what = format!(
            "{} {}: {}",
            errand.request.method,
            one_line(&self.place(errand, &errand.request.url), SHOWN_CHARS),
            self.scrub(&error.message)
        );
        let after = match attempts {
            1 => String::new(),
            more => format!(", after {more} attempts"),
        };
        let reason = match why {
            GiveUp::Enough => String::new(),
            GiveUp::NoBudget => "; `http.retry_budget` is used up".to_owned(),
            GiveUp::TooLong(asked) => format!(
                "; it asks to wait {}, more than what is left of `http.retry_budget` ({})",
                seconds(*asked),
                seconds(self.budget.left())
            ),
            GiveUp::Interrupted => {
                error.kind = HttpErrorKind::Interrupted;
                error.message = "interrupted by a signal".to_owned();
                return error;
            }
        };
        error.message = format!("{what}{after}{reason}");
        error
    }

    /// One line for who looks closely.
    pub(super) fn tell_of_attempt(
        &self,
        what: &str,
        sent: &Result<Reply, Failure>,
        took: Duration,
        attempt: u32,
    ) {
        let ms = took.as_millis();
        let (outcome, flaw) = match sent {
            Ok(reply) => (reply.status.to_string(), reply.flaw.as_ref()),
            Err(failure) => ("no answer".to_owned(), Some(failure)),
        };
        let flaw = match flaw {
            Some(failure) => format!(": {}", self.scrub(failure.words())),
            None => String::new(),
        };
        self.detail(&format!("{what} {outcome} {ms} ms, attempt {attempt}{flaw}"));
    }

    /// Told once: it stands before every answer.
    pub(super) fn tell_of_notice(&self, notice: &str) {
        if self.has_told_of_notices.swap(true, Ordering::Relaxed) {
            return;
        }
        self.around.progress.note(&format!(
            "{}: its answers begin with text that is no JSON: `{notice}`; a plugin or a PHP \
             notice prints it; it was skipped",
            self.name
        ));
    }

    pub(super) fn detail(&self, message: &str) {
        self.around.progress.detail(&format!("{}: {message}", self.name));
    }

    /// Path and query as they were before signing, scrubbed; of a file, which may be anywhere, the
    /// host and no query, for that may be a key.
    pub(super) fn target(&self, errand: &Errand<'_>, url: &Url) -> String {
        let query = match errand.intent {
            Intent::Fetch => String::new(),
            _ => url.query().map(|query| format!("?{query}")).unwrap_or_default(),
        };
        let place = self.place(errand, url);
        self.scrub(&format!("{place}{query}"))
    }

    /// The path alone, scrubbed; of a file the host as well.
    fn place(&self, errand: &Errand<'_>, url: &Url) -> String {
        if errand.intent == Intent::Fetch {
            return self.scrub(&redirect::place(url));
        }
        self.scrub(url.path())
    }
}

/// `0.48 s`, `600 s`.
pub(super) fn seconds(duration: Duration) -> String {
    let hundredths = duration.as_millis().div_ceil(10);
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => format!("{whole} s"),
        (whole, part) if whole < 10 => format!("{whole}.{part:02} s"),
        (whole, _) => format!("{whole} s"),
    }
}
