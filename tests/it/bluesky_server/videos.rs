//! The video service: a video is uploaded under a token of the account's server, prepared while it
//! is asked for, and put onto that server (sheet B6).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{DID, Refusal, Seen, State, bearer, invalid, now, query};

/// What is being prepared, and how.
#[derive(Default)]
pub struct Videos {
    /// Tokens that the account's server gave.
    tokens: Vec<String>,
    jobs: BTreeMap<String, Job>,
    /// How often a job is asked for in vain.
    pub questions: u32,
    /// Whether jobs fail.
    pub fail: bool,
    /// Whether job states stand in the answer itself.
    pub flat: bool,
    /// How far its clock is ahead, in milliseconds.
    pub ahead_ms: i64,
}

struct Job {
    questions: u32,
    video: Seen,
    blob: Option<Value>,
}

impl Videos {
    /// No job is known any more.
    pub fn forget(&mut self) {
        self.jobs.clear();
    }
}

impl State {
    /// `getServiceAuth`.
    pub(super) fn service_token(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        self.authorised(seen)?;
        let query = query(seen);
        let named = ["x-forwarded-host", "host"].iter().find_map(|it| seen.headers.get(*it));
        let host = named.map_or("", String::as_str).replace(':', "%3A");
        if query.get("aud") != Some(&format!("did:web:{host}")) {
            return Err(invalid(format!("aud {:?} is not did:web:{host}", query.get("aud"))));
        }
        if query.get("lxm").is_none_or(|lxm| lxm != "com.atproto.repo.uploadBlob") {
            return Err(invalid("lxm"));
        }
        let until = query.get("exp").and_then(|exp| exp.parse::<i64>().ok()).unwrap_or(0);
        let now = (now().as_millis() + self.videos.ahead_ms) / 1000;
        if until <= now || until > now + 3600 {
            return Err((400, "BadExpiration", "expiration is in past or too far".into()));
        }
        let token = format!("service.{}.signature", self.videos.tokens.len());
        self.videos.tokens.push(token.clone());
        Ok(json!({"token": token}))
    }

    /// `uploadVideo`.
    pub(super) fn upload_video(&mut self, seen: &Seen) -> Result<(u16, Value), Refusal> {
        let token = bearer(seen)?;
        if !self.videos.tokens.contains(&token) {
            return Err((401, "InvalidToken", "no token of the account's server".into()));
        }
        let query = query(seen);
        if query.get("did").is_none_or(|did| did != DID) {
            return Err(invalid("did"));
        }
        if query.get("name").is_none_or(|name| !name.ends_with(".mp4")) {
            return Err(invalid("name"));
        }
        let kind = seen.headers.get("content-type").map_or("", String::as_str);
        if kind != "video/mp4" || seen.body.get(4..8) != Some(b"ftyp") {
            return Err(invalid(format!("`{kind}` is no video/mp4")));
        }
        let jobs = &self.videos.jobs;
        let known = |job: &Job| job.video.body == seen.body && job.blob.is_some();
        if let Some((id, _)) = jobs.iter().find(|(_, job)| known(job)) {
            let status = json!({"did": DID, "jobId": id, "state": "JOB_STATE_COMPLETED",
                "error": "already_exists", "message": "Video already processed"});
            return Ok((409, status));
        }
        let id = format!("job{}", jobs.len());
        let job = Job { questions: self.videos.questions, video: seen.clone(), blob: None };
        self.videos.jobs.insert(id.clone(), job);
        Ok((200, self.wrapped(json!({"did": DID, "jobId": id, "state": "JOB_STATE_CREATED"}))))
    }

    /// `getJobStatus`.
    pub(super) fn job_status(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        if seen.headers.contains_key("authorization") {
            return Err(invalid("a question about a job needs no token"));
        }
        let id = query(seen).get("jobId").cloned().unwrap_or_default();
        let Some(job) = self.videos.jobs.get_mut(&id) else {
            return Err((400, "JobNotFound", "no such job".into()));
        };
        let mut status = json!({"did": DID, "jobId": id, "state": "JOB_STATE_ENCODING"});
        if self.videos.fail {
            status["state"] = "JOB_STATE_FAILED".into();
            status["error"] = "video processing error".into();
            status["message"] = "Failed to process video".into();
        } else if job.questions > 0 {
            job.questions -= 1;
        } else {
            let blob = self.blobs.upload(&job.video)?["blob"].clone();
            job.blob = Some(blob.clone());
            status["state"] = "JOB_STATE_COMPLETED".into();
            status["blob"] = blob;
        }
        Ok(self.wrapped(status))
    }

    fn wrapped(&self, status: Value) -> Value {
        if self.videos.flat { status } else { json!({"jobStatus": status}) }
    }
}
