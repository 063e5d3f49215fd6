//! Posts with a video: straight to the account's server, and through the video service.

use std::fs;

use super::*;

/// An MP4 as far as the server looks, of more than one piece.
fn film() -> Vec<u8> {
    let mut film = b"\0\0\0\x20ftypisom".to_vec();
    film.extend((0..300_000_u32).flat_map(u32::to_le_bytes));
    film
}

impl Bench {
    fn with_video(&self) -> Draft {
        let media = vec![self.medium(&film(), "video/mp4", Some("A cat"))];
        Draft { card: None, media, ..draft() }
    }

    /// An account whose videos are prepared; it knows nothing but the config, as after a restart.
    fn prepared(&self) -> Bluesky {
        self.account().with_video_service(self.server.url())
    }

    async fn prepare(&self, draft: &Draft) -> Outcome {
        self.prepared().publish(draft, &self.desk()).await
    }

    /// Publishes until nothing is waited for.
    async fn to_its_end(&self, draft: &Draft) -> Outcome {
        for _ in 0..9 {
            match self.prepare(draft).await {
                Outcome::Wait { wait, why } => {
                    assert!(wait >= Duration::from_secs(3) && wait <= Duration::from_secs(60));
                    assert_eq!(why, "Bluesky is preparing the video");
                }
                outcome => return outcome,
            }
        }
        panic!("it waits and waits");
    }

    /// The record at the end of that.
    async fn ended(&self, draft: &Draft) -> Value {
        let outcome = self.to_its_end(draft).await;
        assert!(matches!(outcome, Outcome::Published(_)), "{outcome:?}");
        assert_eq!(self.server.records().len(), 1);
        self.server.records().remove(0).value
    }

    fn seen(&self, method: &str) -> usize {
        self.server.seen_of(method).len()
    }
}

fn is_whole(record: &Value) {
    let embed = &record["embed"];
    assert_eq!(embed["$type"], "app.bsky.embed.video", "{record}");
    assert_eq!(embed["video"]["mimeType"], "video/mp4");
    assert_eq!(embed["video"]["size"], film().len());
    assert_eq!(embed["alt"], "A cat");
    assert_eq!(embed["aspectRatio"], json!({"width": 12, "height": 8}));
    assert_eq!(record["facets"].as_array().unwrap().len(), 2, "the link is still there");
}

#[tokio::test]
async fn a_video_goes_straight_to_a_server_of_ones_own() {
    let bench = Bench::signed_in().await;
    is_whole(&bench.sent(&bench.with_video()).await);
    let upload = &bench.server.seen_of("uploadBlob")[0];
    assert_eq!(upload.headers["content-length"], film().len().to_string());
    assert_eq!(upload.headers["content-type"], "video/mp4");
    assert_eq!(upload.body, film(), "byte for byte");
    bench.no_complaints();
}

#[tokio::test]
async fn an_upload_of_a_video_begins_anew_with_a_new_token_and_after_a_lost_answer() {
    let bench = Bench::signed_in().await;
    bench.server.expire_tokens();
    bench.server.script("uploadBlob", Trouble::Nothing);
    bench.server.script("uploadBlob", Trouble::StoreThenClose);
    let draft = bench.with_video();
    assert_eq!(bench.refused(&draft).await.class.as_str(), "retry");
    assert_eq!(bench.server.records().len(), 0);
    is_whole(&bench.sent(&draft).await);
    let uploads = bench.server.seen_of("uploadBlob");
    assert!(uploads.iter().all(|upload| upload.body == film()), "each from the first byte on");
    assert_eq!(uploads.len(), 3);
    bench.no_complaints();
}

#[tokio::test]
async fn a_video_that_is_refused_or_gone_costs_the_video_and_not_the_post() {
    for trouble in [Trouble::Html(413), Trouble::Refuse(400, "InvalidMimeType", "")] {
        let bench = Bench::signed_in().await;
        bench.server.script("uploadBlob", trouble);
        assert!(bench.sent(&bench.with_video()).await.get("embed").is_none());
        bench.no_complaints();
    }
    let bench = Bench::signed_in().await;
    let draft = bench.with_video();
    fs::remove_dir_all(bench.dir.path().join("media")).unwrap();
    assert!(bench.sent(&draft).await.get("embed").is_none());
    assert_eq!(bench.seen("uploadBlob"), 0);
}

#[tokio::test]
async fn a_video_is_prepared_by_the_service_across_restarts() {
    for flat in [false, true] {
        let bench = Bench::signed_in().await;
        bench.server.set_jobs(2, false);
        if flat {
            bench.server.flatten_jobs();
        }
        let draft = bench.with_video();
        let first = bench.prepare(&draft).await;
        assert!(matches!(first, Outcome::Wait { .. }), "{first:?}");
        assert_eq!(bench.find().await, Found::Absent, "after a crash: nothing is posted");
        let key = bench.journal.read("bluesky_key").await.unwrap();
        assert_eq!(key, None, "`createdAt` is the moment of posting, which has not come");
        // what is journalled is enough
        fs::remove_dir_all(bench.dir.path().join("media")).unwrap();
        is_whole(&bench.ended(&draft).await);
        assert_eq!((bench.seen("uploadVideo"), bench.seen("getJobStatus")), (1, 3));
        assert_eq!((bench.seen("uploadBlob"), bench.seen("putRecord")), (0, 1));
        let upload = &bench.server.seen_of("uploadVideo")[0];
        assert_eq!(upload.headers["content-length"], film().len().to_string());
        assert_eq!(upload.body, film());
        let token = upload.headers["authorization"].strip_prefix("Bearer ").unwrap();
        assert_eq!(redact(token), "[redacted]", "known to the log");
        bench.no_complaints();
    }
}

#[tokio::test]
async fn a_video_that_was_prepared_before_is_used() {
    let bench = Bench::signed_in().await;
    let draft = bench.with_video();
    bench.ended(&draft).await;
    let journal = Scratch::default();
    let desk = Desk { journal: &journal, ..bench.desk() };
    let first = bench.prepared().publish(&draft, &desk).await;
    assert!(matches!(first, Outcome::Wait { .. }), "{first:?}");
    let second = bench.prepared().publish(&draft, &desk).await;
    assert!(matches!(second, Outcome::Published(_)), "{second:?}");
    assert_eq!(bench.seen("uploadVideo"), 2);
    bench.server.records().iter().for_each(|record| is_whole(&record.value));
    bench.no_complaints();
}

#[tokio::test]
async fn a_preparation_that_fails_or_is_refused_costs_the_video_and_not_the_post() {
    let bench = Bench::signed_in().await;
    bench.server.set_jobs(0, true);
    assert!(bench.ended(&bench.with_video()).await.get("embed").is_none());
    assert_eq!((bench.seen("uploadVideo"), bench.seen("getJobStatus")), (1, 1));

    for answer in [
        (400, json!({"error": "BadBody", "message": "no"})),
        (401, json!({"error": "InvalidToken", "message": "no"})),
        (413, json!({"error": "PayloadTooLarge", "message": "no"})),
        (200, json!({"jobStatus": {"error": "novelty", "jobId": "", "state": "", "did": ""}})),
        (409, json!({"jobId": "j", "state": "JOB_STATE_FAILED", "error": "bad"})),
    ] {
        let bench = Bench::signed_in().await;
        bench.server.script("uploadVideo", Trouble::Say(answer.0, answer.1.clone()));
        let record = bench.ended(&bench.with_video()).await;
        assert!(record.get("embed").is_none(), "{answer:?}");
        bench.no_complaints();
    }
}

#[tokio::test]
async fn an_unconfirmed_address_is_for_the_owner_to_confirm() {
    let status = json!({"did": "", "error": "unconfirmed_email", "jobId": "", "state": ""});
    for body in [json!({"jobStatus": status}), status] {
        for code in [200, 401] {
            let bench = Bench::signed_in().await;
            bench.server.script("uploadVideo", Trouble::Say(code, body.clone()));
            let draft = bench.with_video();
            let Outcome::Failed(failure) = bench.prepare(&draft).await else { panic!("{body}") };
            let Class::Account { hint, until: None } = &failure.class else {
                panic!("{failure:?}")
            };
            assert!(hint.contains("confirm it at https://bsky.app"), "{hint}");
            is_whole(&bench.ended(&draft).await);
            bench.no_complaints();
        }
    }
}

#[tokio::test]
async fn whatever_gets_lost_on_the_way_there_is_one_post_with_the_video() {
    let reset = Clock::System.now().as_millis() / 1000 + 60;
    for method in ["getServiceAuth", "uploadVideo", "getJobStatus"] {
        for trouble in [
            Trouble::HangUp,
            Trouble::StoreThenClose,
            Trouble::Truncate,
            Trouble::Garbage,
            Trouble::StoreThenFail,
            Trouble::Html(502),
            Trouble::Limit(reset),
        ] {
            let bench = Bench::signed_in().await;
            bench.server.script(method, trouble.clone());
            let draft = bench.with_video();
            let outcome = bench.to_its_end(&draft).await;
            let Outcome::Failed(failure) = outcome else { panic!("{method} {trouble:?}") };
            let class = if matches!(trouble, Trouble::Limit(_)) { "rate_limited" } else { "retry" };
            assert_eq!(failure.class.as_str(), class, "{method} {trouble:?}: {}", failure.message);
            is_whole(&bench.ended(&draft).await);
            bench.no_complaints();
        }
    }
    let bench = Bench::signed_in().await;
    bench.server.script("putRecord", Trouble::StoreThenClose);
    let draft = bench.with_video();
    let outcome = bench.to_its_end(&draft).await;
    assert!(matches!(&outcome, Outcome::Failed(f) if f.class == Class::Ambiguous), "{outcome:?}");
    is_whole(&bench.ended(&draft).await);
    assert_eq!(bench.seen("uploadVideo"), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn a_job_that_is_lost_begins_anew_once() {
    let bench = Bench::signed_in().await;
    let draft = bench.with_video();
    assert!(matches!(bench.prepare(&draft).await, Outcome::Wait { .. }));
    bench.server.forget_jobs();
    assert!(matches!(bench.prepare(&draft).await, Outcome::Wait { .. }), "uploaded again");
    is_whole(&bench.ended(&draft).await);
    assert_eq!(bench.seen("uploadVideo"), 2);

    let bench = Bench::signed_in().await;
    let draft = bench.with_video();
    for _ in 0..2 {
        assert!(matches!(bench.prepare(&draft).await, Outcome::Wait { .. }));
        bench.server.forget_jobs();
    }
    assert!(bench.ended(&draft).await.get("embed").is_none());
    bench.no_complaints();
}

#[tokio::test]
async fn a_job_that_never_ends_costs_the_video_and_not_the_post() {
    let bench = Bench::signed_in().await;
    bench.server.set_jobs(u32::MAX, false);
    let draft = bench.with_video();
    for _ in 0..3 {
        assert!(matches!(bench.prepare(&draft).await, Outcome::Wait { .. }));
    }
    let (name, file) = ("bluesky_extras", &draft.media[0].file.as_ref().unwrap().file);
    let mut note = bench.journal.read(name).await.unwrap().unwrap();
    let begun = json!(Clock::System.now().minus(Duration::from_secs(3600)));
    note["files"][file]["state"]["job"]["since"] = begun;
    bench.journal.write(name, note).await.unwrap();
    assert!(bench.ended(&draft).await.get("embed").is_none());
    bench.no_complaints();
}

#[tokio::test]
async fn an_account_that_got_a_server_of_its_own_meanwhile_uploads_there() {
    let bench = Bench::signed_in().await;
    let draft = bench.with_video();
    assert!(matches!(bench.prepare(&draft).await, Outcome::Wait { .. }));
    is_whole(&bench.sent(&draft).await);
    assert_eq!(bench.seen("uploadBlob"), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn a_prepared_video_that_the_server_does_not_keep_is_sent_once_more() {
    let bench = Bench::signed_in().await;
    bench.server.script("putRecord", Trouble::Refuse(400, "BlobNotFound", "not there"));
    let draft = bench.with_video();
    is_whole(&bench.ended(&draft).await);
    assert_eq!((bench.seen("uploadVideo"), bench.seen("putRecord")), (2, 2));
    bench.no_complaints();
}
