use reqwest::header::HeaderMap;
use serde_json::json;

use super::*;
use crate::crosspost::Class;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const LATER: Timestamp = Timestamp::from_secs(1_800_000_900);

use Meaning as M;
use Platform::{Facebook as F, Instagram as I, Threads as T};

fn answer(code: i64, subcode: Option<i64>, message: &str) -> Answer {
    let mut body = json!({"error": {"code": code, "message": message, "type": "OAuthException"}});
    if let Some(subcode) = subcode {
        body["error"]["error_subcode"] = json!(subcode);
    }
    Answer::new(400, &HeaderMap::new(), body.to_string().as_bytes())
}

/// What `answer` means on `platform`, and its class when a container is made, when it is
/// published, and when something is read.
fn check(platform: Platform, answer: &Answer, expect: (M, &str, &str, &str)) {
    let words = answer.words();
    for (phase, expect_class) in
        [(Phase::Create, expect.1), (Phase::Publish, expect.2), (Phase::Read, expect.3)]
    {
        let (meaning, _) = meaning(platform, phase, answer);
        assert_eq!(meaning, expect.0, "{platform:?} {phase:?}: {words}");
        let class = class(meaning, phase, 0, String::new(), NOW, LATER);
        assert_eq!(class.as_str(), expect_class, "{platform:?} {phase:?}: {words}");
    }
}

/// The row `code/subcode`, and the same number in `code` where it is known by itself.
fn row(platform: Platform, code: i64, subcode: i64, expect: (M, &str, &str, &str)) {
    check(platform, &answer(code, Some(subcode), "Fatal"), expect);
    if subcode >= 1_000_000 {
        check(platform, &answer(subcode, None, "Fatal"), expect);
    }
}

#[test]
fn every_row_of_threads() {
    let again = "retry";
    row(T, 24, 4_279_009, (M::NotReady, again, again, again));
    row(T, -1, 4_279_047, (M::Card, "card", "card", again));
    row(T, 1, 2_207_052, (M::Tries(2), again, "ambiguous", again));
    row(T, 10, 4_279_013, (M::Permission, "account", "account", "account"));
    row(T, 4, 2_207_051, (M::Flagged, again, "ambiguous", again));
    let says = |code, text: &str, expect| check(T, &answer(code, None, text), expect);
    let (content, card) = ((M::Content, "content", "content", again), M::Card);
    let long = answer(100, None, "Param text must be at most 500 characters long.");
    for (phase, means, expect) in [
        (Phase::Create, M::TooLong, "too_long"),
        (Phase::Publish, M::TooLong, "content"),
        (Phase::Read, M::Content, again),
    ] {
        assert_eq!(meaning(T, phase, &long).0, means);
        let class = class(means, phase, 0, String::new(), NOW, LATER);
        assert_eq!(class.as_str(), expect, "{phase:?}");
    }
    says(100, "THREADS_API__LINK_LIMIT_EXCEEDED", content);
    says(1, "(#1) THREADS_API__LINK_LIMIT_EXCEEDED: too many", content);
    let option = (M::Option, "content", "content", again);
    says(1, "THREADS_API__FEATURE_NOT_AVAILABLE", option);
    says(100, "THREADS_API__GEO_GATING_INVALID_COUNTRY_CODES", option);
    let url = answer(100, None, "Param link_attachment is not a valid URL");
    assert_eq!(meaning(T, Phase::Create, &url).0, card);
    assert_eq!(meaning(I, Phase::Create, &url).0, M::Content, "a row of Threads alone");
}

#[test]
fn every_row_of_instagram() {
    let again = "retry";
    let content = (M::Content, "content", "content", again);
    let trouble = (M::Trouble, again, "ambiguous", again);
    row(I, 9007, 2_207_027, (M::NotReady, again, again, again));
    row(I, 24, 2_207_008, (M::Mislaid, again, again, again));
    row(I, 24, 2_207_006, trouble);
    row(I, -2, 2_207_003, trouble);
    row(I, -2, 2_207_020, (M::Lapsed, again, again, again));
    row(I, -1, 2_207_001, trouble);
    row(I, -1, 2_207_032, trouble);
    row(I, -1, 2_207_053, trouble);
    row(I, 9004, 2_207_052, (M::Tries(3), again, "ambiguous", again));
    for (code, subcode) in [
        (352, 2_207_026),
        (36000, 2_207_004),
        (36001, 2_207_005),
        (36003, 2_207_009),
        (1, 2_207_057),
        (100, 2_207_023),
        (100, 2_207_028),
        (100, 2_207_035),
        (100, 2_207_036),
        (100, 2_207_037),
        (100, 2_207_040),
        (110, 2_207_018),
        (10, 2_207_081),
    ] {
        row(I, code, subcode, content);
    }
    row(I, 36004, 2_207_010, (M::TooLong, "too_long", "content", again));
    row(I, 4, 2_207_051, (M::Flagged, again, "ambiguous", again));
    row(I, 9, 2_207_042, (M::Quota, "rate_limited", "rate_limited", "rate_limited"));
    row(I, 25, 2_207_050, (M::Permission, "account", "account", "account"));
    for subcode in [2_207_082, 2_207_085, 2_207_077] {
        row(I, -1, subcode, (M::Tries(1), again, "ambiguous", again));
    }
    check(I, &answer(80_002, None, ""), LIMITED);
}

#[test]
fn every_row_of_facebook() {
    let again = "retry";
    let content = (M::Content, "content", "content", again);
    let permission = (M::Permission, "account", "account", "account");
    let duplicate = (M::Duplicate, "duplicate", "duplicate", "duplicate");
    let trouble = (M::Trouble, again, "ambiguous", again);
    row(F, 368, 1_404_082, duplicate);
    row(F, 368, 1_390_008, (M::Blocked(72), "account", "account", "account"));
    row(F, 368, 4_854_002, permission);
    row(F, 1, 1_404_006, permission);
    row(F, 200, 1_404_078, permission);
    for subcode in [1_404_112, 1_404_102, 1_346_003, 1_366_046, 2_069_019, 2_061_006, 1_349_125] {
        row(F, 100, subcode, content);
    }
    row(F, 100, 1_609_005, (M::CardTries(1), again, again, again));
    row(F, 100, 1_609_008, (M::Card, "card", "card", again));
    row(F, 1, 1_609_010, trouble);
    row(F, 1, 1_363_047, trouble);
    row(F, 100, 1_366_051, duplicate);
    let missing = answer(100, Some(33), "Unsupported post request");
    assert_eq!(meaning(F, Phase::Publish, &missing).0, M::Permission);
    assert_eq!(meaning(F, Phase::Read, &missing).0, M::Missing);
    let says =
        "Any of the pages_read_engagement permission(s) must be granted before impersonating";
    check(F, &answer(190, None, says), permission);
}

const LIMITED: (M, &str, &str, &str) = (M::Limited, "rate_limited", "rate_limited", "rate_limited");

#[test]
fn every_general_row() {
    let again = "retry";
    for platform in [T, I, F] {
        let of = |code: i64, expect| check(platform, &answer(code, None, "(#1) x"), expect);
        for code in [-1, -2, 1, 2] {
            of(code, (M::Trouble, again, "ambiguous", again));
        }
        let codes = [4, 17, 32, 341, 613, 80_000, 80_001, 80_003, 80_006, 80_008, 80_009, 80_014];
        codes.into_iter().for_each(|code| of(code, LIMITED));
        for code in [3, 10, 200, 230, 299] {
            of(code, (M::Permission, "account", "account", "account"));
        }
        of(100, (M::Content, "content", "content", again));
        of(102, (M::Expired, "account", "account", "account"));
        of(190, (M::Expired, "account", "account", "account"));
        for subcode in [458, 459, 460, 463, 464, 467, 493] {
            row(platform, 190, subcode, (M::Expired, "account", "account", "account"));
        }
        row(platform, 190, 492, (M::Permission, "account", "account", "account"));
        of(368, (M::Blocked(24), "account", "account", "account"));
        of(506, (M::Duplicate, "duplicate", "duplicate", "duplicate"));
        row(platform, 100, 1_609_005, (M::CardTries(1), again, again, again));
        of(4711, (M::Unknown, again, "ambiguous", again));
    }
    row(T, 100, 33, (M::Missing, again, "ambiguous", again));
    row(I, 100, 33, (M::Missing, again, "ambiguous", again));
}

#[test]
fn what_needs_a_person_says_what_to_do() {
    let check = |platform, code, subcode: Option<i64>, text: &str| {
        let (meaning, own) = meaning(platform, Phase::Publish, &answer(code, subcode, ""));
        let hint = own.map_or_else(|| hint(meaning, platform), str::to_owned);
        assert!(hint.contains(text), "{platform:?} {code}: {hint}");
    };
    check(T, 10, None, "threads_content_publish");
    check(I, 10, None, "instagram_business_content_publish");
    check(F, 200, None, "pages_manage_posts");
    check(T, 190, Some(463), "posse-party login threads");
    check(T, 190, Some(460), "the password was changed");
    check(T, 190, Some(459), "security check");
    check(T, 3, None, "use case");
    check(F, 190, Some(492), "the role on the Page");
    check(T, 368, None, "Meta has stopped the account");
}

#[test]
fn tries_end_in_the_content_or_without_the_card() {
    let of = |meaning, phase, tried| class(meaning, phase, tried, String::new(), NOW, LATER);
    let check = |meaning, tried, expect: &str| {
        assert_eq!(of(meaning, Phase::Create, tried).as_str(), expect, "{meaning:?} {tried}");
    };
    check(M::Tries(2), 1, "retry");
    check(M::Tries(2), 2, "content");
    check(M::CardTries(1), 0, "retry");
    check(M::CardTries(1), 1, "card");
    check(M::Unknown, 1, "retry");
    check(M::Unknown, 2, "content");
    for meaning in [M::Tries(1), M::Unknown] {
        assert_eq!(of(meaning, Phase::Publish, 9), Class::Ambiguous, "never of a publish");
    }
    let refused = of(M::Content, Phase::Token, 0);
    assert_eq!(refused.as_str(), "account", "about a token there is no content");
}

#[test]
fn pauses_have_an_end() {
    let of = |meaning| class(meaning, Phase::Publish, 0, "look".into(), NOW, LATER);
    assert_eq!(of(M::Limited), Class::RateLimited { not_before: Some(LATER) });
    let hour = NOW.plus(QUOTA_REST);
    assert_eq!(of(M::Quota), Class::RateLimited { not_before: Some(hour) });
    let until = Some(NOW.plus(Duration::from_secs(72 * 3600)));
    assert_eq!(of(M::Blocked(72)), Class::Account { until, hint: "look".into() });
}

#[test]
fn only_true_means_that_it_will_pass() {
    let check = |status: u16, transient: bool, expect: M| {
        let body = json!({"error": {"code": 4711, "is_transient": transient, "message": "?"}});
        let answer = Answer::new(status, &HeaderMap::new(), body.to_string().as_bytes());
        assert_eq!(meaning(T, Phase::Create, &answer).0, expect, "{status} {transient}");
    };
    check(400, true, M::Trouble);
    check(400, false, M::Unknown);
    check(500, false, M::Trouble);
    let page = Answer::new(400, &HeaderMap::new(), b"<html>");
    assert_eq!(meaning(T, Phase::Publish, &page).0, M::Trouble, "a page is of an outage");
}

#[test]
fn translated_words_are_not_looked_at() {
    let body = json!({"error": {"code": 4711, "message": "?",
        "error_user_title": "LINK_LIMIT_EXCEEDED", "error_user_msg": "link_attachment"}});
    let answer = Answer::new(400, &HeaderMap::new(), body.to_string().as_bytes());
    assert_eq!(meaning(T, Phase::Create, &answer).0, M::Unknown);
}
