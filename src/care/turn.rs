//! Turn: the memory of an account for as long as its token is being renewed.
//!
//! **Refuses:** to write once the turn is lost: what was renewed then is not the token of now.

use async_trait::async_trait;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::deliver::notebook::Memory;
use crate::names::AccountId;
use crate::publish::{Notebook, NotebookError};
use crate::store::accounts::{set_note, turn};
use crate::store::{Result, Store};

/// A turn that was taken.
pub struct Turn {
    memory: Memory,
    holder: String,
}

impl Turn {
    /// Takes the turn of `account` until `until`; none where somebody else has it.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn take(
        store: &Store,
        account: AccountId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Self>> {
        // that of the system never fails once it has begun to give; then the time must do
        let random = getrandom::u64().unwrap_or_default();
        let holder = format!("{now} {random:016x}");
        let name = holder.clone();
        let taken = store.write(move |tx| turn::take(tx, account, &name, now, until)).await?;
        let memory = Memory { store: store.clone(), account };
        Ok(taken.then_some(Self { memory, holder }))
    }

    /// The name of whoever has it.
    pub fn holder(&self) -> &str {
        &self.holder
    }
}

#[async_trait]
impl Notebook for Turn {
    async fn read(&self, key: &str) -> std::result::Result<Option<Value>, NotebookError> {
        self.memory.read(key).await
    }

    async fn write(&self, key: &str, value: Value) -> std::result::Result<(), NotebookError> {
        let (account, holder, key) = (self.memory.account, self.holder.clone(), key.to_owned());
        let written = self
            .memory
            .store
            .write(move |tx| {
                let is_mine = turn::is_of(tx, account, &holder)?;
                if is_mine {
                    set_note(tx, account, &key, &value)?;
                }
                Ok(is_mine)
            })
            .await;
        match written {
            Ok(true) => Ok(()),
            Ok(false) => Err(NotebookError("the token was replaced meanwhile".into())),
            Err(error) => Err(NotebookError(error.to_string())),
        }
    }
}
