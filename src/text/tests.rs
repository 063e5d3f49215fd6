use std::time::Duration;

use super::*;

fn check(html: &str, expect: &str) {
    assert_eq!(html_to_text(html), expect, "{html}");
}

#[test]
fn paragraphs_and_breaks() {
    check("<p>One</p><p>Two</p>", "One\n\nTwo");
    check("One<br>Two<br/>Three", "One\nTwo\nThree");
    check("One<br><br><br><br>Two", "One\n\nTwo");
    check("<div><p>One</p></div>\n\n\n<div>\n<p> Two </p></div>", "One\n\nTwo");
    check("<h1>Head</h1>text", "Head\n\ntext");
    check("<p>One</p><p>&nbsp;</p><p></p><p>Two</p>", "One\n\nTwo");
    check("  <p> a\n  b\t c </p>  ", "a b c");
    check("a <b>b </b> <i>c</i>d", "a b cd");
    check("One<hr>Two", "One\n\n---\n\nTwo");
    check("<hr>One<hr><p></p><hr>", "One");
    check(
        "<p>One</p><p><img><br></p><p><a href='https://a.example'><img></a></p>Two",
        "One\n\nTwo",
    );
    check("", "");
    check("<p></p>", "");
}

#[test]
fn lists() {
    check("Buy:<ul><li>Milk</li><li>Eggs</li></ul>Done", "Buy:\n\n• Milk\n• Eggs\n\nDone");
    check("<ol><li>One</li><li>Two</li></ol>", "1. One\n2. Two");
    check("<ol start=3><li>Three<li>Four</ol>", "3. Three\n4. Four");
    check("<ul><li><p>One</p></li><li><p>Two</p><p>more</p></li></ul>", "• One\n• Two\nmore");
    check("<ul><li>A<ul><li>B</li></ul></li><li>C</li></ul>", "• A\n  • B\n• C");
    check("<ul><li></li><li>x</li></ul>after", "• x\n\nafter");
    check("<dl><dt>A</dt><dd>B</dd></dl>", "A\nB");
    check("<ol><li value=7>Seven<li>Eight</ol>", "7. Seven\n8. Eight");
    check("<ul><li><a href='https://a.example'><img></a></li><li>x</li></ul>", "• x");
}

#[test]
fn tables() {
    check("<table><tr><th>A<th>B</tr><tr><td>1</td><td>2</td></tr></table>", "A | B\n1 | 2");
    check("<table><tr><td><img></td><td>text</td></tr></table>", "text");
    check("a<table><tr><td> b </td>\n<td></td><td>c</td></tr></table>d", "a\n\nb | c\n\nd");
    check("<td>a<td>b", "a b");
}

#[test]
fn quotes_and_code() {
    check("He:<blockquote><p>One</p><p>Two</p></blockquote>Me", "He:\n\n> One\n\n> Two\n\nMe");
    check("<blockquote>One</blockquote>", "> One");
    check("<blockquote>One<br>Two</blockquote>", "> One\n> Two");
    check("<q>so</q> he said", "“so” he said");
    check("<p>See</p><pre><code>if x:\n    y()\n</code></pre>", "See\n\nif x:\n    y()");
    check("use <code>let</code>", "use let");
    check("<pre>\n  a\n\n\n\n    b  \n</pre>c", "a\n\n    b\n\nc");
    check("<blockquote><pre>a\n b</pre></blockquote>", "> a\n>  b");
}

#[test]
fn links() {
    check(r#"<a href="https://a.example/x">here</a>."#, "here (https://a.example/x).");
    check(r#"<a href="https://a.example/x/">https://a.example/x</a>"#, "https://a.example/x/");
    check(r#"<a href="https://www.a.example/">a.example</a>"#, "https://www.a.example/");
    check(
        r#"<a href="https://a.example/long/path">a.example/lo…</a>"#,
        "https://a.example/long/path",
    );
    check(r#"<a href="mailto:a@b.example">a@b.example</a>"#, "a@b.example");
    check(r#"<a href="mailto:a@b.example?subject=x">write</a>"#, "write (a@b.example)");
    check(r##"<a href="#top">top</a> <a>none</a> <a href="javascript:x()">js</a>"##, "top none js");
    check(r#"<a href="https://a.example"><img src=x></a>after"#, "after");
    check(r#"see<a href="https://a.example/"> this </a>now"#, "see this (https://a.example/) now");
    check(r#"<a href="https://a.example/?a=1&amp;b=2">q</a>"#, "q (https://a.example/?a=1&b=2)");
}

#[test]
fn an_address_stands_where_a_reader_can_use_it() {
    let to_a = |label: &str| format!(r#"<a href="https://a.example/">{label}</a>"#);
    check(&format!("{}’s cat", to_a("Ada")), "Ada’s (https://a.example/) cat");
    check(&format!("{}&rsquo;s cat", to_a("Ada")), "Ada’s (https://a.example/) cat");
    check(&format!("{}-Code, so", to_a("METAR")), "METAR-Code (https://a.example/), so");
    check(&format!("{}- so", to_a("x")), "x (https://a.example/)- so");
    check(&format!("{}<p>so</p>", to_a("x")), "x (https://a.example/)\n\nso");
    check(&format!("{}に行く", to_a("東京")), "東京 (https://a.example/)に行く");
    check(&format!("{}에 가다", to_a("서울")), "서울에 (https://a.example/) 가다");
    check(&format!("{}{}", to_a("Re"), to_a("lay FM")), "Relay FM (https://a.example/)");
    check(&format!("{} {}", to_a("One"), to_a("two")), "One two (https://a.example/)");
    check(
        &format!("{}<br>{}", to_a("a"), to_a("b")),
        "a (https://a.example/)\nb (https://a.example/)",
    );
    check(&format!("by <i>{}</i> to", to_a(" me ")), "by me (https://a.example/) to");
    check(&format!("“{}”", to_a("x")), "“x (https://a.example/)”");
}

#[test]
fn an_address_that_tells_nothing_is_left_out() {
    check(r#"<a href="/about">me</a> <a href="about.html">us</a>"#, "me us");
    check(r#"<a href="//a.example/b c">me</a>"#, "me (https://a.example/b%20c)");
    check(r#"<a href="omnifocus:///add?name=x">add</a> <a href="tel:123">call</a>"#, "add call");
    check(r#"<a href="https://a.example/contact">me@b.example</a>"#, "me@b.example");
    check(
        r#"<a href="https://a.example/b">now on https://a.example/b</a>"#,
        "now on https://a.example/b",
    );
    check(
        r#"<a href="https://de.wikipedia.org/wiki/K%C3%A4se">de.wikipedia.org/wiki/Käse</a>"#,
        "https://de.wikipedia.org/wiki/K%C3%A4se",
    );
    check(
        r#"<a class="mention hashtag" href="https://a.example/t/b" rel="tag">#<span>b</span></a>"#,
        "#b",
    );
    check(r#"<a class="u-url mention" href="https://a.example/@b">@<span>b</span></a>"#, "@b");
    check(r#"<a rel="tag" href="https://a.example/t/b">Cats</a>"#, "Cats (https://a.example/t/b)");
}

#[test]
fn footnotes_are_marked_as_one_types_them() {
    check(r##"so<sup id="fnref:1"><a href="#fn:1">1</a></sup>."##, "so[1].");
    check(r##"so<sup><a href="https://a.example/p#n1">2</a></sup>"##, "so[2]");
    check(r##"so <a href="#ref3">[3]</a>"##, "so [3]");
    check(r##"Which is so.&#160;<a href="#fnref:1">&#8617;&#65038;</a>"##, "Which is so.");
    check(r##"<h2>Head <a href="#head">¶</a></h2>"##, "Head");
    check(r##"<a href="https://a.example/p#12">12</a>"##, "12 (https://a.example/p#12)");
}

#[test]
fn figures_and_signs_have_characters_of_their_own() {
    check("10<sup>2</sup> m<sup>-1</sup> H<sub>2</sub>O", "10² m⁻¹ H₂O");
    check("1<sup>st</sup>, x<sup>k</sup>", "1st, xk");
    check("so <img class='wp-smiley' alt='🙂'><img alt='1️⃣'><img alt=':x:'>", "so 🙂1️⃣");
    check("<img alt='A cat'><img alt='猫'><img alt>x", "x");
}

#[test]
fn nothing_that_is_only_layout_is_left() {
    check("<p>&nbsp;★&nbsp;</p>", "★");
    check("One.&nbsp; Two,&nbsp;&nbsp;three", "One. Two, three");
    check("«&nbsp;oui&nbsp;»", "«\u{a0}oui\u{a0}»");
    check("con&shy;ver&#8203;sa<wbr>tion\u{feff}", "conversation");
    check("ไทย\u{200b}ไทย 🤷🏻\u{200d}♂️", "ไทย\u{200b}ไทย 🤷🏻\u{200d}♂️");
    check("<p>One</p>\u{ad}<p>Two</p>", "One\n\nTwo");
    check("One<button>Subscribe</button>", "One");
}

#[test]
fn what_only_leads_to_the_entry_itself_goes() {
    let own = "https://a.example/post";
    let check = |html: &str, expect: &str| {
        let entry = Entry { url: Some(own.into()), ..Entry::default() };
        assert_eq!(of_entry(&Markup::Html(html.into()), &entry), expect, "{html}");
    };
    let to = |url: &str, label: &str| format!("<a href='{url}'>{label}</a>");
    check(&format!("<p>One</p><p>{}</p>", to(own, "Continue reading…")), "One");
    check(&format!("<p>One</p>{}", to("http://www.a.example/post/#more", "★")), "One");
    let wordpress =
        format!("The post {} appeared first on {}.", to(own, "X"), to("https://a.example", "Y"));
    check(&format!("<p>One</p>\n<p>{wordpress}</p>\n"), "One");
    check(&format!("<p>One</p><p>{}</p><p>{wordpress}</p>", to(own, "Permalink")), "One");
    check(&format!("<p>One … {}</p>", to(own, "Read more")), "One …");
    check(&format!("<p>One [...] [{}]</p>", to(own, "Read more")), "One [...]");
    check(
        &format!("<ul><li>One</li><li>Two, until... {}</li></ul>", to(own, "[read more]")),
        "• One\n• Two, until...",
    );
    // what says more than that stays
    check(&to(own, "One"), "One (https://a.example/post)");
    check(&format!("One {}", to(own, "two")), "One two (https://a.example/post)");
    check(&format!("<p>{}</p><p>Two</p>", to(own, "One")), "One (https://a.example/post)\n\nTwo");
    let other = "https://b.example/";
    check(
        &format!("<p>One</p><p>{}, {}</p>", to(own, "x"), to(other, "y")),
        "One\n\nx (https://a.example/post), y (https://b.example/)",
    );
    let long = "word ".repeat(100);
    check(
        &format!("<p>One</p><p>{long}{}</p>", to(own, "x")),
        &format!("One\n\n{long}x (https://a.example/post)"),
    );
    check(
        &format!("<p>One</p><p>{}</p>", to("https://a.example/", "x")),
        "One\n\nx (https://a.example/)",
    );
}

#[test]
fn the_beginning_of_a_long_text_is_its_beginning() {
    let entry = Entry { url: Some("https://a.example/post".into()), ..Entry::default() };
    let more = "<p>One <a href='https://b.example'>two</a>’s<sup>2</sup> &amp; três\u{ad}.</p>\n";
    let footer = "<p><a href='https://a.example/post'>Continue reading</a></p>";
    let html = format!("{}{footer}<video><p>swallowed", more.repeat(400));
    for html in [html.as_str(), &html[3..], "<video>a", "a", ""] {
        let markup = Markup::Html(html.to_owned());
        let whole = of_entry(&markup, &entry);
        let reaches = (0..=whole.len() + 1).filter(|reach| *reach < 60 || reach % 997 < 2);
        for reach in reaches.chain([whole.len() - whole.len().min(1), whole.len(), usize::MAX]) {
            let (start, is_all) = start_of(&markup, &entry, reach);
            let expect = &whole[..whole.floor_char_boundary(reach)];
            assert_eq!((start.as_str(), is_all), (expect, whole.len() <= reach), "{reach}");
        }
    }
}

#[test]
fn media_scripts_and_styles_go() {
    check("a<img src=x alt=y>b<video><source src=x>no</video>c", "abc");
    check("a<figure><img><figcaption>cap</figcaption></figure>b<svg><title>t</title></svg>", "ab");
    check("<style>p{}</style><script>if (a<b) {}</script>x<iframe src=x></iframe>y", "xy");
    check("<p>a<iframe src=x />b</p>", "ab");
}

#[test]
fn an_element_that_is_never_closed_does_not_swallow_the_rest() {
    check("<p>One</p><video src=x><p>Two</p>", "One\n\nTwo");
    check("<object data=x>One<figure>Two", "OneTwo");
    check("<ul><li>One", "• One");
    check("<a href='https://a.example'>never closed", "never closed");
}

#[test]
fn entities_are_decoded_once() {
    check("AT&amp;T &lt;b&gt; &hellip; &#8217; &nbsp;x", "AT&T <b> … ’ x");
    check("&amp;amp;", "&amp;");
    check("5 < 6 & 7 > 2", "5 < 6 & 7 > 2");
}

#[test]
fn plain_text_is_only_tidied() {
    let text = |text: &str| plain(&Markup::Text(text.to_owned()));
    assert_eq!(text("  a < b \r\n\r\n\r\n\r\n  c\t\n"), "a < b\n\n  c");
    assert_eq!(text("<b>\u{0}&amp;"), "<b>&amp;");
}

#[test]
fn titles_are_one_line() {
    let line = |html: &str, expect: &str| assert_eq!(html_to_line(html), expect, "{html}");
    line(" a\n b ", "a b");
    line("<p>a</p><p>b <a href='https://a.example'>c</a></p>", "a b c");
    line("<ul><li>a</li><li>b</li></ul>", "a b");
    line("a &amp; b<br>c", "a & b c");
    line("x<script>y</script>", "x");
}

#[test]
fn the_examples_of_the_documentation_are_true() {
    let page = include_str!("../../docs/composition.md");
    let block = page.split("```html\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    for line in block.lines() {
        let (html, text) = line.split_once(" → ").unwrap();
        check(html.trim_end().replace('⏎', "\n").as_str(), &text.replace('⏎', "\n"));
    }
}

#[test]
fn a_flood_of_attributes_ends_the_text() {
    let started = tokio::time::Instant::now();
    let many = |count: usize| (0..count).map(|nth| format!(" a{nth:x}")).collect::<String>();
    for parts in [" ", "/", "='>'", " = \">\" "] {
        let html = format!("One<a x{}>Two", many(200_000).replace(' ', parts));
        assert_eq!(html_to_text(&html).get(..9), None, "attributes apart by {parts:?}");
    }
    let tag = format!("<a{}>.", many(4_000));
    assert!(html_to_text(&tag.repeat(200)).len() < 20);
    // what is only large is read
    let picture = "ab/+".repeat(7_000);
    let read = html_to_text(&format!("One<img src='data:image/png;base64,{picture}'>Two"));
    assert_eq!(read, "OneTwo");
    assert_eq!(html_to_text(&format!("One<a{}>Two</a>", many(500))), "OneTwo");
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn deep_and_broken_markup_takes_linear_time() {
    let started = tokio::time::Instant::now();
    for tag in ["b", "div", "blockquote", "ul", "li", "a href=x", "video", "pre", "q"] {
        let deep = format!("<{tag}>").repeat(10_000);
        let _ = html_to_text(&format!("{deep}x"));
        let closed = format!("</{}>", tag.split(' ').next().unwrap()).repeat(10_000);
        let _ = html_to_text(&format!("{deep}x{closed}"));
        let _ = html_to_text(&closed);
    }
    assert!(started.elapsed() < Duration::from_secs(60));
}

proptest::proptest! {
    #[test]
    fn any_text_becomes_tidy_text(html in "(<[/]?(p|br|hr|ul|li|a href=https://a.b|a|blockquote|pre|video|q|sup|tr|td)>|[a-z1’& \n\u{a0}\u{ad}<]){0,40}") {
        let text = html_to_text(&html);
        proptest::prop_assert!(!text.contains("\n\n\n"));
        proptest::prop_assert!(text.lines().all(|line| line.trim_end() == line));
        proptest::prop_assert_eq!(text.trim(), &text);
        let line = html_to_line(&html);
        proptest::prop_assert!(!line.contains('\n') && !line.contains("  "));
    }
}

#[test]
fn a_line_has_words_alone() {
    let entry = Entry { url: Some("https://a.example/post".into()), ..Entry::default() };
    let check = |html: &str, expect: &str| {
        assert_eq!(line_of(&Markup::Html(html.into()), &entry, 400), expect, "{html}");
    };
    check("<p>See <a href='https://b.example/x'>this</a>, and <b>that</b>.", "See this, and that.");
    check("<ul><li>One<li><a href='https://b.example/'>Ada</a>’s</ul>", "One Ada’s");
    check("<blockquote>To be<hr>or not</blockquote>", "To be or not");
    check("<tr><td>1</td><td>2</td></tr>", "1 2");
    check("so.<sup><a href='#fn1'>1</a></sup> And", "so. And");
    check("at <a href='https://www.b.example/x'>b.example/x</a>", "at b.example/x");
    check("<p>One</p><p><a href='/all'>All</a></p>", "One All");
    let more = "<p>Words</p><p><a href='https://a.example/post'>Continue reading</a></p>";
    check(more, "Words");
    check("Words… <a href='https://a.example/post'>[Read more]</a>", "Words…");
    // of a long one no more than a beginning is read
    let long = line_of(&Markup::Html("<p>words".repeat(100_000)), &entry, 400);
    assert!((400..8000).contains(&long.len()), "{}", long.len());
    assert_eq!(line_of(&Markup::Text("a\n <b>".into()), &entry, 400), "a <b>");
    let unclosed = format!("<video>{}", "<p>words ".repeat(1000));
    assert!(line_of(&Markup::Html(unclosed), &entry, 400).starts_with("words words"));
}
