//! Answer: one answer of Meta's API, and the error in it.
//!
//! **Refuses:** to trust a status: an answer is a success when it is 2xx *and* holds no error.

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::usage::Usage;
use crate::clock::Timestamp;
use crate::publish::words::shown;

/// An answer that was read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status, which says next to nothing: most refusals are 400, some are 500.
    pub status: u16,
    /// How much of the allowance is used, as the headers say.
    pub usage: Usage,
    /// What time it is over there, where that was said.
    pub date: Option<Timestamp>,
    /// The version that answered, where it says so.
    pub version: Option<String>,
    /// The body; null where it is no JSON, as with the pages that are shown during outages.
    pub body: Value,
}

/// What the API says is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphError {
    /// `code`; may be negative.
    pub code: i64,
    /// `error_subcode`, which has seven digits and more.
    pub subcode: Option<i64>,
    /// `message`, in English.
    pub message: String,
    /// `type`, and the flat shape's `error_type`. Nothing is concluded from it but names in capital
    /// letters, which some errors have instead of a number.
    pub kind: String,
    /// `error_user_title` and `error_user_msg`, in the language of the user: for people only.
    pub told: Option<String>,
    /// Only `true` means anything.
    pub is_transient: bool,
    /// What Meta's support asks for.
    pub trace: Option<String>,
}

impl Answer {
    /// Takes an answer apart.
    pub fn new(status: u16, headers: &HeaderMap, bytes: &[u8]) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let versions = ["threads-api-version", "instagram-api-version", "facebook-api-version"];
        Self {
            status,
            usage: Usage::read(headers),
            date: text("date").and_then(crate::http::date::parse),
            version: versions.iter().find_map(|name| text(name)).map(str::to_owned),
            body: serde_json::from_slice(bytes).unwrap_or(Value::Null),
        }
    }

    /// Whether the API says that it did what it was asked.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status) && self.body.is_object() && self.error().is_none()
    }

    /// A text of the body that is there and not empty. A number counts as its digits: ids come as
    /// both.
    pub fn text(&self, key: &str) -> Option<String> {
        words(&self.body[key])
    }

    /// The error in the body, in either of its two shapes.
    pub fn error(&self) -> Option<GraphError> {
        let error = &self.body["error"];
        if error.is_object() {
            let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
            let told: Vec<_> = ["error_user_title", "error_user_msg"]
                .iter()
                .filter_map(|key| error[*key].as_str().filter(|text| !text.is_empty()))
                .collect();
            return Some(GraphError {
                code: number(&error["code"]).unwrap_or_default(),
                subcode: number(&error["error_subcode"]),
                message: text("message"),
                kind: text("type"),
                told: (!told.is_empty()).then(|| told.join(": ")),
                is_transient: error["is_transient"] == true,
                trace: words(&error["fbtrace_id"]),
            });
        }
        // the doors for codes have a flat shape (not seen on tape); `error_message` alone is of a
        // container that failed
        (error.is_string() || self.body["error_type"].is_string()).then(|| {
            let text = |key: &str| self.body[key].as_str().unwrap_or_default().to_owned();
            let message = [text("error_message"), text("error_description")].concat();
            GraphError {
                code: number(&self.body["code"]).unwrap_or_default(),
                message,
                kind: [text("error_type"), text("error")].concat(),
                ..GraphError::default()
            }
        })
    }

    /// The answer in one line, without secrets.
    pub fn words(&self) -> String {
        let Some(error) = self.error() else {
            let more = match self.status {
                200..300 if self.body.is_object() => " without what a success must hold",
                200..300 => " and something that is no JSON",
                300..400 => ", a redirect, which is not followed",
                _ => " and no error in the API's own shape",
            };
            return format!("the server answered {}{more}", self.status);
        };
        let mut line = format!("the server answered {}: error {}", self.status, error.code);
        if let Some(subcode) = error.subcode {
            line.push_str(&format!("/{subcode}"));
        }
        let plain = Some(error.message).filter(|message| !message.is_empty());
        for part in [plain, error.told].into_iter().flatten() {
            line.push_str(": ");
            line.push_str(&shown(&part));
        }
        if let Some(trace) = error.trace {
            line.push_str(&format!(" (fbtrace_id {})", shown(&trace)));
        }
        line
    }
}

/// A text, or the digits of a number.
pub fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A number, or a text that is one.
pub fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, code: i64, subcode: Option<i64>, line: &str) {
        let answer = Answer::new(400, &HeaderMap::new(), body.as_bytes());
        let error = answer.error().unwrap();
        assert_eq!((error.code, error.subcode), (code, subcode), "{body}");
        assert_eq!(answer.words(), line);
        assert!(!answer.is_success());
    }

    #[test]
    fn errors_are_read_in_every_shape() {
        check(
            r#"{"error":{"message":"The requested resource does not exist","type":"OAuthException",
                "code":24,"error_subcode":4279009,"is_transient":false,
                "error_user_title":"Kh\u00f4ng t\u00ecm th\u1ea5y","fbtrace_id":"AbC"}}"#,
            24,
            Some(4_279_009),
            "the server answered 400: error 24/4279009: The requested resource does not exist: \
             Không tìm thấy (fbtrace_id AbC)",
        );
        check(
            r#"{"error":{"message":"Fatal","type":"THApiException","code":-1}}"#,
            -1,
            None,
            "the server answered 400: error -1: Fatal",
        );
        check(r#"{"error":{"code":"190"}}"#, 190, None, "the server answered 400: error 190");
        check(
            r#"{"error_type":"OAuthException","code":400,"error_message":"Invalid code"}"#,
            400,
            None,
            "the server answered 400: error 400: Invalid code",
        );
    }

    #[test]
    fn a_success_holds_no_error_whatever_its_status_says() {
        let check = |status: u16, body: &str, expect: bool| {
            let answer = Answer::new(status, &HeaderMap::new(), body.as_bytes());
            assert_eq!(answer.is_success(), expect, "{status} {body}");
        };
        check(200, r#"{"id":"1"}"#, true);
        check(200, r#"{"error":{"code":1,"message":"x"}}"#, false);
        check(200, r#"{"id":"1","status":"ERROR","error_message":"UNKNOWN"}"#, true);
        check(200, "<html>", false);
        check(200, "", false);
        check(500, r#"{"id":"1"}"#, false);
    }

    #[test]
    fn ids_are_texts_whichever_way_they_come() {
        let body = br#"{"a":18059512493053254,"b":"18059512493053254","c":"","d":null}"#;
        let answer = Answer::new(200, &HeaderMap::new(), body);
        assert_eq!(answer.text("a").as_deref(), Some("18059512493053254"));
        assert_eq!(answer.text("b"), answer.text("a"));
        assert_eq!((answer.text("c"), answer.text("d")), (None, None));
    }

    #[test]
    fn no_secret_and_no_page_is_quoted() {
        crate::redact::register_secrets([&crate::config::Secret::new("THsecretToken1")]);
        let body = br#"{"error":{"code":190,"message":"bad token THsecretToken1"}}"#;
        let words = Answer::new(400, &HeaderMap::new(), body).words();
        assert_eq!(words, "the server answered 400: error 190: bad token [redacted]");
        let body = br#"{"error":{"code":1,"fbtrace_id":"ATHsecretToken1\nZ"}}"#;
        let words = Answer::new(500, &HeaderMap::new(), body).words();
        assert_eq!(words, "the server answered 500: error 1 (fbtrace_id A[redacted] Z)");
        let page = Answer::new(503, &HeaderMap::new(), b"<html>Sorry, something went wrong");
        assert_eq!(page.words(), "the server answered 503 and no error in the API's own shape");
    }
}
