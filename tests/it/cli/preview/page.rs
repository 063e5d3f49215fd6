//! The page: nothing of a feed becomes more than text in it.

use std::fs;

use super::super::site::{Site, fed};
use super::{SHOWN, write_feed};

const HOSTILE: &str = r#"<entry><id>tag:a.example,2026:1</id>
<title>&lt;/style&gt;&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;"'&gt; onload=&#x202e;</title>
<link href="https://a.example/&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"/>
<link rel="enclosure" type="image/png&quot;&gt;&lt;b&gt;" href="javascript:alert(2)"/>
<published>2026-11-20T10:00:00Z</published>
<content type="html">javascript:alert(3) &lt;a href="javascript:alert(4)"&gt;here&lt;/a&gt;</content>
</entry>"#;

#[test]
fn a_hostile_feed_is_only_text() {
    let more = "[accounts.all]\nplatform = \"outbox\"\npath = \"a\"\n\
                format_string = \"{{title}} {{content}} {{url}}\"\n";
    let site = Site::new("", &format!("{SHOWN}{more}"));
    write_feed(&site, HOSTILE);
    let every = "mastodon,bluesky,threads,instagram,facebook,linkedin,x,youtube";
    let accounts = ["--account", "all,fediverse,out", "--platform", every, "--explain"];
    let page = site.well(&[&["preview", "--offline", "--html", "-"], &accounts[..]].concat());
    assert!(page.contains("&lt;/style&gt;&lt;/title&gt;&lt;script&gt;"), "{page}");
    for tag in ["<script", "<img src=x", "<b>\"", "</style><", "onerror=alert(1)>"] {
        assert!(!page.contains(tag), "{tag} in {page}");
    }
    assert_eq!(page.matches("</style>").count(), 1);
    for attribute in ["href=\"", "src=\""] {
        for (at, _) in page.match_indices(attribute) {
            let value = &page[at + attribute.len()..];
            assert!(value.starts_with("https://"), "{attribute}{}", &value[..40]);
        }
    }
    // every tag is one of ours
    let ours = [
        "!doctype",
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "p",
        "h1",
        "h2",
        "ul",
        "li",
        "b",
        "time",
        "strong",
        "main",
        "article",
        "span",
        "div",
        "a",
        "img",
        "figure",
        "figcaption",
        "footer",
        "i",
        "details",
        "summary",
        "table",
        "tr",
        "th",
        "td",
        "code",
    ];
    for tag in page.split('<').skip(1) {
        let name = tag.trim_start_matches('/');
        let name = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '!').next().unwrap();
        assert!(ours.contains(&name), "<{tag}");
    }
}

#[test]
fn a_page_stands_alone() {
    let mut site = Site::new("", SHOWN);
    site.add("1", "Hello");
    let said = site.well(&["preview", "--offline", "--html", "page.html"]);
    assert_eq!(said, "wrote 3 posts to page.html: open it in a browser\n");
    let page = fs::read_to_string(site.path("page.html")).unwrap();
    assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"), "{page}");
    assert!(page.contains("content=\"default-src 'none'; img-src https: data:"), "{page}");
    assert!(page.contains("<title>Preview: Hello</title>"), "{page}");
    let link = "<a href=\"https://a.example/1\" rel=\"noopener noreferrer nofollow\">";
    assert!(page.contains(&format!("{link}https://a.example/1</a></p>")), "{page}");
    assert!(page.contains("<b>Skipped</b> the account is not active"), "{page}");
    assert!(!page.contains("<link") && !page.contains("url("), "{page}");
    let text = fed(&mut site.command(&["preview", "--text", "-", "--html", "-"]), "Hi #there\n");
    assert!(text.well().contains("Hi <span class=\"tag\">#there</span></p>"));
    let both = site.run(&["preview", "--html", "-", "--json"]);
    assert_eq!(both.code, Some(2));
}
