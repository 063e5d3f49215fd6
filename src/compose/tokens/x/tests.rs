//! Facts of twitter-text's conformance tests (`extract.yml`, release 3.1), in our own tables.

use super::*;

#[track_caller]
fn check(text: &str, found: Vec<&str>, expect: &[&str]) {
    assert_eq!(found, expect, "{text}");
}

#[track_caller]
fn check_urls(text: &str, expect: &[&str]) {
    check(text, urls(text).into_iter().map(|url| &text[url.range]).collect(), expect);
}

#[track_caller]
fn check_kind(text: &str, kind: Kind, expect: &[&str]) {
    let found = super::super::read(text, crate::platform::Platform::X);
    let found = found.iter().filter(|found| found.kind == kind);
    check(text, found.map(|found| found.value.as_str()).collect(), expect);
}

#[test]
fn urls_with_a_protocol() {
    for url in [
        "http://foobar.com/#",
        "http://google.com/#search?q=iphone%20-filter%3Alinks",
        "http://somedomain.com/index.php?path=/abc/def/",
        "http://somehost.com:3000",
        "http://xo.com/~matthew+%ff-,.;x",
        "http://en.wikipedia.org/wiki/Primer_(film)",
        "http://www.ams.org/bookstore-getitem/item=mbk-59",
        "http://✪df.ws/ejp",
        "http://chilp.it/?77e8fd",
        "http://msdn.microsoft.com/ja-jp/library/system.net.httpwebrequest(v=VS.100).aspx",
        "http://word-and-a-number-8-ftw.domain.com/",
        "http://twitter.com/Русские_слова",
        "http://sub_domain-dash.twitter.com",
        "http://a.b.cd",
        "http://a_b.c-d.com",
        "http://www.foo.com/foo/path-with-period./",
        "http://www.foo.com/bar-path/some.stm?param1=foo;param2=P1|0||P2|0",
        "http://foo.com/bar/123/foo_&_bar/",
        "http://tn.com.ar/show/00056158/la?fb_xd_fragment#?=&cb=fe17523f223b7&ackdata",
        "http://xn--ls8h.XN--ls8h.la/",
        "http://foobar.みんな/",
        "http://foobar.پاکستان/",
        "http://www.foo.com?referer=https://t.co/abcde",
        "https://t.co/UqIyJAJTfo?amp=1",
        "http://example.com/a+",
        "https://en.m.wikipedia.org/wiki/Hatfield–McCoy_feud",
        "http://exampleこれは日本語です.com/path/index.html",
        "http://example.com/view/slug-url-?foo=bar",
        "https://www.youtube.com/playlist?list=PL0ZPu8XSRTB7wZzn0mLHMvyzVFeRxbWn-",
    ] {
        check_urls(url, &[url]);
        check_urls(&format!("text {url} text"), &[url]);
    }
}

#[test]
fn urls_end_before_what_closes_a_phrase() {
    check_urls("(http://twitter.com", &["http://twitter.com"]);
    check_urls("http://foo.com?#foo text", &["http://foo.com?#foo"]);
    check_urls("test http://twitter.com/.", &["http://twitter.com/"]);
    check_urls("http://example.com/path..........", &["http://example.com/path"]);
    check_urls("http://example.com/,,,,,,,,", &["http://example.com/"]);
    check_urls("http://example.com/path/!!!!!!", &["http://example.com/path/"]);
    check_urls("a http://t.co/pbY2NfTZ's website", &["http://t.co/pbY2NfTZ"]);
    check_urls(
        "http://t.co/8MkmHU0k+c http://t.co/8t7G3ddS#a http://t.co/FNkPfmii-",
        &["http://t.co/8MkmHU0k", "http://t.co/8t7G3ddS", "http://t.co/FNkPfmii"],
    );
    let slug = "http://t.co/abcdefghijklmnopqrstuvwxyz0123456789";
    check_urls(slug, &[slug]);
    check_urls(&format!("{slug}01234"), &[]);
    check_urls(
        "http://twitter.com\nhttp://example.com/path\nit.so\nit.so/abcde",
        &["http://twitter.com", "http://example.com/path", "it.so", "it.so/abcde"],
    );
}

#[test]
fn what_is_no_url() {
    for text in [
        "http://domain-dash_2314352345_dfasd.foo-cow_4352.com",
        "http://-dash_2314352345_dfasd.foo-cow_4352.com",
        "http://no-tld",
        "http://tld-too-short.x",
        "http://-leadingdash.twitter.com",
        "http://trailingdash-.twitter.com",
        "http://_leadingunderscore.twitter.com",
        "http://trailingunderscore_.twitter.com",
        "http://-twitter.com",
        "http://twitter-.com",
        "http://twitter_underscore.com",
        "http://twitter.c_o_m",
        "http://xn--はじめよう.com/index.html",
        "#test.com @test.com #http://test.com @http://test.com #t.co/abcde @t.co/abcde",
        "$http://twitter.com $twitter.com $http://t.co/abcde $t.co/abcde $TVI.CA",
        "long.test.tar.bz2 test.tar.bz2 tar.bz2",
        "john.doe.gov@mail.com",
        "john.doe.jp@mail.com",
        "Node.js v1.2.3",
    ] {
        check_urls(text, &[]);
    }
}

#[test]
fn urls_without_a_protocol() {
    let list = "foo.com foo.net foo.org foo.edu foo.gov";
    check_urls(list, &list.split(' ').collect::<Vec<_>>());
    check_urls(
        "foo.baz foo.co.jp www.foo.co.uk foo.comm foo.somecom foo.govedu foo.jp",
        &["foo.co.jp", "www.foo.co.uk", "foo.jp"],
    );
    check_urls("t.co/abcde bit.ly/abcde", &["t.co/abcde", "bit.ly/abcde"]);
    check_urls("@user Try http:// example.com/path", &["example.com/path"]);
    check_urls("@user Try http://\u{A0}example.com/path", &["example.com/path"]);
    check_urls("MLB.tv vine.co twitch.tv t.co", &["MLB.tv", "vine.co", "twitch.tv", "t.co"]);
    check_urls("test ELPAÍS.com", &["ELPAÍS.com"]);
    check_urls("example.com?q=1 -a.com _a.com /a.com ..a.com", &["example.com"]);
    check_urls("“example.com”", &["example.com"]);
    check_urls(
        "これは日本語です。example.com/path/index.html中国語example.com/path한국",
        &["example.com/path/index.html", "example.com/path"],
    );
    check_urls(
        "twitter.comこれは日本語です。example.com中国語t.co/abcde한국twitter.com \
         example2.comテストtwitter.com/abcde",
        &[
            "twitter.com",
            "example.com",
            "t.co/abcde",
            "twitter.com",
            "example2.com",
            "twitter.com/abcde",
        ],
    );
    check_urls(
        "http://twitter.com/これは日本語です。example.com中国語http://t.co/abcde한국\
         twitter.comテストexample2.comテストhttp://twitter.com/abcde",
        &[
            "http://twitter.com/",
            "example.com",
            "http://t.co/abcde",
            "twitter.com",
            "example2.com",
            "http://twitter.com/abcde",
        ],
    );
    check_urls("example.comてすとですtwitter.みんなです", &["example.com", "twitter.みんな"]);
    check_urls(
        "\u{2066}\u{202A}test abcdef.com پاکستان http://twitter.com/\u{202C}\u{2069}",
        &["abcdef.com", "http://twitter.com/"],
    );
}

#[test]
fn hashtags_stand_apart_and_hold_a_letter() {
    let tags = |text: &str, expect: &[&str]| check_kind(text, Kind::Tag, expect);
    for name in [
        "hashtag1",
        "1hashtag",
        "mañana",
        "트위터",
        "ﾣﾦﾰ",
        "ашок",
        "日本語ハッシュタグ",
        "ｈａｓｈｔａｇ１２３",
        "ｻｯｶｰ",
        "ﾊﾟﾋﾟﾌﾟﾍﾟﾎﾟ",
        "学問のすゝめ",
        "各〻",
        "各〃",
        "メ～テレ",
        "メ〜テレ",
        "İn",
        "mûǁae",
        "Ċaoiṁín",
        "السياسة",
        "لس_آنجلس",
        "עַל־יְדֵי",
        "וכו׳",
        "מ״כ",
        "ผู้เริ่ม",
        "ශ්‍රීලංකා",
        "۳۴۵هشتگ",
        "महात्मा_१२३४",
        "ଓଡ଼ିଆ",
        "བོད་སྐད་",
        "မြင့်မြတ်သော",
        "Μαχάτμα_Γκάντι",
        "მაჰათმა",
        "il·lusió",
        "\u{20021}",
        "\u{16F04}\u{16F51}",
        "A\u{104A0}",
    ] {
        tags(&format!("#{name}"), &[name]);
        tags(&format!("a ＃{name}, b"), &[name]);
    }
    tags("(#h1 )#h2 [#h3 ]#h4 ’#h5’#h6", &["h1", "h2", "h3", "h4", "h5", "h6"]);
    tags("a ✌#h ✌\u{FE0E}#h ✌\u{FE0F}#h ✌🏿#h 👨‍👩‍👧#h", &["h", "h", "h", "h", "h"]);
    tags(":#h ;#h ,#h .#h !#h ?#h 。#h ！＃h", &["h", "h", "h", "h", "h", "h", "h", "h"]);
    tags("#h: #h; #h, #h. #h! #h? #h\n#h", &["h", "h", "h", "h", "h", "h", "h", "h"]);
    tags("On the #16 bus #0 #_ #1_2 #〃 # 会議中", &[]);
    tags("日本語ハッシュタグ#日本語 a#b &#b #a#b", &[]);
    tags("#http://twitter.com http://twitter.com/#hashtag twitter.com/#hashtag", &[]);
    tags("#a-b ##x #️⃣", &["a", "x"]);
}

#[test]
fn mentions_are_not_addresses() {
    let mentions = |text: &str, expect: &[&str]| check_kind(text, Kind::Mention, expect);
    mentions("@username reply @user_name @12345", &["username", "user_name", "12345"]);
    mentions("の@usernameに到着を待っている", &["username"]);
    mentions("Current Status: @_@ (cc: @username)", &["username"]);
    mentions("@aliceìnheiro something", &[]);
    mentions("@username email me @test@example.com", &["username"]);
    mentions("@http://twitter.com", &[]);
    mentions("@username\n@mention", &["username", "mention"]);
    mentions("RT@username rt:@mention rT@test aRT@no -rt@no", &["username", "mention", "test"]);
    mentions("f!@kn f@@kn f#@kn f$@kn f%@kn f&@kn f*@kn f@kn", &[]);
    mentions("@username/list-name is @otheruser/7list", &["username/list-name", "otheruser"]);
    mentions("の@username/list_name-01に", &["username/list_name-01"]);
    mentions(".@a /@b +@c ＠d", &["a", "b", "c", "d"]);
    mentions("http://a.com/@user", &[]);
    mentions("@aaaaaaaaaaaaaaaaaaaaaaaaa", &["aaaaaaaaaaaaaaaaaaaa"]);
    // a zero-width space after the sign: nobody
    mentions("@\u{200B}ann", &[]);
}

#[test]
fn cashtags_stand_between_white_space() {
    let tags = |text: &str, expect: &[&str]| check_kind(text, Kind::Tag, expect);
    tags("Example: $TEST $Stock   $symbol", &["$TEST", "$Stock", "$symbol"]);
    tags(
        "$TEST.T $test.tt $Stock_X $symbol_ab",
        &["$TEST.T", "$test.tt", "$Stock_X", "$symbol_ab"],
    );
    tags("$123 $123.45 $3334:23 $000000@23 $2323_32", &[]);
    tags("$test123 $TE123ST $0000-3423 $ストック $株", &[]);
    tags("$ $. $- $@ $! $() $+", &[]);
    tags("$TEST. $TEST_", &["$TEST", "$TEST"]);
    tags("$OK$NG$BAD text$NO .$NG $$NG", &["$OK"]);
    tags("$CashtagMustBeLessThanSixCharacter", &[]);
    tags("echo $HOME/bin $PATH, $5", &["$HOME", "$PATH"]);
}

#[test]
fn long_texts_are_read_in_a_breath() {
    for piece in
        ["a.", "@a", "#a", "#", "$a", "日本語", "日.", "http://", "a.com(", "http://a.b/(", "RT@"]
    {
        let text = piece.repeat(60_000);
        assert!(read(&text).len() <= 60_000, "{piece}");
    }
}
