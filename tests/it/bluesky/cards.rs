//! Cards with pictures, and people who are mentioned: what the server must give before the record
//! is written.

use std::fs;

use posse_party::draft::Shelved;

use super::*;

/// A JPEG as far as the server looks.
const PICTURE: &[u8] = b"\xff\xd8\xff\xe0 a picture";

impl Bench {
    /// The draft of `draft()`, with a picture that lies on the shelf.
    fn pictured(&self) -> Draft {
        let file = self.shelf.put(PICTURE, "image/jpeg").unwrap();
        let thumb = Shelved {
            file,
            media_type: "image/jpeg".into(),
            bytes: PICTURE.len() as u64,
            width: 12,
            height: 8,
            ..Shelved::default()
        };
        let card = draft().card.map(|card| Card { thumb: Some(thumb), ..card });
        Draft { card, ..draft() }
    }

    pub(super) async fn send(&self, draft: &Draft) -> Outcome {
        self.account().publish(draft, &self.desk()).await
    }

    /// Publishes `draft`, which must succeed, and tells its record.
    pub(super) async fn sent(&self, draft: &Draft) -> Value {
        let outcome = self.send(draft).await;
        assert!(matches!(outcome, Outcome::Published(_)), "{outcome:?}");
        let mut records = self.server.records();
        assert_eq!(records.len(), 1);
        records.remove(0).value
    }

    pub(super) fn uploads(&self) -> usize {
        self.server.seen_of("uploadBlob").len()
    }

    pub(super) fn puts(&self) -> usize {
        self.server.seen_of("putRecord").len()
    }
}

fn thumb(record: &Value) -> &Value {
    &record["embed"]["external"]["thumb"]
}

#[tokio::test]
async fn a_card_has_its_picture() {
    let bench = Bench::signed_in().await;
    let record = bench.sent(&bench.pictured()).await;
    assert_eq!(thumb(&record)["mimeType"], "image/jpeg");
    assert_eq!(thumb(&record)["size"], PICTURE.len());
    assert_eq!(record["embed"]["external"]["title"], "Café");
    assert_eq!(bench.server.files(), [PICTURE]);
    let upload = &bench.server.seen_of("uploadBlob")[0];
    assert_eq!(upload.headers["content-type"], "image/jpeg");
    assert_eq!(upload.body, PICTURE, "the bytes as they are");
    bench.no_complaints();
}

#[tokio::test]
async fn a_retry_uses_the_blob_of_before_and_writes_the_same_record() {
    for trouble in [Trouble::HangUp, Trouble::StoreThenClose, Trouble::StoreThenFail] {
        let bench = Bench::signed_in().await;
        bench.server.script("putRecord", trouble.clone());
        let draft = bench.pictured();
        let Outcome::Failed(failure) = bench.send(&draft).await else { panic!("{trouble:?}") };
        assert_eq!(failure.class, Class::Ambiguous);
        // what is journalled is enough: the file may be gone
        fs::remove_dir_all(bench.dir.path().join("media")).unwrap();
        let record = bench.sent(&draft).await;
        assert!(thumb(&record).is_object());
        assert_eq!(bench.uploads(), 1, "{trouble:?}");
        let puts = bench.server.seen_of("putRecord");
        assert!(puts.iter().all(|put| put.body == puts[0].body), "{trouble:?}");
        bench.no_complaints();
    }
}

#[tokio::test]
async fn a_picture_that_can_not_be_uploaded_costs_the_picture_and_not_the_post() {
    let reset = Clock::System.now().as_millis() / 1000 + 3600;
    for trouble in [
        Trouble::HangUp,
        Trouble::Silence,
        Trouble::Garbage,
        Trouble::Truncate,
        Trouble::Without("blob"),
        Trouble::Instead(json!({"blob": {"$type": "blob"}})),
        Trouble::Html(404),
        Trouble::Html(413),
        Trouble::Html(502),
        Trouble::Limit(reset),
        Trouble::Refuse(403, "ScopeMissingError", "Missing required scope"),
        Trouble::Refuse(413, "PayloadTooLarge", "request entity too large"),
        Trouble::Refuse(500, "InternalServerError", ""),
        Trouble::Redirect("http://127.0.0.1:9/".into()),
    ] {
        let bench = Bench::signed_in().await;
        bench.server.script("uploadBlob", trouble.clone());
        let record = bench.sent(&bench.pictured()).await;
        assert!(thumb(&record).is_null(), "{trouble:?}");
        assert_eq!(record["embed"]["external"]["title"], "Café", "{trouble:?}");
        // the record is what it is: a repeated attempt writes it without the picture
        bench.sent(&bench.pictured()).await;
        assert_eq!((bench.uploads() <= 1, bench.puts()), (true, 2), "{trouble:?}");
        bench.no_complaints();
    }
}

#[tokio::test]
async fn a_picture_that_was_lost_is_fetched_when_surely_nothing_was_posted() {
    let bench = Bench::signed_in().await;
    bench.server.script("uploadBlob", Trouble::Refuse(500, "InternalServerError", ""));
    let reset = Clock::System.now().as_millis() / 1000;
    bench.server.script("putRecord", Trouble::Limit(reset));
    let draft = bench.pictured();
    assert!(matches!(bench.send(&draft).await, Outcome::Failed(_)));
    assert!(thumb(&bench.sent(&draft).await).is_object(), "the next attempt has it");

    // but not when the post may be there without it
    let bench = Bench::signed_in().await;
    bench.server.script("uploadBlob", Trouble::Refuse(500, "InternalServerError", ""));
    bench.server.script("putRecord", Trouble::StoreThenClose);
    let draft = bench.pictured();
    assert!(matches!(bench.send(&draft).await, Outcome::Failed(_)));
    assert!(thumb(&bench.sent(&draft).await).is_null());
    assert_eq!(bench.uploads(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn a_picture_that_is_gone_costs_the_picture() {
    let bench = Bench::signed_in().await;
    let draft = bench.pictured();
    fs::remove_dir_all(bench.dir.path().join("media")).unwrap();
    assert!(thumb(&bench.sent(&draft).await).is_null());

    let bench = Bench::signed_in().await;
    let desk = Desk { shelf: None, ..bench.desk() };
    let outcome = bench.account().publish(&bench.pictured(), &desk).await;
    assert!(matches!(outcome, Outcome::Published(_)), "{outcome:?}");
    assert_eq!(bench.uploads(), 0);
    bench.no_complaints();
}

#[tokio::test]
async fn a_blob_that_was_swept_away_is_uploaded_once_more() {
    let bench = Bench::signed_in().await;
    bench.server.script("putRecord", Trouble::HangUp);
    let draft = bench.pictured();
    assert!(matches!(bench.send(&draft).await, Outcome::Failed(_)));
    bench.server.sweep_blobs();
    assert!(thumb(&bench.sent(&draft).await).is_object());
    assert_eq!(bench.uploads(), 2);
    let puts = bench.server.seen_of("putRecord");
    assert!(puts.iter().all(|put| put.body == puts[0].body), "the same record each time");
    bench.no_complaints();

    // gone for good: the card goes without
    let bench = Bench::signed_in().await;
    for _ in 0..2 {
        bench.server.script("putRecord", Trouble::Refuse(400, "BlobNotFound", "not there"));
    }
    assert!(thumb(&bench.sent(&bench.pictured()).await).is_null());
    assert_eq!((bench.uploads(), bench.puts()), (2, 3));
    bench.no_complaints();
}

#[tokio::test]
async fn a_picture_that_is_refused_is_left_out_and_a_card_that_is_refused_is_said_to_be() {
    let at = "Invalid app.bsky.feed.post record: blob too big (maximum 1000000, got 1000212) at \
         $.record.embed.external.thumb";
    for (error, message) in [
        ("BlobTooLarge", "This file is too large."),
        ("InvalidMimeType", ""),
        ("InvalidSize", ""),
        ("BlobTakendown", "Blob has been takendown"),
        ("InvalidRequest", at),
    ] {
        let bench = Bench::signed_in().await;
        bench.server.script("putRecord", Trouble::Refuse(400, error, message));
        assert!(thumb(&bench.sent(&bench.pictured()).await).is_null(), "{error}");
        assert_eq!(bench.puts(), 2, "{error}");
        bench.no_complaints();
    }
    let bench = Bench::signed_in().await;
    let at = "Invalid app.bsky.feed.post record: Invalid uri (got \"x\") at \
         $.record.embed.external.uri";
    bench.server.script("putRecord", Trouble::Refuse(400, "InvalidRequest", at));
    let Outcome::Failed(failure) = bench.send(&bench.pictured()).await else { panic!() };
    assert_eq!(failure.class, Class::Card, "{}", failure.message);
    // what is composed without goes to the same key
    let without = Draft { card: None, ..draft() };
    let record = bench.sent(&without).await;
    assert!(record.get("embed").is_none());
    let keys: BTreeSet<_> = bench
        .server
        .seen_of("putRecord")
        .iter()
        .map(|put| put.json()["rkey"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(keys.len(), 1);
    bench.no_complaints();
}

/// What the server would refuse by itself, not on command.
#[tokio::test]
async fn a_picture_that_is_none_or_too_large_is_left_out() {
    let large = [PICTURE, &[0; 1_000_000]].concat();
    let table = [(large, "image/jpeg", 2), (b"plain text".to_vec(), "text/plain", 1)];
    for (bytes, media_type, puts) in table {
        let bench = Bench::signed_in().await;
        let file = bench.shelf.put(&bytes, "image/jpeg").unwrap();
        let told = Shelved { file, media_type: media_type.into(), ..Shelved::default() };
        let card = draft().card.map(|card| Card { thumb: Some(told), ..card });
        let record = bench.sent(&Draft { card, ..draft() }).await;
        assert!(thumb(&record).is_null(), "{media_type}");
        assert_eq!((bench.uploads(), bench.puts()), (1, puts), "{media_type}");
    }
}

#[tokio::test]
async fn an_upload_renews_a_token_and_an_account_that_is_locked_out_posts_nothing() {
    let bench = Bench::signed_in().await;
    bench.server.expire_tokens();
    assert!(thumb(&bench.sent(&bench.pictured()).await).is_object());
    assert_eq!(bench.server.seen_of("refreshSession").len(), 1);
    bench.no_complaints();

    for (status, error) in [(401, "AccountTakedown"), (400, "RepoDeactivated")] {
        let bench = Bench::signed_in().await;
        bench.server.script("uploadBlob", Trouble::Refuse(status, error, ""));
        let draft = bench.pictured();
        let Outcome::Failed(failure) = bench.send(&draft).await else { panic!("{error}") };
        assert_eq!(failure.class.as_str(), "account", "{error}");
        assert_eq!(bench.puts(), 0, "{error}");
        // and when it may post again, the picture is there
        assert!(thumb(&bench.sent(&draft).await).is_object(), "{error}");
    }
}

#[tokio::test]
async fn nothing_is_written_whose_blob_could_not_be_journalled() {
    let bench = Bench::signed_in().await;
    let desk = Desk { journal: &Full, ..bench.desk() };
    let outcome = bench.account().publish(&bench.pictured(), &desk).await;
    assert!(matches!(&outcome, Outcome::Failed(f) if f.class.as_str() == "retry"), "{outcome:?}");
    assert_eq!(bench.puts(), 0);
}

fn naming(handles: &[&str]) -> Draft {
    let text: String = handles.iter().map(|handle| format!("@{handle} ")).collect();
    let facets = handles.iter().map(|handle| {
        let byte_start = text.find(&format!("@{handle} ")).unwrap();
        let byte_end = byte_start + handle.len() + 1;
        Facet { byte_start, byte_end, feature: Feature::Mention((*handle).into()) }
    });
    Draft { facets: facets.collect(), text: text.trim_end().into(), ..Draft::default() }
}

#[tokio::test]
async fn people_are_mentioned_by_their_did_and_nobody_where_there_is_none() {
    let bench = Bench::signed_in().await;
    bench.server.add_handle("bob.example", "did:plc:bobbobbobbob");
    let draft = naming(&["bob.example", HANDLE, "nobody.example", "did:plc:caro"]);
    bench.server.script("putRecord", Trouble::StoreThenClose);
    assert!(matches!(bench.send(&draft).await, Outcome::Failed(_)));
    bench.server.add_handle("nobody.example", "did:plc:somebodynow");
    let record = bench.sent(&draft).await;
    let dids: Vec<_> = record["facets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|facet| facet["features"][0]["did"].as_str().unwrap())
        .collect();
    assert_eq!(dids, ["did:plc:bobbobbobbob", DID, "did:plc:caro"]);
    assert_eq!(record["text"], draft.text.as_str(), "the text stays");
    assert_eq!(bench.server.seen_of("resolveHandle").len(), 3, "asked once");
    bench.no_complaints();
}

#[tokio::test]
async fn a_server_that_can_not_tell_who_that_is_does_not_cost_the_post() {
    for trouble in [
        Trouble::HangUp,
        Trouble::Garbage,
        Trouble::Html(502),
        Trouble::Instead(json!({"did": "nonsense"})),
        Trouble::Refuse(400, "InvalidRequest", "Unable to resolve handle"),
    ] {
        let bench = Bench::signed_in().await;
        bench.server.script("resolveHandle", trouble.clone());
        let record = bench.sent(&naming(&[HANDLE])).await;
        assert!(record.get("facets").is_none(), "{trouble:?}");
        bench.no_complaints();
    }
}
