//! A Facebook Page and an Instagram account, as `login` and `check --online` tell of them.

use posse_party::clock::Clock;
use serde_json::json;

use super::site::{Said, Site, fed};
use crate::facebook_server::{Facebook, PAGE};
use crate::graph_server::{Fault, GraphServer, TOKEN, trouble};
use crate::instagram_server::{Instagram, RENEWED, USER};

/// The other Page of whom the token is of.
const OTHER: &str = "107000000000002";
const PAGE_TOKEN: &str = "marked-token-of-the-page";

fn facebook(about: &str) -> GraphServer<Facebook> {
    let mut platform = Facebook::default();
    platform.about["type"] = json!(about);
    platform.pages = json!([
        {"id": OTHER, "name": "Bob's Page", "access_token": "marked-token-of-the-other",
            "tasks": ["CREATE_CONTENT"]},
        {"id": PAGE, "name": "Ada's Page", "access_token": PAGE_TOKEN,
            "tasks": ["CREATE_CONTENT", "MODERATE"]},
    ]);
    let server = GraphServer::start(platform, Clock::System.now());
    server.let_in(PAGE_TOKEN);
    server
}

fn site(server: &GraphServer<Facebook>, page: &str) -> Site {
    Site::polled(
        "",
        &format!(
            "[accounts.page]\nplatform = \"facebook\"\nbase_url = \"{}\"\npage_id = \"{page}\"\n",
            server.url()
        ),
    )
}

/// Runs `login` with `input`; sees that nothing secret is said.
fn login(site: &Site, input: &str) -> Said {
    let said = fed(&mut site.command(&["login", "facebook"]), input);
    assert!(!said.out.contains("marked") && !said.err.contains("marked"), "{said:?}");
    said
}

/// The token that the account remembers.
fn kept(site: &Site) -> Option<String> {
    let note = site.meddle(|db| {
        let label = posse_party::names::Label::new("page").unwrap();
        let id = posse_party::store::accounts::by_label(db, &label)?.unwrap().id;
        posse_party::store::accounts::note(db, id, "meta.token")
    })?;
    Some(note["access_token"].as_str().unwrap().to_owned())
}

#[test]
fn the_pages_are_listed_and_the_one_of_the_config_is_kept() {
    for answer in ["", PAGE] {
        let server = facebook("USER");
        let site = site(&server, PAGE);
        let said = login(&site, &format!("{TOKEN}\n{answer}\n"));
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.err.contains(&format!("{OTHER}  Bob's Page\n")), "{said:?}");
        assert!(said.err.contains(&format!("{PAGE}  Ada's Page (the one of the config)\n")));
        assert!(said.out.starts_with("`page` is Ada's Page on facebook: its token is kept"));
        assert_eq!(kept(&site).as_deref(), Some(PAGE_TOKEN));
        let online = site.run(&["check", "--online"]);
        assert!(online.out.contains("✓ page: facebook, Ada's Page"), "{online:?}");
        for part in ["the token has no end", "its right to read ends in", "development mode"] {
            assert!(online.out.contains(part), "{part}: {}", online.out);
        }
    }
}

#[test]
fn another_page_is_not_kept_and_the_line_for_the_config_is_told() {
    let check = |about: &str, page: &str, input: &str, expect: &[&str]| {
        let server = facebook(about);
        let site = site(&server, page);
        let said = login(&site, input);
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:?}");
        for part in [&["nothing was kept: "], expect].concat() {
            assert!(said.err.contains(part), "{part}: {}", said.err);
        }
        assert_eq!(kept(&site), None);
    };
    let set = format!("set `page_id = \"{OTHER}\"` in `[accounts.page]`");
    let is = format!("of Bob's Page (`{OTHER}`), and `page_id` is `{PAGE}`");
    check("USER", PAGE, &format!("{TOKEN}\n{OTHER}\n"), &[&is, &set, "reload"]);
    check("USER", PAGE, &format!("{TOKEN}\n5\n"), &["there is no Page `5`", OTHER, PAGE]);
    let neither = format!("the Pages are `{OTHER}`, `{PAGE}`, and `page_id` is `5`");
    check("USER", "5", &format!("{TOKEN}\n"), &[&neither, "set `page_id` in `[accounts.page]`"]);
    // the token of a Page, pasted
    let set = format!("for Ada's Page, set `page_id = \"{PAGE}\"`");
    check("PAGE", OTHER, &format!("{TOKEN}\n"), &[&set]);
}

#[test]
fn a_page_that_nobody_may_post_to_and_none_at_all_are_told() {
    let server = facebook("USER");
    server.with(|it| it.pages[1]["tasks"] = json!(["ANALYZE"]));
    let site = site(&server, PAGE);
    let error = login(&site, &format!("{TOKEN}\n\n")).err;
    assert!(error.contains("you may not post to Ada's Page"), "{error}");
    server.with(|it| it.pages = json!([]));
    let error = login(&site, &format!("{TOKEN}\n")).badly();
    assert!(error.contains("the token sees no Page"), "{error}");
    assert_eq!(kept(&site), None);
}

#[test]
fn a_token_of_another_account_on_instagram_is_not_kept() {
    let server = GraphServer::start(Instagram::default(), Clock::System.now());
    for (number, is_kept) in [("17840000000000001", false), (USER, true)] {
        let account = format!(
            "[accounts.page]\nplatform = \"instagram\"\nbase_url = \"{}\"\n\
             user_id = \"{number}\"\n",
            server.url()
        );
        let site = Site::polled("", &account);
        let said = fed(&mut site.command(&["login", "instagram"]), &format!("{TOKEN}\n"));
        let set = format!("for @ada, set `user_id = \"{USER}\"` in `[accounts.page]`");
        assert_eq!(said.err.contains(&set), !is_kept, "{said:?}");
        assert_eq!(kept(&site).is_some(), is_kept, "{said:?}");
    }
}

#[test]
fn check_tells_an_owner_what_instagram_says() {
    let server = GraphServer::start(Instagram::default(), Clock::System.now());
    server.let_in(RENEWED); // of an unknown age, the token is renewed at once
    let account = format!(
        "[accounts.photos]\nplatform = \"instagram\"\nbase_url = \"{}\"\n\
         access_token = \"{TOKEN}\"\nuser_id = \"{USER}\"\n",
        server.url()
    );
    let site = Site::polled("", &account);
    let said = site.run(&["check", "--online"]);
    for part in [
        "✓ photos: instagram, @ada",
        "a professional one (MEDIA_CREATOR)",
        "instagram_business_content_publish",
        "the token ends in 59 days",
        "0 of 50 posts",
    ] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    server.fault("GET /me", Fault::Error(trouble(10, 0, "(#10) Insufficient developer role")));
    let said = site.run(&["check", "--online"]);
    assert!(said.out.contains("✗ photos: ") && said.out.contains("Tester invites"), "{said:?}");
    server.with(|it| it.account_type = "PERSONAL");
    let said = site.run(&["check", "--online"]);
    assert!(said.out.contains("Switch to professional account"), "{said:?}");
}
