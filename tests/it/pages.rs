//! Facebook Pages: which of them a person may post to, against a scripted server.

use posse_party::clock::Clock;
use posse_party::config::{Delivery, Secret};
use posse_party::http;
use posse_party::platform::Platform;
use posse_party::publish::meta::login::{self, Step};
use posse_party::publish::meta::{Graph, pages};
use posse_party::publish::{Desk, Scratch};
use serde_json::{Value, json};

use crate::wire::{Reply, Request, Server};

const USER: &str = "EAAuserToken";

fn page(id: &str, name: &str, tasks: &[&str]) -> Value {
    json!({"id": id, "name": name, "access_token": format!("EAApage{id}"), "tasks": tasks})
}

/// Two parts of the person's own Pages, and one of a business.
fn answer(request: &Request) -> Reply {
    let token = request.header("authorization").unwrap_or_default().to_owned();
    assert!(!request.target.contains("EAA"), "a token in an address: {}", request.target);
    let next = "https://graph.facebook.com/v25.0/me/accounts?access_token=EAAuserToken&after=two";
    let body = match (request.path(), request.target.contains("after=two")) {
        ("/v25.0/me/accounts", false) => json!({
            "data": [page("11", "One", &["CREATE_CONTENT", "MANAGE"]), {"id": "12", "name": "No"}],
            "paging": {"cursors": {"before": "one", "after": "two"}, "next": next},
        }),
        ("/v25.0/me/accounts", true) => json!({
            "data": [page("13", "Three", &["ANALYZE"])],
            "paging": {"cursors": {"before": "two", "after": "end"}},
        }),
        ("/v25.0/me/businesses", _) => json!({"data": [{"id": "90"}, {"id": "../me"}]}),
        ("/v25.0/90/owned_pages", _) => {
            json!({"data": [page("11", "One", &[]), page("14", "Four", &["CREATE_CONTENT"])]})
        }
        ("/v25.0/90/client_pages", _) => {
            let error = json!({"error": {"code": 200, "message": "(#200) no", "type": "x"}});
            return Reply::json(400, &error);
        }
        ("/v25.0/debug_token", _) => {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let is_page = body.contains("EAApage");
            json!({"data": {
                "is_valid": true, "expires_at": 0, "type": if is_page { "PAGE" } else { "USER" },
                "data_access_expires_at": 1_900_000_000,
                "scopes": ["pages_show_list", "pages_read_engagement", "pages_manage_posts"],
            }})
        }
        ("/v25.0/me", _) => json!({"id": "11", "name": "One"}),
        other => panic!("{other:?} with {token}"),
    };
    Reply::json(200, &body)
}

#[tokio::test]
async fn every_page_that_a_person_may_post_to_is_found_once() {
    let server = Server::start(answer);
    let client = http::publishing("test", &Delivery::default()).unwrap();
    let graph = Graph::new(Platform::Facebook, "v25.0", Some(server.url("/")), client);
    let (memory, clock) = (Scratch::default(), Clock::System);
    let desk =
        Desk { crosspost: None, journal: &memory, memory: &memory, clock: &clock, shelf: None };
    let found = pages::of(&graph, &desk, &Secret::new(USER)).await.unwrap();
    let found: Vec<_> =
        found.iter().map(|it| (it.id.as_str(), it.name.as_str(), it.may_post)).collect();
    assert_eq!(found, [("11", "One", true), ("13", "Three", false), ("14", "Four", true)]);

    // a token of a person is a choice of Pages, and that of a Page is what it is
    let step = login::pasted(&graph, &desk, &Secret::new(USER), None).await.unwrap();
    let Step::Choose(pages) = step else { panic!("no choice") };
    let entry = login::chosen(&graph, &desk, &pages[2], None).await.unwrap();
    assert_eq!((entry.id.as_str(), entry.name.as_str()), ("14", "Four"));
    assert_eq!(entry.token.access_token, "EAApage14");
    assert_eq!((entry.life.expires_at, entry.token.refresh_after), (None, None));
    assert!(entry.life.data_access_expires_at.is_some());
    let step = login::pasted(&graph, &desk, &Secret::new("EAApage11"), None).await.unwrap();
    assert!(matches!(step, Step::Done(entry) if entry.name == "One"));
}
