//! Content warnings: never lost, never counted wrong, and no obstacle after a lost answer.

use posse_party::compose::count;
use posse_party::entry::Markup;

use super::*;

const WARNING: &str = "Spoilers: <season> 1 & 2";

fn warned() -> Draft {
    Draft { content_warning: Some(WARNING.into()), ..draft() }
}

async fn published(bench: &Bench, draft: &Draft) {
    let outcome = bench.publish(draft).await;
    assert!(matches!(outcome, Outcome::Published(_)), "{:?}: {outcome:?}", bench.limits().await);
}

#[tokio::test]
async fn a_content_warning_goes_out_in_every_family() {
    for family in text_families() {
        let bench = Bench::new(family);
        published(&bench, &warned()).await;
        let post = &bench.server.posts()[0];
        let shown = if family == Family::Friendica { &post.title } else { &post.warning };
        assert_eq!(shown.as_deref(), Some(WARNING), "{family:?}");
        assert_eq!(post.text, draft().text, "{family:?}: the text stays what it hides");
        assert!(post.sensitive, "{family:?}");

        let bench = Bench::new(family);
        published(&bench, &draft()).await;
        let post = &bench.server.posts()[0];
        assert_eq!((&post.warning, &post.title, post.sensitive), (&None, &None, false));
        let body: Value = serde_json::from_str(&bench.posted()[0].body).unwrap();
        assert_eq!(body, json!({ "status": draft().text }), "nothing is said of a warning");
    }
}

#[tokio::test]
async fn a_content_warning_counts_as_the_family_counts() {
    let url = "https://blog.example.com/a/path/that/is/longer/than/23/";
    for family in text_families() {
        let check = async |text: &str, warning: &str, max: usize, expect: bool| {
            let bench = Bench::ready(family).await;
            bench.server.set_max_characters(max);
            let draft = Draft {
                text: text.into(),
                content_warning: Some(warning.into()),
                ..Draft::default()
            };
            let told = format!("{family:?}: `{warning}` over `{text}` in {max}");
            let taken = match bench.publish(&draft).await {
                Outcome::Published(_) => true,
                Outcome::Failed(failure) => {
                    assert_eq!(failure.class, Class::Content, "{told}: {failure:?}");
                    false
                }
                other => panic!("{told}: {other:?}"),
            };
            assert_eq!(taken, expect, "{told}");
            // what we take for short enough, the server does too
            let limits = Limits { max: u32::try_from(max).unwrap(), ..bench.limits().await };
            let fits = count::excess_with(text, Some(warning), &limits).is_none();
            assert!(taken || !fits, "{told}");
        };
        check("12345", "12345", 10, true).await;
        // Takahe counts the text alone
        check("123456", "12345", 10, family == Family::Takahe).await;
        // no discount for a link in the warning, and an emoji of seven characters
        check("x", url, url.len() + 1, true).await;
        check("x", url, url.len(), family == Family::Takahe).await;
        let clusters = matches!(family, Family::Mastodon | Family::Pleroma | Family::Takahe);
        check("x", "👨‍👩‍👧‍👦", 2, clusters).await;
    }
}

#[tokio::test]
async fn pixelfed_takes_no_long_content_warning() {
    for (length, why) in [(140, "Empty statuses"), (141, "greater than 140 characters")] {
        let bench = Bench::ready(Family::Pixelfed).await;
        let draft = Draft { content_warning: Some("é".repeat(length)), ..draft() };
        let failure = bench.failure(&draft).await;
        assert_eq!(failure.class, Class::Content, "{failure:?}");
        assert!(failure.message.contains(why), "{failure:?}");
    }
}

#[tokio::test]
async fn a_composed_post_fits_beside_its_content_warning() {
    let long = "Several words that go on ".repeat(400);
    let entry = Entry {
        url: Some("https://blog.example.com/2026/hello/".into()),
        content: Some(Markup::Text(long)),
        ..Entry::default()
    };
    let settings = Settings {
        content_warning: Some(format!("  {WARNING}\n👨‍👩‍👧‍👦 ")),
        ..Settings::of_platform(Platform::Mastodon)
    };
    for family in text_families() {
        let bench = Bench::new(family);
        bench.server.set_max_characters(500);
        let draft = compose(&Subject {
            entry: &entry,
            settings: &settings,
            platform: Platform::Mastodon,
            account: "me",
            limits: &bench.limits().await,
            media_limits: &Platform::Mastodon.media(),
            people: &[].into(),
            page: None,
            media: None,
        })
        .unwrap();
        published(&bench, &draft).await;
        let post = &bench.server.posts()[0];
        let shown = post.title.as_ref().or(post.warning.as_ref()).unwrap();
        assert_eq!(shown, &format!("{WARNING} 👨‍👩‍👧‍👦"), "{family:?}");
        assert!(post.text.chars().count() > 400, "{family:?}: {}", post.text);
    }
}

#[tokio::test]
async fn a_lost_answer_with_a_content_warning_ends_with_one_post() {
    let faults = [Fault::lost(), Fault::dropped()];
    let note = Draft { text: "Only words".into(), ..warned() };
    let cases = text_families().flat_map(|family| {
        let drafts = [warned(), note.clone()];
        let faults = faults.clone().into_iter();
        faults.flat_map(move |fault| drafts.clone().map(|draft| (family, fault.clone(), draft)))
    });
    join_all(cases.map(|(family, fault, draft)| async move {
        let told = format!("{family:?}, {fault:?}, {}", draft.text);
        let mut bench = Bench::ready(family).await;
        bench.server.seed("An older post", HOUR * 9, false);
        bench.server.script(Route::Publish, fault);
        let receipt = bench.deliver(&draft).await;
        let ours = bench.server.posts().split_off(1);
        assert_eq!(ours.len(), 1, "{told}");
        assert_eq!(receipt.remote_id, ours[0].id, "{told}");
        let bodies: Vec<String> = bench.posted().into_iter().map(|it| it.body).collect();
        assert!(bodies.iter().all(|it| *it == bodies[0]), "{told}: {bodies:?}");
    }))
    .await;
}

#[tokio::test]
async fn a_warned_post_that_its_owner_edits_is_still_ours() {
    let text = draft().text;
    for family in [Family::Mastodon, Family::GoToSocial, Family::Pleroma] {
        for warning in [None, Some("Spoilers, really"), Some(WARNING)] {
            let mut bench = Bench::ready(family).await;
            bench.server.script(Route::Publish, Fault::lost());
            bench.failure(&warned()).await;
            bench.server.edit_last(|post| post.warning = warning.map(str::to_owned));
            bench.server.forget_keys();
            bench.later(MINUTE);
            let found = bench.find(&warned()).await;
            assert!(matches!(found, Found::Published(_)), "{family:?}, {warning:?}: {found:?}");
        }
        // other words with the link: a person is asked, and nothing goes out
        let mut bench = Bench::ready(family).await;
        bench.server.script(Route::Publish, Fault::lost());
        bench.failure(&warned()).await;
        bench.server.edit_last(|post| post.text = text.replace("Hello", "Good bye"));
        bench.server.forget_keys();
        bench.later(MINUTE);
        let Found::Unknown(failure) = bench.find(&warned()).await else { panic!("{family:?}") };
        assert_eq!(failure.class, Class::Duplicate, "{family:?}: {failure:?}");
        assert_eq!((bench.posted().len(), bench.server.posts().len()), (1, 1), "{family:?}");
    }
}

#[tokio::test]
async fn the_same_words_without_the_warning_are_for_a_person_to_judge() {
    for family in text_families() {
        let mut bench = Bench::ready(family).await;
        bench.server.script(Route::Publish, Fault::dropped());
        bench.failure(&warned()).await;
        bench.server.seed(&draft().text, Duration::ZERO, false);
        bench.later(MINUTE);
        let Found::Unknown(failure) = bench.find(&warned()).await else { panic!("{family:?}") };
        assert_eq!(failure.class, Class::Duplicate, "{family:?}: {failure:?}");
        assert_eq!(bench.posted().len(), 1, "{family:?}");
    }
}

#[tokio::test]
async fn a_warning_without_a_text_becomes_the_text_and_is_found() {
    let mut bench = Bench::ready(Family::Mastodon).await;
    bench.server.script(Route::Publish, Fault::lost());
    bench.failure(&Draft { text: " ".into(), ..warned() }).await;
    let post = &bench.server.posts()[0];
    assert_eq!((post.text.as_str(), &post.warning), (WARNING, &None));
    bench.server.forget_keys();
    bench.later(MINUTE);
    let found = bench.find(&warned()).await;
    assert!(matches!(found, Found::Published(_)), "{found:?}");
}
