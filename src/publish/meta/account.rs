//! Account: the API of an account with what lets us in, and what working with it came to.
//!
//! **Invariant:** the refusal of a token that was replaced meanwhile says nothing of the new one.

use super::graph::Graph;
use super::renew;
use super::token::{self, App};
use crate::config::Secret;
use crate::crosspost::{Class, Failure};
use crate::publish::{Desk, Found, Outcome, Renewal};

/// An account of one of the three.
pub struct Account {
    /// Its API.
    pub graph: Graph,
    /// Absent where only `login` gives one.
    configured: Option<Secret>,
    /// The app that its token is from: in its name it can be asked about.
    app: Option<App>,
}

impl Account {
    /// The account of the `configured` token, or of the one that `login` keeps.
    pub const fn new(graph: Graph, configured: Option<Secret>) -> Self {
        Self { graph, configured, app: None }
    }

    /// The same account, with the app that its token is from.
    pub fn with_app(self, app: Option<App>) -> Self {
        Self { app, ..self }
    }

    /// The token of now.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    pub async fn token(&self, desk: &Desk<'_>) -> Result<Secret, Failure> {
        let token = token::current(desk, self.configured.as_ref()).await?;
        token.ok_or_else(|| renew::none(self.graph.platform()))
    }

    /// The daily care for the token, as [`crate::publish::Publisher::renew`].
    ///
    /// # Errors
    /// As there.
    pub async fn renew(&self, desk: &Desk<'_>) -> Result<Renewal, Failure> {
        renew::renew(&self.graph, desk, self.configured.as_ref(), self.app.as_ref()).await
    }

    /// What an attempt with the token `used` came to.
    pub async fn outcome(
        &self,
        desk: &Desk<'_>,
        used: &Secret,
        outcome: Result<Outcome, Failure>,
    ) -> Outcome {
        match outcome {
            Ok(Outcome::Failed(failure)) | Err(failure) => {
                Outcome::Failed(self.of_now(desk, used, failure).await)
            }
            Ok(outcome) => outcome,
        }
    }

    /// What a question with the token `used` came to.
    pub async fn found(
        &self,
        desk: &Desk<'_>,
        used: &Secret,
        found: Result<Found, Failure>,
    ) -> Found {
        match found {
            Ok(Found::Unknown(failure)) | Err(failure) => {
                Found::Unknown(self.of_now(desk, used, failure).await)
            }
            Ok(found) => found,
        }
    }

    /// A refusal as it concerns the token of now. Whether a renewal ends the token of before is not
    /// known; one that was refused after it had been replaced says nothing of the new one.
    async fn of_now(&self, desk: &Desk<'_>, used: &Secret, failure: Failure) -> Failure {
        let is_account = matches!(failure.class, Class::Account { until: None, .. });
        match token::current(desk, self.configured.as_ref()).await {
            Ok(Some(token)) if is_account && token != *used => Failure::retry(failure.message),
            _ => failure,
        }
    }
}
