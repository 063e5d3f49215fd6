//! Posts with images.

use std::fs;

use posse_party::draft::{Media, Shelved};
use posse_party::publish::NOTES;

use super::*;

/// The `n`th image: a JPEG as far as the server looks.
fn bytes(n: usize) -> Vec<u8> {
    [b"\xff\xd8\xff\xe0 image ".as_slice(), n.to_string().as_bytes()].concat()
}

impl Bench {
    /// `file` of `media_type`, put on the shelf, as a medium of a draft.
    pub(super) fn medium(&self, file: &[u8], media_type: &str, alt: Option<&str>) -> Media {
        let file = Shelved {
            file: self.shelf.put(file, media_type).unwrap(),
            media_type: media_type.into(),
            bytes: file.len() as u64,
            width: 12,
            height: 8,
            ..Shelved::default()
        };
        Media { alt: alt.map(str::to_owned), file: Some(file), ..Media::default() }
    }

    fn image(&self, n: usize) -> Media {
        self.medium(&bytes(n), "image/jpeg", Some(&format!("image {n}")))
    }

    /// The draft of `draft()` with images in place of its card.
    fn with_images(&self, count: usize) -> Draft {
        let media = (0..count).map(|n| self.image(n)).collect();
        Draft { card: None, media, ..draft() }
    }

    /// Publishes `draft`, which must fail.
    pub(super) async fn refused(&self, draft: &Draft) -> Failure {
        match self.send(draft).await {
            Outcome::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    /// The `nth` upload meets `trouble`.
    fn script_upload(&self, nth: usize, trouble: &Trouble) {
        for _ in 0..nth {
            self.server.script("uploadBlob", Trouble::Nothing);
        }
        self.server.script("uploadBlob", trouble.clone());
    }
}

/// What a crosspost says that its post goes without.
async fn notes(bench: &Bench) -> Value {
    bench.journal.read(NOTES).await.unwrap().unwrap_or_default()
}

/// The `alt` of each image of a record.
fn alts(record: &Value) -> Vec<&str> {
    let images = record["embed"]["images"].as_array();
    images.into_iter().flatten().map(|image| image["alt"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn images_go_with_their_alt_in_their_order_and_the_link_stays() {
    for count in [1, 4] {
        let bench = Bench::signed_in().await;
        let record = bench.sent(&bench.with_images(count)).await;
        assert_eq!(record["embed"]["$type"], "app.bsky.embed.images");
        let expect: Vec<_> = (0..count).map(|n| format!("image {n}")).collect();
        assert_eq!(alts(&record), expect);
        let image = &record["embed"]["images"][0];
        assert_eq!(image["aspectRatio"], json!({"width": 12, "height": 8}));
        assert_eq!(image["image"]["size"], bytes(0).len());
        assert_eq!(record["text"], draft().text);
        let link = &record["facets"][0];
        assert_eq!(link["features"][0]["uri"], "https://example.com/é");
        assert_eq!(link["index"], json!({"byteStart": 3, "byteEnd": 25}));
        for (n, upload) in bench.server.seen_of("uploadBlob").iter().enumerate() {
            assert_eq!(upload.headers["content-type"], "image/jpeg");
            assert_eq!(upload.body, bytes(n), "the bytes as they are, in order");
        }
        assert_eq!((bench.uploads(), bench.puts()), (count, 1));
        bench.no_complaints();
    }
}

#[tokio::test]
async fn an_image_without_alt_has_an_empty_one_and_a_fifth_stays_at_home() {
    let bench = Bench::signed_in().await;
    let mut draft = bench.with_images(5);
    draft.media[0].alt = None;
    let record = bench.sent(&draft).await;
    assert_eq!(alts(&record), ["", "image 1", "image 2", "image 3"]);
    assert_eq!(bench.uploads(), 4);
    bench.no_complaints();
}

/// Uploads have no effect of their own: whatever became of one, it is made again, and the others
/// are not.
#[tokio::test]
async fn an_upload_that_fails_for_now_is_made_again_before_anything_is_posted() {
    let reset = Clock::System.now().as_millis() / 1000 + 60;
    let table = [
        (Trouble::HangUp, "retry"),
        (Trouble::StoreThenClose, "retry"),
        (Trouble::Silence, "retry"),
        (Trouble::Truncate, "retry"),
        (Trouble::Garbage, "retry"),
        (Trouble::Without("blob"), "retry"),
        (Trouble::StoreThenFail, "retry"),
        (Trouble::Html(502), "retry"),
        (Trouble::Html(403), "retry"),
        (Trouble::Refuse(503, "NotEnoughResources", ""), "retry"),
        (Trouble::Limit(reset), "rate_limited"),
        (Trouble::Html(404), "account"),
        (Trouble::Redirect("http://127.0.0.1:9/".into()), "account"),
        (Trouble::Refuse(401, "AccountTakedown", ""), "account"),
    ];
    for (at, (trouble, class)) in table.into_iter().enumerate() {
        let (nth, bench) = (at % 4, Bench::signed_in().await);
        bench.script_upload(nth, &trouble);
        let draft = bench.with_images(4);
        let failure = bench.refused(&draft).await;
        assert_eq!(failure.class.as_str(), class, "{trouble:?}: {}", failure.message);
        assert_eq!(bench.puts(), 0, "{trouble:?}");
        assert_eq!(bench.find().await, Found::Absent, "{trouble:?}");
        assert_eq!(alts(&bench.sent(&draft).await).len(), 4, "{trouble:?}");
        let tried = if matches!(trouble, Trouble::HangUp) { 4 } else { 5 };
        assert_eq!(bench.uploads(), tried, "{trouble:?}: what is there is not sent again");
        bench.no_complaints();
    }
}

#[tokio::test]
async fn a_server_that_can_not_be_reached_is_tried_again() {
    let bench = Bench::signed_in().await;
    bench.server.down();
    let draft = bench.with_images(2);
    assert_eq!(bench.refused(&draft).await.class.as_str(), "retry");
    bench.server.up();
    assert_eq!(alts(&bench.sent(&draft).await).len(), 2);
    bench.no_complaints();
}

#[tokio::test]
async fn media_that_can_not_be_had_for_hours_do_not_cost_the_post() {
    let bench = Bench::signed_in().await;
    let hasty = Delivery { give_up_after: Duration::ZERO, ..delivery() };
    let account = Bluesky::new(
        HANDLE,
        Secret::new(APP_PASSWORD),
        Some(bench.server.url()),
        bench.client.clone(),
        &hasty,
    );
    bench.script_upload(1, &Trouble::Html(502));
    let outcome = account.publish(&bench.with_images(3), &bench.desk()).await;
    assert!(matches!(outcome, Outcome::Published(_)), "{outcome:?}");
    assert_eq!(alts(&bench.server.records()[0].value), ["image 0", "image 2"]);
    let told = notes(&bench).await;
    assert!(told[0].as_str().unwrap().starts_with("image 2 of 3 is left out: could not upload"));
    bench.no_complaints();
}

#[tokio::test]
async fn a_lost_answer_to_the_write_ends_in_one_post_with_all_images() {
    for trouble in [
        Trouble::HangUp,
        Trouble::StoreThenClose,
        Trouble::Truncate,
        Trouble::StoreThenFail,
        Trouble::Html(502),
    ] {
        let bench = Bench::signed_in().await;
        bench.server.script("putRecord", trouble.clone());
        let draft = bench.with_images(4);
        assert_eq!(bench.refused(&draft).await.class, Class::Ambiguous, "{trouble:?}");
        // what is journalled is enough: the files may be gone
        fs::remove_dir_all(bench.dir.path().join("media")).unwrap();
        assert_eq!(alts(&bench.sent(&draft).await).len(), 4, "{trouble:?}");
        assert_eq!(bench.uploads(), 4, "{trouble:?}");
        let puts = bench.server.seen_of("putRecord");
        assert!(puts.iter().all(|put| put.body == puts[0].body), "{trouble:?}: the same record");
        bench.no_complaints();
    }
}

#[tokio::test]
async fn an_image_that_is_refused_is_left_out_and_the_others_go() {
    for trouble in [
        Trouble::Refuse(400, "InvalidMimeType", ""),
        Trouble::Refuse(400, "BlobTooLarge", "This file is too large."),
        Trouble::Refuse(413, "PayloadTooLarge", "request entity too large"),
        Trouble::Html(413),
        Trouble::Refuse(403, "ScopeMissingError", "Missing required scope"),
    ] {
        let bench = Bench::signed_in().await;
        bench.script_upload(1, &trouble);
        let record = bench.sent(&bench.with_images(3)).await;
        assert_eq!(alts(&record), ["image 0", "image 2"], "{trouble:?}");
        let told = notes(&bench).await.to_string();
        assert!(told.starts_with("[\"image 2 of 3 is left out: "), "{told}");
        bench.no_complaints();
    }
    for (error, message) in [
        ("InvalidRequest", "Invalid app.bsky.feed.post record: x at $.record.embed.images[1].alt"),
        ("InvalidRequest", "Invalid app.bsky.feed.post record: Record/embed/images/1/image is bad"),
    ] {
        let bench = Bench::signed_in().await;
        bench.server.script("putRecord", Trouble::Refuse(400, error, message));
        let record = bench.sent(&bench.with_images(3)).await;
        assert_eq!(alts(&record), ["image 0", "image 2"], "{message}");
        assert!(notes(&bench).await[0].as_str().unwrap().ends_with(message));
        bench.no_complaints();
    }
}

/// What the server refuses by itself, not on command.
#[tokio::test]
async fn an_image_that_is_none_or_too_large_is_left_out() {
    let large = [bytes(7), vec![0; 1_000_000]].concat();
    for (file, puts) in [(large, 2), (b"<html>not found</html>".to_vec(), 1)] {
        let bench = Bench::signed_in().await;
        let mut draft = bench.with_images(3);
        draft.media[1] = bench.medium(&file, "image/jpeg", None);
        let record = bench.sent(&draft).await;
        assert_eq!(alts(&record), ["image 0", "image 2"]);
        assert_eq!((bench.uploads(), bench.puts()), (3, puts));
    }
}

#[tokio::test]
async fn a_post_whose_images_are_all_refused_is_its_text() {
    let bench = Bench::signed_in().await;
    for _ in 0..2 {
        bench.server.script("uploadBlob", Trouble::Refuse(400, "InvalidMimeType", ""));
    }
    let record = bench.sent(&bench.with_images(2)).await;
    assert!(record.get("embed").is_none());
    assert_eq!(record["text"], draft().text);
    bench.no_complaints();

    // and where there is no text, nothing; a person's next try asks again
    let bench = Bench::signed_in().await;
    bench.server.script("uploadBlob", Trouble::Refuse(400, "InvalidMimeType", ""));
    let silent = Draft { media: vec![bench.image(0)], ..Draft::default() };
    let failure = bench.refused(&silent).await;
    assert_eq!(failure.class, Class::Content);
    assert!(failure.message.starts_with("it has no text, and image 1 of 1 is left out: could not"));
    assert_eq!(bench.puts(), 0);
    assert_eq!(alts(&bench.sent(&silent).await), ["image 0"]);
    assert_eq!(notes(&bench).await, Value::Null);
    bench.no_complaints();
}

#[tokio::test]
async fn images_that_are_gone_from_the_shelf_are_left_out() {
    let bench = Bench::signed_in().await;
    let draft = bench.with_images(2);
    let gone = &draft.media[0].file.as_ref().unwrap().file;
    fs::remove_file(bench.dir.path().join("media").join(gone)).unwrap();
    assert_eq!(alts(&bench.sent(&draft).await), ["image 1"]);
    bench.no_complaints();
}

#[tokio::test]
async fn blobs_that_were_swept_away_are_uploaded_once_more() {
    let bench = Bench::signed_in().await;
    bench.server.script("putRecord", Trouble::HangUp);
    let draft = bench.with_images(2);
    assert_eq!(bench.refused(&draft).await.class, Class::Ambiguous);
    bench.server.sweep_blobs();
    assert_eq!(alts(&bench.sent(&draft).await).len(), 2);
    assert_eq!(bench.uploads(), 4);
    let puts = bench.server.seen_of("putRecord");
    assert!(puts.iter().all(|put| put.body == puts[0].body), "the same record each time");
    bench.no_complaints();
}

#[tokio::test]
async fn a_server_that_keeps_no_blob_gets_the_text() {
    let bench = Bench::signed_in().await;
    for _ in 0..3 {
        bench.server.script("putRecord", Trouble::Refuse(400, "BlobNotFound", "not there"));
    }
    let record = bench.sent(&bench.with_images(2)).await;
    assert!(record.get("embed").is_none());
    assert_eq!((bench.uploads(), bench.puts()), (4, 4));
    bench.no_complaints();
}

#[tokio::test]
async fn an_upload_again_that_fails_for_now_is_waited_for() {
    let bench = Bench::signed_in().await;
    bench.server.script("putRecord", Trouble::Refuse(400, "BlobNotFound", "not there"));
    bench.script_upload(2, &Trouble::Html(502));
    let draft = bench.with_images(2);
    assert_eq!(bench.refused(&draft).await.class.as_str(), "retry");
    assert_eq!(alts(&bench.sent(&draft).await).len(), 2);
    bench.no_complaints();
}

/// An entry that was composed anew after its post may have gone out.
#[tokio::test]
async fn other_images_under_a_used_key_make_no_second_post() {
    let bench = Bench::signed_in().await;
    bench.server.script("putRecord", Trouble::StoreThenClose);
    assert_eq!(bench.refused(&bench.with_images(1)).await.class, Class::Ambiguous);
    let other = Draft { media: vec![bench.image(7), bench.image(8)], ..bench.with_images(0) };
    let record = bench.sent(&other).await;
    assert_eq!(alts(&record), ["image 0"], "what is there stays");
    let keys = bench.server.seen_of("putRecord");
    assert_eq!(keys[0].json()["rkey"], keys[1].json()["rkey"]);
    bench.no_complaints();

    // neither does a set that grew smaller because the server changed its mind
    let bench = Bench::signed_in().await;
    bench.server.script("putRecord", Trouble::StoreThenClose);
    let draft = bench.with_images(2);
    assert_eq!(bench.refused(&draft).await.class, Class::Ambiguous);
    let message = "This file is too large. It is 2MB but the maximum size is 1MB.";
    bench.server.script("putRecord", Trouble::Refuse(400, "BlobTooLarge", message));
    assert_eq!(alts(&bench.sent(&draft).await).len(), 2);
    bench.no_complaints();
}

#[tokio::test]
async fn nothing_is_posted_whose_upload_could_not_be_journalled() {
    let bench = Bench::signed_in().await;
    let desk = Desk { journal: &Full, ..bench.desk() };
    let outcome = bench.account().publish(&bench.with_images(1), &desk).await;
    assert!(matches!(&outcome, Outcome::Failed(f) if f.class.as_str() == "retry"), "{outcome:?}");
    assert_eq!(bench.puts(), 0);
}
