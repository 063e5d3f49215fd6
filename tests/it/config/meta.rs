//! The credentials of Instagram accounts and Facebook Pages.

use insta::assert_snapshot;
use posse_party::config::Credentials;

use super::{SECRET, label, load, said};

#[test]
fn mistakes_in_accounts_of_meta() {
    let rows = [
        "platform = \"instagram\"",
        "platform = \"instagram\"\naccess_token = \"x\"\nuser_id = \"@ada\"",
        "platform = \"instagram\"\naccess_token = \"x\"\nuser_id = 17841405793187218",
        "platform = \"instagram\"\napp_id = \"12\"\napp_secret = { file = \"none\" }",
        "platform = \"facebook\"",
        "platform = \"facebook\"\npage_id = \"ada\"\npage_access_token = \"x\"",
        "platform = \"facebook\"\npage_id = \"1\"\npage_access_token = \"x\"\napi_version = \"25\"",
        "platform = \"facebook\"\npage_id = 107000000000001\npage_access_token = \"x\"",
    ];
    assert_snapshot!(said("[accounts.a]", &rows), @r###"
    platform = "instagram"
        fine
    platform = "instagram"
    access_token = "x"
    user_id = "@ada"
        accounts.a.user_id: `@ada` is no number of Meta's, want for example `"17841405793187218"`
    platform = "instagram"
    access_token = "x"
    user_id = 17841405793187218
        fine
    platform = "instagram"
    app_id = "12"
    app_secret = { file = "none" }
        accounts.a.app_secret: file `/etc/pp/none` does not exist
    platform = "facebook"
        accounts.a.page_id: is missing, want the number of the Page, for example `"107000000000001"`
    platform = "facebook"
    page_id = "ada"
    page_access_token = "x"
        accounts.a.page_id: `ada` is no number of Meta's, want for example `"17841405793187218"`
    platform = "facebook"
    page_id = "1"
    page_access_token = "x"
    api_version = "25"
        accounts.a.api_version: `25` is no version, want for example `v25.0`
    platform = "facebook"
    page_id = 107000000000001
    page_access_token = "x"
        fine
    "###);
}

#[test]
fn every_secret_is_known_and_counts_for_who_gets_in() {
    let of = |more: &str| {
        let text = format!(
            "[accounts.a]\nplatform = \"instagram\"\naccess_token = \"{SECRET}\"\n\
             app_id = \"12\"\napp_secret = \"another\"\n{more}"
        );
        load(&text)
    };
    let config = of("user_id = 17841405793187218");
    let secrets: Vec<_> = config.secrets().map(|secret| secret.expose().to_owned()).collect();
    assert_eq!(secrets, [SECRET, "another"]);
    let credentials = config.accounts[&label("a")].credentials.clone().unwrap();
    let Credentials::Instagram { user_id, api_version, base_url, .. } = &credentials else {
        panic!("{credentials:?}")
    };
    assert_eq!(user_id.as_deref(), Some("17841405793187218"));
    assert_eq!((api_version.as_str(), base_url), ("v25.0", &None));
    let print = |more| of(more).accounts[&label("a")].credentials.clone().unwrap().fingerprint();
    assert_eq!(print(""), print("api_version = \"v26.0\""), "no part of how to get in");
    let credentials = load("[accounts.a]\nplatform = \"facebook\"\npage_id = 1");
    assert!(!credentials.accounts[&label("a")].credentials.clone().unwrap().lets_in());
    assert_ne!(print(""), print("user_id = \"1\""));
    assert_ne!(print(""), print("base_url = \"https://a.example\""));
}
