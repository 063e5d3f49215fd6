//! Table: every code of Meta's API that is known to mean something.
//!
//! From Meta's documents (2026-09), recorded refusals, and what other publishers report of theirs.
//! The first row that fits counts: special ones stand before general ones.

use super::{Meaning as M, Phase};
use crate::platform::Platform::{self, Facebook, Instagram, Threads};

/// One row.
pub struct Row {
    /// Where it counts; empty: everywhere.
    pub platforms: &'static [Platform],
    /// In which calls; empty: in all.
    pub phases: &'static [Phase],
    /// The codes.
    pub code: Code,
    /// The subcode; of seven digits and more, it is looked for in `code` too.
    pub subcode: Option<i64>,
    /// English words that the message, or the type, must hold as well.
    pub text: Option<&'static str>,
    /// What it means.
    pub meaning: M,
    /// What the owner should do, where that is something special.
    pub hint: Option<&'static str>,
}

/// Codes.
#[derive(Clone, Copy)]
pub enum Code {
    /// Any.
    Any,
    /// One.
    Is(i64),
    /// From one to another, both included.
    In(i64, i64),
}

impl Code {
    /// Whether `code` is one of them.
    pub const fn holds(self, code: i64) -> bool {
        match self {
            Self::Any => true,
            Self::Is(one) => one == code,
            Self::In(first, last) => first <= code && code <= last,
        }
    }
}

const IN_CREATION: &[Phase] = &[Phase::Create, Phase::Publish];

const HOSTING: &str = "Meta could not fetch the file: its address must be public, https, without \
                       redirects, fast, and open to `facebookexternalhit`";
const CHECKPOINT: &str = "sign in to the account in a browser and pass the security check; then \
                          make a new token, or run `posse-party resume ACCOUNT`";
const PASSWORD: &str = "the password was changed: make a new token and put it into the config";
const INVALIDATED: &str = "the session was ended by its owner or by Meta: make a new token and put \
                           it into the config";
const REMOVED: &str = "the app was removed from the account: accept it again, make a new token and \
                       put it into the config";
const UNCONFIRMED: &str = "the account is not confirmed: sign in in a browser, confirm it, then \
                           make a new token";
const ROLE: &str = "the role on the Page is lost: have it given back, then make a new token";
const INACTIVE: &str = "the account was away for more than 90 days: consent to the app again and \
                        make a new token";
const IMPERSONATION: &str = "this is no expired token: choose the Page and grant its permissions \
                             when the token is made (docs/accounts/facebook.md)";
const PRODUCT: &str = "the app lacks the product for this platform: add its use case in the \
                       dashboard (docs/accounts/meta.md)";
const PAGE_ID: &str = "most often `page_id` is wrong, or the token is of another Page";
const STOPPED: &str = "Meta has stopped the account for a while: sign in in a browser and look \
                       what it says; nothing is sent before that";

const EVERYWHERE: Row = Row {
    platforms: &[],
    phases: &[],
    code: Code::Any,
    subcode: None,
    text: None,
    meaning: M::Unknown,
    hint: None,
};

const fn one(code: i64, meaning: M) -> Row {
    Row { code: Code::Is(code), meaning, ..EVERYWHERE }
}

const fn sub(code: i64, subcode: i64, meaning: M) -> Row {
    Row { code: Code::Is(code), subcode: Some(subcode), meaning, ..EVERYWHERE }
}

/// A number that is known by itself.
const fn own(number: i64, meaning: M) -> Row {
    Row { subcode: Some(number), meaning, ..EVERYWHERE }
}

impl Row {
    const fn on(self, platforms: &'static [Platform]) -> Self {
        Self { platforms, ..self }
    }

    const fn when(self, phases: &'static [Phase]) -> Self {
        Self { phases, ..self }
    }

    const fn says(self, text: &'static str) -> Self {
        Self { text: Some(text), ..self }
    }

    const fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    const fn means(self, meaning: M) -> Self {
        Self { meaning, ..self }
    }
}

const T: &[Platform] = &[Threads];
const I: &[Platform] = &[Instagram];
const F: &[Platform] = &[Facebook];

/// The table.
pub const ROWS: &[Row] = &[
    // ---- Threads --------------------------------------------------------------------------------
    own(4_279_009, M::NotReady).on(T),
    own(4_279_047, M::Card).on(T),
    own(4_279_013, M::Permission).on(T).hint("the profile is restricted: see what Threads says"),
    own(2_207_051, M::Flagged).on(T),
    own(2_207_052, M::Tries(2)).on(T).hint(HOSTING),
    one(100, M::Card).on(T).when(IN_CREATION).says("link_attachment"),
    one(100, M::TooLong).on(T).when(IN_CREATION).says("must be at most 500 characters"),
    EVERYWHERE.on(T).says("LINK_LIMIT_EXCEEDED").means(M::Content),
    EVERYWHERE.on(T).says("FEATURE_NOT_AVAILABLE").means(M::Option),
    EVERYWHERE.on(T).says("GEO_GATING_INVALID_COUNTRY_CODES").means(M::Option),
    // ---- Instagram ------------------------------------------------------------------------------
    own(2_207_027, M::NotReady).on(I),
    own(2_207_008, M::Mislaid).on(I),
    // never existed, lapsed, or published: only the list can tell
    own(2_207_006, M::Trouble).on(I),
    own(2_207_003, M::Trouble).on(I),
    own(2_207_020, M::Lapsed).on(I),
    own(2_207_001, M::Trouble).on(I),
    own(2_207_032, M::Trouble).on(I),
    own(2_207_053, M::Trouble).on(I),
    own(2_207_052, M::Tries(3)).on(I).hint(HOSTING),
    own(2_207_026, M::Content).on(I),
    own(2_207_004, M::Content).on(I),
    own(2_207_005, M::Content).on(I),
    own(2_207_009, M::Content).on(I),
    own(2_207_010, M::TooLong).on(I),
    own(2_207_057, M::Content).on(I),
    own(2_207_023, M::Content).on(I),
    own(2_207_028, M::Content).on(I),
    own(2_207_035, M::Content).on(I),
    own(2_207_036, M::Content).on(I),
    own(2_207_037, M::Content).on(I),
    own(2_207_040, M::Content).on(I),
    own(2_207_018, M::Content).on(I),
    own(2_207_051, M::Flagged).on(I),
    own(2_207_042, M::Quota).on(I),
    own(2_207_050, M::Permission).on(I).hint(CHECKPOINT),
    own(2_207_082, M::Tries(1)).on(I).hint(HOSTING),
    own(2_207_085, M::Tries(1)).on(I).hint(HOSTING),
    own(2_207_077, M::Tries(1)).on(I).hint(HOSTING),
    own(2_207_081, M::Content).on(I),
    // ---- Facebook Pages -------------------------------------------------------------------------
    own(1_404_082, M::Duplicate).on(F),
    own(1_390_008, M::Blocked(72)).on(F).hint(STOPPED),
    own(4_854_002, M::Permission)
        .on(F)
        .hint("Meta wants the identity confirmed: sign in and do so"),
    own(1_404_006, M::Permission).on(F).hint(CHECKPOINT),
    own(1_404_078, M::Permission)
        .on(F)
        .hint("the Page needs Page Publishing Authorization: sign in and grant it"),
    own(1_404_112, M::Content).on(F),
    own(1_404_102, M::Content).on(F),
    own(1_346_003, M::Content).on(F),
    own(1_609_008, M::Card).on(F),
    own(1_609_010, M::Trouble).on(F),
    own(1_363_047, M::Trouble).on(F),
    own(1_366_046, M::Content).on(F),
    own(1_366_051, M::Duplicate).on(F),
    own(2_069_019, M::Content).on(F),
    own(2_061_006, M::Content).on(F),
    own(1_349_125, M::Content).on(F),
    sub(100, 33, M::Permission).on(F).when(IN_CREATION).hint(PAGE_ID),
    // ---- everywhere -----------------------------------------------------------------------------
    own(1_609_005, M::CardTries(1)),
    one(190, M::Permission).says("impersonat").hint(IMPERSONATION),
    sub(190, 458, M::Expired).hint(REMOVED),
    sub(190, 459, M::Expired).hint(CHECKPOINT),
    sub(190, 460, M::Expired).hint(PASSWORD),
    sub(190, 464, M::Expired).hint(UNCONFIRMED),
    sub(190, 467, M::Expired).hint(INVALIDATED),
    sub(190, 492, M::Permission).hint(ROLE),
    sub(190, 493, M::Expired).hint(INACTIVE),
    one(190, M::Expired), // 463 too
    one(102, M::Expired),
    sub(100, 33, M::Missing),
    Row { code: Code::In(200, 299), meaning: M::Permission, ..EVERYWHERE },
    one(10, M::Permission),
    one(3, M::Permission).hint(PRODUCT),
    one(4, M::Limited),
    one(17, M::Limited),
    one(32, M::Limited),
    one(341, M::Limited),
    one(613, M::Limited),
    Row { code: Code::In(80_000, 80_014), meaning: M::Limited, ..EVERYWHERE },
    one(368, M::Blocked(24)).hint(STOPPED),
    one(506, M::Duplicate),
    one(100, M::Content),
    one(-2, M::Trouble),
    one(-1, M::Trouble),
    one(1, M::Trouble),
    one(2, M::Trouble),
];
