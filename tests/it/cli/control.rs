//! What an entry says about its own syndication, as `feed` and `why` show it.

use serde_json::json;

use super::site::Site;

/// A site whose second entry says something, and makes slips.
fn site() -> Site {
    let site = Site::polled("", "[accounts.work]\nplatform = \"outbox\"\npath = \"work.jsonl\"\n");
    let feed = std::fs::read_to_string(site.path("feed.xml")).unwrap();
    let entry = "<entry><id>tag:a.example,2026:1</id><title>Hello</title><link href=\"https://a.example/1\"/>
        <post xmlns=\"https://posseparty.com/2024/Feed\"><![CDATA[{
            truncate: 'no', subtitle: 'Sub', hashtags: ['#a'],
            platform_overrides: {bsky: {summary: '<p>a</p>', updated_at: '2026-11-24'}},
            account_overrides: {wrok: {syndicate: false}, work: {titel: '\\u001b'}},
        }]]></post></entry></feed>";
    std::fs::write(site.path("feed.xml"), feed.replace("</feed>", entry)).unwrap();
    site
}

const SLIPS: [&str; 2] = [
    "`posse:post.truncate` (line 2, column 23) is `\"no\"`, not true or false, ignored",
    "`posse:post.account_overrides.work.titel` (line 4, column 66) is unknown (did you mean `title`?), ignored",
];
const STRANGER: &str =
    "`account_overrides.wrok` is no account of the config (did you mean `work`?)";

#[test]
fn feed_shows_what_is_said_and_what_is_wrong_with_it() {
    let site = site();
    let text = site.well(&["feed", "blog"]);
    let said = "control of \"Hello\": hashtags = [\"a\"], \
                platform_overrides.bluesky.summary = \"a\", \
                platform_overrides.bluesky.updated_at = \"2026-11-24T00:00:00.000Z\", \
                account_overrides.wrok.syndicate = false\n";
    assert!(text.contains(said), "{text}");
    for problem in SLIPS.iter().chain([&STRANGER]) {
        let line = format!("problem: tag:a.example,2026:1: {problem}\n");
        assert!(text.contains(&line), "{line}{text}");
    }
    let seen = site.json(&["feed", "blog"]);
    let entry = seen["entries"].as_array().unwrap().iter().find(|it| it["title"] == "Hello");
    let entry = entry.unwrap();
    assert_eq!(entry["subtitle"], "Sub");
    let control = json!({
        "hashtags": ["a"],
        "platform_overrides": {"bluesky": {"summary": "a", "updated_at": "2026-11-24T00:00:00.000Z"}},
        "account_overrides": {"wrok": {"syndicate": false}},
        "problems": SLIPS,
    });
    assert_eq!(entry["control"], control);
    let problems = seen["problems"].as_array().unwrap();
    let messages: Vec<_> = problems.iter().map(|problem| &problem["message"]).collect();
    assert_eq!(messages, [SLIPS[0], SLIPS[1], STRANGER]);
    // without a config nobody knows which accounts there are
    std::fs::remove_file(site.path("config.toml")).unwrap();
    assert!(!site.well(&["feed", "feed.xml"]).contains("no account"));
}

#[test]
fn why_shows_the_slips_of_the_stored_entry() {
    let site = site();
    site.once();
    let text = site.well(&["why", "https://a.example/1"]);
    for problem in SLIPS {
        assert!(text.contains(&format!("\n  problem    {problem}\n")), "{problem}\n{text}");
    }
    assert_eq!(site.json(&["why", "https://a.example/1"])[0]["problems"], json!(SLIPS));
    assert_eq!(site.json(&["why", "https://a.example/old"])[0]["problems"], json!([]));
}
