use std::time::Duration;

use super::*;

/// The media as `url|type|alt`, `-` where there is no `alt`; with a poster a fourth part.
fn shown(html: &str) -> Vec<String> {
    let base = Url::parse("https://a.io/blog/1").unwrap();
    let line = |seen: &Seen| {
        let Media { media_type, url, poster_url, alt, .. } = &seen.medium;
        let alt = alt.as_deref().unwrap_or(if seen.has_alt { "" } else { "-" });
        let poster = poster_url.iter().map(|url| format!("|{url}")).collect::<String>();
        format!("{url}|{}|{alt}{poster}", media_type.as_deref().unwrap_or_default())
    };
    read(html, Some(&base)).iter().map(line).collect()
}

#[track_caller]
fn check(html: &str, expect: &[&str]) {
    assert_eq!(shown(html), expect, "{html}");
}

#[test]
fn images_have_addresses_types_and_words() {
    check("<p>no image</p>", &[]);
    check("<img src='/a.jpg' alt=' A \n lake '>", &["https://a.io/a.jpg|image/jpeg|A lake"]);
    check("<img src=b.png>", &["https://a.io/blog/b.png|image/png|-"]);
    check("<IMG SRC=//b.io/c alt=''>", &["https://b.io/c|image|"]);
    check(
        "<img src='https://B.io/ä.jpg?a=1&amp;b=2'>",
        &["https://B.io/ä.jpg?a=1&b=2|image/jpeg|-"],
    );
    check("<img src='http://a.io/a b.gif'/>", &["http://a.io/a%20b.gif|image/gif|-"]);
    for none in ["", "data:image/png;base64,AAAA", "javascript:x()", "ftp://a.io/a.jpg", "blob:x"] {
        check(&format!("<img src='{none}' alt=x>"), &[]);
    }
    check("<img alt=x>", &[]);
    let long = format!("<img src='/{}'>", "a".repeat(5000));
    check(&long, &[]);
    assert_eq!(read("<img src='a.jpg'>", None), []);
}

#[test]
fn what_is_no_image_for_readers_is_left_out() {
    for attributes in [
        "width=1 height=1",
        "width='2px' height=500",
        "height=63",
        "width=0",
        "class='wp-smiley'",
        "class='big Emoji'",
        "alt='🙂'",
        "hidden",
        "style='border:0; display: none'",
    ] {
        check(&format!("<img src=/a.jpg {attributes}>"), &[]);
    }
    for attributes in ["width=64 height=64", "width='10%'", "width=auto", "style='width:1px'"] {
        check(&format!("<img src=/a.jpg {attributes}>"), &["https://a.io/a.jpg|image/jpeg|-"]);
    }
    for element in ["script", "style", "template", "textarea", "iframe", "title", "xmp"] {
        let html = format!("<{element}><img src=/a.jpg></{element}><img src=/b.jpg>");
        check(&html, &["https://a.io/b.jpg|image/jpeg|-"]);
    }
    check("<!-- <img src=/a.jpg> -->", &[]);
}

#[test]
fn of_several_sizes_the_best_is_taken() {
    let best = "https://a.io/l.jpg|image/jpeg|-";
    check("<img src=/s.jpg srcset='/s.jpg 300w, /l.jpg 1200w, /m.jpg 600w'>", &[best]);
    check("<img src=/s.jpg srcset='/l.jpg 2x'>", &[best]);
    check("<img src=/l.jpg width=2000 srcset='/s.jpg 300w'>", &[best]);
    let picture = |sources: &str| format!("<picture>{sources}<img src=/s.jpg></picture>");
    check(
        &picture("<source type='image/avif' srcset='/x 2000w'><source srcset='/l.jpg 900w'>"),
        &[best],
    );
    check(
        &picture("<source type=image/webp srcset=/l.webp>"),
        &["https://a.io/l.webp|image/webp|-"],
    );
    let narrow = picture("<source media='(max-width: 600px)' srcset='/n.jpg 9w'>");
    check(&narrow, &["https://a.io/s.jpg|image/jpeg|-"]);
    check(
        "<picture><source srcset=/x.avif></picture><img src=/s.jpg>",
        &["https://a.io/s.jpg|image/jpeg|-"],
    );
    check("<img src=/a.avif>", &["https://a.io/a.avif|image/avif|-"]);
    let base = Url::parse("https://a.io").unwrap();
    let seen = read("<img src=/s.jpg srcset='/s.jpg 1w, /l.jpg 2w, /l.jpg 2w'>", Some(&base));
    assert_eq!(seen[0].others, ["https://a.io/s.jpg"]);
}

#[test]
fn what_is_loaded_late_is_found() {
    let expect = "https://a.io/a.jpg|image/jpeg|A";
    for late in ["data-src", "data-lazy-src", "data-original"] {
        check(&format!("<img src=/wait.gif {late}=/a.jpg alt=A>"), &[expect]);
        check(&format!("<img style='display:none' {late}=/a.jpg alt=A>"), &[expect]);
    }
    check("<img src='data:,' data-srcset='/a.jpg 9w' srcset='/wait.gif 9w' alt=A>", &[expect]);
    check("<img src='data:,'><noscript><img src=/a.jpg alt=A></noscript>", &[expect]);
    // a placeholder is no other size of what it stands for
    let base = Url::parse("https://a.io").unwrap();
    assert_eq!(read("<img src=/wait.gif data-src=/a.jpg>", Some(&base))[0].others, [""; 0]);
}

#[test]
fn videos_have_a_source_and_a_poster() {
    check(
        "<video src=/v.mp4 poster=p.jpg></video>",
        &["https://a.io/v.mp4|video/mp4|-|https://a.io/blog/p.jpg"],
    );
    check(
        "<video><source src=/v.webm><source src=/v type='video/mp4; codecs=avc1'></video>",
        &["https://a.io/v|video/mp4|-"],
    );
    check("<video><source src=/v.webm>", &["https://a.io/v.webm|video/webm|-"]);
    check(
        "<video data-src=/v aria-label='A walk'><img src=/no.jpg></video>",
        &["https://a.io/v|video|A walk"],
    );
    check("<video><source src=/v.m3u8 type=application/x-mpegURL></video>", &[]);
    check("<video poster=/p.jpg></video>", &[]);
    check(
        "<audio><source src=/a.mp3></audio><img src=/a.jpg>",
        &["https://a.io/a.jpg|image/jpeg|-"],
    );
    check(
        "<video src=/a.mp4><video src=/b.mp4>",
        &["https://a.io/a.mp4|video/mp4|-", "https://a.io/b.mp4|video/mp4|-"],
    );
}

#[test]
fn a_caption_stands_in_where_nothing_describes() {
    let figure = |inside: &str| format!("<figure>{inside}</figure>");
    let expect = "https://a.io/a.jpg|image/jpeg|A lake, by Ada";
    let caption = "<figcaption>A <b>lake</b>,<br>by Ada</figcaption>";
    check(&figure(&format!("<img src=/a.jpg>{caption}")), &[expect]);
    check(&figure(&format!("{caption}<img src=/a.jpg>")), &[expect]);
    check(&format!("<figure><img src=/a.jpg>{caption}"), &[expect]);
    check(
        &figure(&format!("<img src=/a.jpg alt=''>{caption}")),
        &["https://a.io/a.jpg|image/jpeg|"],
    );
    check(
        &figure(&format!("<img src=/a.jpg alt=B>{caption}")),
        &["https://a.io/a.jpg|image/jpeg|B"],
    );
    check(
        &figure("<img src=/a.jpg><figcaption> </figcaption>"),
        &["https://a.io/a.jpg|image/jpeg|-"],
    );
    // a caption of many is that of none
    let gallery = format!("{}<img src=/b.jpg>{caption}", figure("<img src=/a.jpg>"));
    check(
        &figure(&gallery),
        &["https://a.io/a.jpg|image/jpeg|-", "https://a.io/b.jpg|image/jpeg|-"],
    );
    check(
        "<figcaption>no figure</figcaption><img src=/a.jpg>",
        &["https://a.io/a.jpg|image/jpeg|-"],
    );
}

#[test]
fn no_content_takes_long() {
    let check = |piece: &str| {
        let html = piece.repeat((1 << 20) / piece.len());
        let start = tokio::time::Instant::now();
        let seen = read(&html, None);
        assert!(seen.len() <= SEEN_MAX);
        // linear work takes a second of an unoptimised build, and anything else for ever
        assert!(start.elapsed() < Duration::from_secs(60), "{piece}: {:?}", start.elapsed());
    };
    for piece in [
        "<img srcset='",
        "<img src=https://a.io/1 ",
        "<img a",
        "<figure><img><figcaption>a",
        "<picture><source srcset='https://a.io/1 1w,'>",
        "<video><source src=https://a.io/1.mp4>",
        "<template><img>",
        "</figure></video></picture>",
        "<img ,",
    ] {
        check(piece);
    }
}
