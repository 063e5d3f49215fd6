//! Keep: a token that was got into the memory of its account, and what that ends.
//!
//! **Invariant:** one transaction: the token, what is known of it, the end of any renewal that is
//! under way, of the parking, and of the incidents. A daemon that runs notices the commit.

use super::super::CliError;
use super::super::desk::Desk;
use crate::care;
use crate::publish::meta::login::Entry;
use crate::publish::meta::renew::LIFE_NOTE;
use crate::publish::meta::token::NOTE;
use crate::report;
use crate::store::accounts::{self, Account, set_note, turn};
use crate::store::incidents;
use crate::token::Watch;

/// Keeps `entry` as the token of `account`; with its life where it is a Page's (`is_page`), which
/// nobody renews.
///
/// # Errors
/// The database can't be written: nothing is changed.
pub async fn keep(
    desk: &Desk,
    account: &Account,
    entry: &Entry,
    is_page: bool,
) -> Result<(), CliError> {
    let (id, label, now) = (account.id, account.label.clone(), desk.now);
    let plain = "plain data can be written as JSON";
    let token = serde_json::to_value(&entry.token).expect(plain);
    let life = serde_json::to_value(entry.life).expect(plain);
    // the life is told by the watch at once; the next look is due now, and asks nobody
    let watch = Watch { life: Some(entry.life), ..Watch::default() };
    let watch = serde_json::to_value(watch).expect(plain);
    let life = if is_page { life } else { serde_json::Value::Null };
    let kept = desk.store.write(move |tx| {
        set_note(tx, id, NOTE, &token)?;
        set_note(tx, id, LIFE_NOTE, &life)?;
        set_note(tx, id, care::NOTE, &watch)?;
        turn::end(tx, id)?;
        accounts::unpark(tx, id, now)?;
        for key in [report::account_incident(&label), report::token_incident(&label)] {
            incidents::resolve(tx, &key, now)?;
        }
        Ok(())
    });
    Ok(kept.await?)
}
