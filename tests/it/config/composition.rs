//! Text settings, filters and people: what they become, and what is said of mistakes in them.

use insta::assert_snapshot;
use posse_party::config::Config;
use posse_party::draft::{Channel, ReplyControl, Visibility};
use posse_party::entry::Entry;
use posse_party::platform::Platform;
use posse_party::settings::{
    AltRule, HashtagRules, HashtagSource, HashtagStyle, Layer, MediaFrom, MediaOrCard, Utm,
};

use super::{Folder, MINIMAL, label, load, said};

const MASTODON: &str = "[accounts.a]\nplatform = \"mastodon\"\ndry_run = true";

#[test]
fn mistakes_in_text_settings() {
    let rows = [
        "syndicate = \"no\"",
        "channel = \"reel\"",
        "channel = \"feed\"",
        "channel = \"story\"",
        "append_url_label = \"Read more\"",
        "reply_control = \"everyone\"",
        "reply_control = \"nobody\"",
        "content_warning = \"\"",
        "append_url_if_truncated = 1",
        "og_title = 3",
        "og_image = \"card.png\"",
        "og_image = \"file:card.png\"",
        "og_image = \"https://a.example/card.png\"",
        "append_hashtags = \"yes\"",
        "hashtags = [\"cats\"]",
        "hashtags = {}",
        "hashtags = { from = \"title\", style = \"snake\", max = 0 }",
        "hashtags = { maximum = 3, excluded = [\"x\"] }",
        "hashtags = { map = [\"c++\"] }",
        "hashtags = { map = { \"c++\" = \"c++\", rust = \"\", go = \"#golang\" }, exclude = [\"\"] }",
        "hashtags = { exclude = \"x\" }",
        "media = \"feed\"",
        "media = \"control\"",
        "media = [\"a.jpg\"]",
        "media_max = 0",
        "media_or_card = \"cards\"",
        "alt = \"required\"",
        "alt = false",
        "style = \"lower\"",
        "utm = \"social\"",
        "utm = { sauce = \"x\" }",
        "utm = { source = \"{{title|shout}}\", medium = \"\" }",
        "utm_source = \"x\"",
        "tags = [\"cats\"]",
    ];
    assert_snapshot!(said(MASTODON, &rows), @r###"
    syndicate = "no"
        accounts.a.syndicate: the text `no` is not a switch, want `true` or `false`
    channel = "reel"
        accounts.a.channel: `reel` is unknown, want `feed` or `story`
    channel = "feed"
        fine
    channel = "story"
        accounts.a.channel: mastodon has no stories, want `feed`
    append_url_label = "Read more"
        accounts.a.append_url_label: mastodon shows no label, leave it out
    reply_control = "everyone"
        accounts.a.reply_control: mastodon has no choice of who may reply, leave it out
    reply_control = "nobody"
        accounts.a.reply_control: mastodon has no choice of who may reply, leave it out
        accounts.a.reply_control: `nobody` is unknown, want `everyone`, `accounts_you_follow`, `followers_only` or `mentioned_only`
    content_warning = ""
        fine
    append_url_if_truncated = 1
        accounts.a.append_url_if_truncated: `1` is not a switch, want `true` or `false`
    og_title = 3
        accounts.a.og_title: `3` is not a text, want it in quotes
    og_image = "card.png"
        accounts.a.og_image: `card.png` has no scheme, want for example `https://example.com/card.png`
    og_image = "file:card.png"
        accounts.a.og_image: `file:card.png` has no scheme, want for example `https://example.com/card.png`
    og_image = "https://a.example/card.png"
        fine
    append_hashtags = "yes"
        accounts.a.append_hashtags: the text `yes` is not a switch, want `true` or `false`
    hashtags = ["cats"]
        accounts.a.hashtags: a list is no table, want for example `{ style = "lower", max = 3 }`
    hashtags = {}
        fine
    hashtags = { from = "title", style = "snake", max = 0 }
        accounts.a.hashtags.from: `title` is unknown, want `categories` or `none`
        accounts.a.hashtags.max: `0` is no count, want a whole number from 1
        accounts.a.hashtags.style: `snake` is unknown, want `camel`, `lower` or `keep`
    hashtags = { maximum = 3, excluded = ["x"] }
        accounts.a.hashtags.excluded: unknown key, want `exclude`
        accounts.a.hashtags.maximum: unknown key, want `from`, `style`, `max`, `map` or `exclude`
    hashtags = { map = ["c++"] }
        accounts.a.hashtags.map: a list is no table, want for example `{ "c++" = "cpp" }`
    hashtags = { map = { "c++" = "c++", rust = "", go = "#golang" }, exclude = [""] }
        accounts.a.hashtags.exclude: is empty
        accounts.a.hashtags.map."c++": `c++` is no hashtag, want letters, digits and `_`, for example `OpenSource`
        accounts.a.hashtags.map.rust: is empty
    hashtags = { exclude = "x" }
        accounts.a.hashtags.exclude: `x` is no list, want `["x"]`
    media = "feed"
        accounts.a.media: `feed` is unknown, want `auto`, `control` or `none`
    media = "control"
        fine
    media = ["a.jpg"]
        accounts.a.media: a list is no word, want `auto`, `control` or `none`
    media_max = 0
        accounts.a.media_max: `0` is no count, want a whole number from 1
    media_or_card = "cards"
        accounts.a.media_or_card: `cards` is unknown, want `card`
    alt = "required"
        accounts.a.alt: `required` is unknown, want `require`
    alt = false
        accounts.a.alt: `false` is no word, want `require`, `warn` or `ignore`
    style = "lower"
        accounts.a.style: unknown key here, it belongs in `hashtags = { … }`
    utm = "social"
        accounts.a.utm: the text `social` is no table, want for example `{ source = "{{platform}}", medium = "social" }`
    utm = { sauce = "x" }
        accounts.a.utm.sauce: unknown key, want `source`
    utm = { source = "{{title|shout}}", medium = "" }
        accounts.a.utm.medium: is empty
        accounts.a.utm.source: `{{title|shout}}` can't be used: unknown filter: filter shout is unknown
    utm_source = "x"
        accounts.a.utm_source: unknown key, want `utm`
    tags = ["cats"]
        accounts.a.tags: unknown key, want `hashtags`
    "###);
}

#[test]
fn what_a_platform_has_not_got_is_a_mistake_in_its_accounts_and_none_in_the_defaults() {
    let all = "visibility = \"direct\"\ncontent_warning = \"Food\"\nchannel = \"story\"\n\
               append_url_label = \"More\"\nreply_control = \"mentioned_only\"";
    let rows = [
        format!("[accounts.a]\nplatform = \"outbox\"\npath = \"x\"\n{all}"),
        format!("[accounts.a]\nplatform = \"bluesky\"\ndry_run = true\n{all}"),
        format!("[defaults]\n{all}"),
        "[defaults]\nreply_control = \"friends\"\nsyndicates = true".to_owned(),
        "[defaults]\nexclude = { title = \"*\" }".to_owned(),
    ];
    assert_snapshot!(said("", &rows.each_ref().map(String::as_str)), @r###"
    [accounts.a]
    platform = "outbox"
    path = "x"
    visibility = "direct"
    content_warning = "Food"
    channel = "story"
    append_url_label = "More"
    reply_control = "mentioned_only"
        accounts.a.append_url_label: outbox shows no label, leave it out
    [accounts.a]
    platform = "bluesky"
    dry_run = true
    visibility = "direct"
    content_warning = "Food"
    channel = "story"
    append_url_label = "More"
    reply_control = "mentioned_only"
        accounts.a.visibility: bluesky has no choice of visibility, leave it out
        accounts.a.content_warning: bluesky has no content warnings, leave it out
        accounts.a.channel: bluesky has no stories, want `feed`
        accounts.a.reply_control: bluesky has no choice of who may reply, leave it out
    [defaults]
    visibility = "direct"
    content_warning = "Food"
    channel = "story"
    append_url_label = "More"
    reply_control = "mentioned_only"
        fine
    [defaults]
    reply_control = "friends"
    syndicates = true
        defaults.reply_control: `friends` is unknown, want `everyone`, `accounts_you_follow`, `followers_only` or `mentioned_only`
        defaults.syndicates: unknown key, want `syndicate`
    [defaults]
    exclude = { title = "*" }
        defaults.exclude: unknown key here, it belongs in an account
    "###);
}

#[test]
fn mistakes_in_filters() {
    let rows = [
        "exclude = \"*draft*\"",
        "exclude = [\"*draft*\"]",
        "exclude = {}",
        "exclude = { title = [] }",
        "exclude = { title = 3, url = [\"\", 4, \"ok\"] }",
        "exclude = { titel = \"*draft*\", author = \"me\" }",
        "exclude.title = \"/draft\"",
        "exclude.title = \"/draft/gi\"",
        "exclude.title = '/(draft/'",
        "exclude.title = '/a(?=b)/'",
        "exclude.title = '/(\\w{50}){50}/'",
        "include.category = [\"photo\", '/^\\p{Lu}/']",
        "[accounts.a.include]\ncategory = \"photo\"\n[accounts.a.exclude]\ncontent = \"*ad*\"",
        "filter = { title = \"x\" }",
    ];
    assert_snapshot!(said(MASTODON, &rows), @r###"
    exclude = "*draft*"
        accounts.a.exclude: the text `*draft*` is no table, want for example `{ title = "*draft*", category = ["private", "test"] }`
    exclude = ["*draft*"]
        accounts.a.exclude: a list is no table, want for example `{ title = "*draft*", category = ["private", "test"] }`
    exclude = {}
        fine
    exclude = { title = [] }
        accounts.a.exclude.title: is an empty list, want at least one pattern, or leave it out
    exclude = { title = 3, url = ["", 4, "ok"] }
        accounts.a.exclude.title: `3` is no pattern, want one in quotes
        accounts.a.exclude.url: is empty
        accounts.a.exclude.url: `4` is not a text, want it in quotes
    exclude = { titel = "*draft*", author = "me" }
        accounts.a.exclude.author: unknown key, want `category`, `title`, `url` or `content`
        accounts.a.exclude.titel: unknown key, want `title`
    exclude.title = "/draft"
        accounts.a.exclude.title: `/draft` starts as a regular expression does and does not end as one, want `/…/` or `/…/i`, or for the text itself `*/draft*`
    exclude.title = "/draft/gi"
        accounts.a.exclude.title: `/draft/gi` starts as a regular expression does and does not end as one, want `/…/` or `/…/i`, or for the text itself `*/draft/gi*`
    exclude.title = '/(draft/'
        accounts.a.exclude.title: `/(draft/` is no regular expression: unclosed group
    exclude.title = '/a(?=b)/'
        accounts.a.exclude.title: `/a(?=b)/` is no regular expression: look-around, including look-ahead and look-behind, is not supported
    exclude.title = '/(\w{50}){50}/'
        accounts.a.exclude.title: `/(\w{50}){50}/` is too large a pattern, want a simpler one
    include.category = ["photo", '/^\p{Lu}/']
        fine
    [accounts.a.include]
    category = "photo"
    [accounts.a.exclude]
    content = "*ad*"
        fine
    filter = { title = "x" }
        accounts.a.filter: unknown key, want `include`
    "###);
    let many: Vec<_> = (0..101).map(|n| format!("\"{n}\"")).collect();
    let many = format!("exclude.title = [{}]", many.join(", "));
    let said = said(MASTODON, &[&many]);
    assert!(said.ends_with("    accounts.a.exclude: holds 101 patterns, want at most 100\n"));
}

#[test]
fn a_path_that_is_a_regular_expression_is_worth_a_warning() {
    let config = load(&format!(
        "{MINIMAL}exclude.url = [\"/notes/\", \"*/notes/*\", '/notes\\d/', \"/notes/i\"]\n\
         exclude.title = \"/notes/\""
    ));
    assert_snapshot!(config.warnings.join("\n"), @r###"
    config.toml:9: accounts.fediverse.exclude.url: `/notes/` is the regular expression `notes`, anywhere in the URL; the path is `*/notes/*`
    "###);
}

#[test]
fn mistakes_in_people() {
    let rows = [
        "people = \"Ada\"",
        "[people]\n\"Ada Lovelace\" = \"@ada@example.social\"",
        "[people]\nada = {}",
        "[people]\n\"\" = { x = \"ada\" }",
        "[people]\n\" Ada\" = { x = \"ada\" }",
        "[people.\"Ada Lovelace\"]\nmastodon = \"@ada\"\nbluesky = \"@ada\"\nx = \"ada-l\"",
        "[people.ada]\nthreads = \"a b\"\ninstagram = \"https://instagram.com/ada\"\nyoutube = \"a\"",
        "[people.ada]\nmastodn = \"@ada@a.example\"\nfriendica = \"ada\"",
        "[people.ada]\nfacebook = \"ada\"\noutbox = \"ada\"\nlinkedin = 3",
        "[people.ada]\nmastodon = 3\nbluesky = \"\"",
        "[people.ada]\nbluesky = \"ada.example\"\nbsky = \"ada.example\"",
        "[people]\nada = { bsky = \"@ada.example\", mastodon = \"ada@a.example\", x = \"@ada\" }",
        "[person]\nada = { x = \"ada\" }",
    ];
    assert_snapshot!(said("", &rows), @r###"
    people = "Ada"
        people: want a table: `[people]`
    [people]
    "Ada Lovelace" = "@ada@example.social"
        people."Ada Lovelace": the text `@ada@example.social` is no table of handles, want for example `{ mastodon = "@ada@example.social", bluesky = "@ada.example" }`
    [people]
    ada = {}
        people.ada: has no handle, want `{ mastodon = "@ada@example.social", bluesky = "@ada.example" }`
    [people]
    "" = { x = "ada" }
        people."": want a name as your texts have it, without blanks around it
    [people]
    " Ada" = { x = "ada" }
        people." Ada": want a name as your texts have it, without blanks around it
    [people."Ada Lovelace"]
    mastodon = "@ada"
    bluesky = "@ada"
    x = "ada-l"
        people."Ada Lovelace".mastodon: `@ada` is no handle on mastodon, want it with its server, for example `@ada@example.social`
        people."Ada Lovelace".bluesky: `@ada` is no handle on bluesky, want a domain name, for example `@ada.bsky.social`
        people."Ada Lovelace".x: `ada-l` is no handle on x, want 1 to 15 of `A-Z a-z 0-9 _`, for example `@ada_l`
    [people.ada]
    threads = "a b"
    instagram = "https://instagram.com/ada"
    youtube = "a"
        people.ada.threads: `a b` is no handle on threads, want 1 to 30 of `A-Z a-z 0-9 . _`, for example `@ada.l`
        people.ada.instagram: `https://instagram.com/ada` is no handle on instagram, want 1 to 30 of `A-Z a-z 0-9 . _`, for example `@ada.l`
        people.ada.youtube: `a` is no handle on youtube, want 3 to 30 letters, digits, `_`, `-` or `.`, for example `@ada-l`
    [people.ada]
    mastodn = "@ada@a.example"
    friendica = "ada"
        people.ada.mastodn: unknown platform, want `mastodon`
        people.ada.friendica: unknown platform, want `mastodon`, `bluesky`, `threads`, `instagram`, `x` or `youtube`
    [people.ada]
    facebook = "ada"
    outbox = "ada"
    linkedin = 3
        people.ada.facebook: facebook has no mentions, leave it out
        people.ada.outbox: outbox has no mentions, leave it out
        people.ada.linkedin: linkedin has no mentions, leave it out
    [people.ada]
    mastodon = 3
    bluesky = ""
        people.ada.mastodon: `3` is not a text, want it in quotes
        people.ada.bluesky: is empty
    [people.ada]
    bluesky = "ada.example"
    bsky = "ada.example"
        people.ada.bsky: bluesky is named twice, want one handle
    [people]
    ada = { bsky = "@ada.example", mastodon = "ada@a.example", x = "@ada" }
        fine
    [person]
    ada = { x = "ada" }
        person: unknown key, want `database`, `feeds`, `accounts`, `defaults`, `people`, `delivery`, `http`, `media`, `media_host`, `log` or `retention`
    "###);
}

#[test]
fn platforms_without_a_publisher_are_named_with_what_they_can_do() {
    let mut rows: Vec<_> = Platform::ALL
        .into_iter()
        .filter(|platform| !platform.is_published())
        .map(|platform| format!("platform = \"{}\"\ndry_run = true", platform.tag()))
        .collect();
    // what its keys will be is not known; what all accounts have is checked
    rows.push("platform = \"linkedin\"\naccess_token = \"x\"\nuser_id = 3\ndelay = 3".into());
    let rows: Vec<_> = rows.iter().map(String::as_str).collect();
    assert_snapshot!(said("[accounts.a]", &rows), @r###"
    platform = "linkedin"
    dry_run = true
        accounts.a.platform: `linkedin` can't be published to by this version, want `mastodon`, `bluesky`, `threads`, `instagram`, `facebook` or `outbox`; `posse-party preview --platform linkedin` shows posts for it
    platform = "x"
    dry_run = true
        accounts.a.platform: `x` can't be published to by this version, want `mastodon`, `bluesky`, `threads`, `instagram`, `facebook` or `outbox`; `posse-party preview --platform x` shows posts for it
    platform = "youtube"
    dry_run = true
        accounts.a.platform: `youtube` can't be published to by this version, want `mastodon`, `bluesky`, `threads`, `instagram`, `facebook` or `outbox`; `posse-party preview --platform youtube` shows posts for it
    platform = "linkedin"
    access_token = "x"
    user_id = 3
    delay = 3
        accounts.a.platform: `linkedin` can't be published to by this version, want `mastodon`, `bluesky`, `threads`, `instagram`, `facebook` or `outbox`; `posse-party preview --platform linkedin` shows posts for it
        accounts.a.delay: `3` has no unit, want for example `3m`
    "###);
}

#[test]
fn text_settings_arrive_where_they_were_written() {
    let config = load(&format!(
        r##"{MINIMAL}
content_warning = "Food"
hashtags = {{ from = "none", max = 3, exclude = ["Misc"] }}
[accounts.bluesky]
platform = "bluesky"
dry_run = true
syndicate = false
append_url_label = "Read more"
utm = {{}}
[defaults]
syndicate = true
channel = "story"
format_string = "{{{{title}}}}"
truncate = false
append_url = true
append_url_if_truncated = true
append_url_spacer = " – "
append_url_label = "More"
attach_link = false
og_title = "T"
og_description = "D"
og_image = "https://a.example/card.png"
hashtags = {{ style = "lower", map = {{ "c++" = "#cpp" }} }}
append_hashtags = true
utm = {{ source = "{{{{platform}}}}", medium = "m", campaign = "c", term = "t", content = "n" }}
language = "pl"
visibility = "unlisted"
content_warning = "All"
reply_control = "followers_only"
media = "control"
media_max = 2
media_or_card = "card"
alt = "require"
"##
    ));
    let some = |text: &str| Some(text.to_owned());
    let rules = HashtagRules { style: HashtagStyle::Lower, ..HashtagRules::default() };
    let defaults = Layer {
        syndicate: Some(true),
        channel: Some(Channel::Story),
        format_string: some("{{title}}"),
        truncate: Some(false),
        append_url: Some(true),
        append_url_if_truncated: Some(true),
        append_url_spacer: some(" – "),
        append_url_label: some("More"),
        attach_link: Some(false),
        og_title: some("T"),
        og_description: some("D"),
        og_image: some("https://a.example/card.png"),
        hashtag_rules: Some(HashtagRules { map: [("c++".into(), "cpp".into())].into(), ..rules }),
        append_hashtags: Some(true),
        utm: Some(Utm {
            source: some("{{platform}}"),
            medium: some("m"),
            campaign: some("c"),
            term: some("t"),
            content: some("n"),
        }),
        language: some("pl"),
        visibility: Some(Visibility::Unlisted),
        content_warning: some("All"),
        reply_control: Some(ReplyControl::FollowersOnly),
        media_from: Some(MediaFrom::Control),
        media_max: Some(2),
        media_or_card: Some(MediaOrCard::Card),
        alt: Some(AltRule::Require),
        ..Layer::default()
    };
    assert_eq!(config.defaults, defaults);
    let rules = HashtagRules {
        from: HashtagSource::None,
        max: Some(3),
        exclude: vec!["Misc".into()],
        ..HashtagRules::default()
    };
    let of_fediverse =
        Layer { content_warning: some("Food"), hashtag_rules: Some(rules), ..Layer::default() };
    assert_eq!(config.accounts[&label("fediverse")].text, of_fediverse);
    let of_bluesky = Layer {
        syndicate: Some(false),
        append_url_label: some("Read more"),
        utm: Some(Utm::default()),
        ..Layer::default()
    };
    assert_eq!(config.accounts[&label("bluesky")].text, of_bluesky);
}

#[test]
fn filters_arrive_and_a_reload_sees_only_those_that_changed() {
    let with = |more: &str| load(&format!("{MINIMAL}{more}")).accounts[&label("fediverse")].clone();
    let (before, same) =
        (with("exclude.title = \"draft\""), with("exclude = {title = [\"draft\"]}"));
    assert_eq!(before, same);
    assert_ne!(before, with("exclude.title = \"Draft\""));
    assert_ne!(before, with("include.title = \"draft\""));
    assert_ne!(before, with(""));

    let filters = with("include = { category = [\"a\", \"b\"] }\nexclude.url = '/\\d/'").filters;
    let refusal = |categories: &[&str], url: &str| {
        let categories = categories.iter().map(|it| (*it).to_owned()).collect();
        filters.refusal(&Entry { categories, url: Some(url.into()), ..Entry::default() })
    };
    assert_eq!(refusal(&["B", "c"], "https://a.example/"), None);
    assert_eq!(
        refusal(&["c"], "https://a.example/").as_deref(),
        Some("filtered: nothing in `include` matches")
    );
    assert_eq!(
        refusal(&["a"], "https://a.example/1").as_deref(),
        Some("filtered: `exclude.url` `/\\d/` matches")
    );
}

#[test]
fn people_arrive_by_name_and_platform() {
    let config = load(
        "[people]\n\"Ada Lovelace\" = { mastodon = \"@ada@a.example\", bsky = \"@Ada.example\" }\n\
         [people.Grace]\nx = \"grace\"",
    );
    let ada = &config.people["Ada Lovelace"];
    assert_eq!(ada[&Platform::Mastodon], "ada@a.example");
    assert_eq!(ada[&Platform::Bluesky], "Ada.example");
    assert_eq!(config.people["Grace"][&Platform::X], "grace");
    assert_eq!((config.people.len(), ada.len()), (2, 2));
}

#[test]
fn later_files_add_people_and_take_the_place_of_lists() {
    let folder = Folder::new(&[
        (
            "config.toml",
            &format!("{MINIMAL}exclude.title = [\"a\", \"b\"]\n[people.Ada]\nx = \"ada\""),
        ),
        ("conf.d/a.toml", "[people.Ada]\nx = \"ada_l\"\n[people.\"C. Babbage\"]\nx = \"cb\""),
        ("conf.d/b.toml", "[accounts.fediverse]\nexclude.title = \"c\"\nexclude.url = \"d\""),
    ]);
    let config = folder.load().unwrap();
    assert_eq!(config.people["Ada"][&Platform::X], "ada_l");
    assert_eq!(config.people["C. Babbage"][&Platform::X], "cb");
    assert_eq!(config.accounts[&label("fediverse")].filters.exclude.len(), 2);
}

#[test]
fn without_secrets_only_what_is_kept_elsewhere_may_be_missing() {
    let account = |n: u8, secret: &str| {
        format!(
            "[accounts.a{n}]\nplatform = \"mastodon\"\nbase_url = \"https://{n}.example\"\n\
             access_token = {secret}\n"
        )
    };
    let missing = [
        "{ credential = \"no-such\" }",
        "{ file = \"no-such\" }",
        "{ env = \"POSSE_PARTY_NO_SUCH\" }",
        "{ file = \"empty\" }",
        "\"literal\"",
    ];
    let text: String = (0..).zip(missing).map(|(n, secret)| account(n, secret)).collect();
    let text = format!("database = \"x.db\"\n{text}[feeds.f]\nurl = \"https://e.example/\"");
    let folder = Folder::new(&[("config.toml", &text), ("empty", "\n")]);
    let load = |folder: &Folder| {
        let path = folder.path("config.toml");
        Config::load_without_secrets(&path, posse_party::compose::template::check)
    };
    let config = load(&folder).unwrap();
    assert_snapshot!(folder.without_folder(&config.warnings.join("\n")), @r###"
    config.toml:5: accounts.a0.access_token: credential `no-such` can't be found: `CREDENTIALS_DIRECTORY` is not set, want `LoadCredential=no-such:/path` in the unit, and a start by systemd
    config.toml:9: accounts.a1.access_token: file `/etc/pp/no-such` does not exist
    config.toml:13: accounts.a2.access_token: variable `POSSE_PARTY_NO_SUCH` is not set, or empty, or not UTF-8
    config.toml:17: accounts.a3.access_token: file `/etc/pp/empty` is empty, want the secret
    "###);
    let has = |name: &str| config.accounts[&label(name)].credentials.is_some();
    assert_eq!(["a0", "a1", "a2", "a3", "a4"].map(has), [false, false, false, false, true]);
    assert_eq!(config.secrets().count(), 1);

    for wrong in ["{ evn = \"X\" }", "{ env = \"two words\" }", "[]", "\"\"", "{ file = \"~/x\" }"]
    {
        folder.write("config.toml", format!("database = \"x.db\"\n{}", account(0, wrong)));
        assert_eq!(load(&folder).unwrap_err().list.len(), 1, "{wrong}");
    }
    // what is not written at all is no matter of where it is kept
    folder.write("config.toml", "database = \"x.db\"\n[accounts.a]\nplatform = \"mastodon\"\n");
    assert_eq!(load(&folder).unwrap_err().list.len(), 2);
}
