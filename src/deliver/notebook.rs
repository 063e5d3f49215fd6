//! Notebooks: what publishers write down, kept in the store.

use async_trait::async_trait;
use serde_json::Value;

use crate::names::{AccountId, CrosspostId};
use crate::publish::{Notebook, NotebookError};
use crate::store::{Store, StoreError, accounts, crossposts};

/// The journal of one crosspost.
pub struct Journal {
    /// The store.
    pub store: Store,
    /// The crosspost.
    pub crosspost: CrosspostId,
}

/// What one account remembers.
pub struct Memory {
    /// The store.
    pub store: Store,
    /// The account.
    pub account: AccountId,
}

#[async_trait]
impl Notebook for Journal {
    async fn read(&self, key: &str) -> Result<Option<Value>, NotebookError> {
        let (id, key) = (self.crosspost, key.to_owned());
        self.store.read(move |db| crossposts::note(db, id, &key)).await.map_err(told)
    }

    async fn write(&self, key: &str, value: Value) -> Result<(), NotebookError> {
        let (id, key) = (self.crosspost, key.to_owned());
        self.store.write(move |tx| crossposts::set_note(tx, id, &key, &value)).await.map_err(told)
    }
}

#[async_trait]
impl Notebook for Memory {
    async fn read(&self, key: &str) -> Result<Option<Value>, NotebookError> {
        let (id, key) = (self.account, key.to_owned());
        self.store.read(move |db| accounts::note(db, id, &key)).await.map_err(told)
    }

    async fn write(&self, key: &str, value: Value) -> Result<(), NotebookError> {
        let (id, key) = (self.account, key.to_owned());
        self.store.write(move |tx| accounts::set_note(tx, id, &key, &value)).await.map_err(told)
    }
}

fn told(error: StoreError) -> NotebookError {
    NotebookError(error.to_string())
}
