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
    check("<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>", "A B\n1 2");
}

#[test]
fn quotes_and_code() {
    check("He:<blockquote><p>One</p><p>Two</p></blockquote>Me", "He:\n\n> One\n\n> Two\n\nMe");
    check("<blockquote>One</blockquote>", "> One");
    check("<blockquote>One<br>Two</blockquote>", "> One\n> Two");
    check("<q>so</q> he said", "“so” he said");
    check("<p>See</p><pre><code>if x:\n    y()\n</code></pre>", "See\n\nif x:\n    y()");
    check("use <code>let</code>", "use let");
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
    check("AT&amp;T &lt;b&gt; &hellip; &#8217; &nbsp;x", "AT&T <b> … ’ \u{a0}x");
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
    fn any_text_becomes_tidy_text(html in "(<[/]?(p|br|ul|li|a href=x|blockquote|pre|video|q)>|[a-z& \n\u{a0}<]){0,40}") {
        let text = html_to_text(&html);
        proptest::prop_assert!(!text.contains("\n\n\n"));
        proptest::prop_assert!(text.lines().all(|line| line.trim_end() == line));
        proptest::prop_assert_eq!(text.trim(), &text);
        let line = html_to_line(&html);
        proptest::prop_assert!(!line.contains('\n') && !line.contains("  "));
    }
}
