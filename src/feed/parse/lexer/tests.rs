use super::*;

fn tokens(document: &str) -> String {
    let mut lexer = Lexer::new(document);
    let mut shown = Vec::new();
    while let Some(token) = lexer.next() {
        shown.push(match token {
            Ok(Token::Start { name, attributes, empty }) => {
                let attributes: Vec<String> = super::attributes(attributes)
                    .map(|(name, value)| format!(" {name}={value}"))
                    .collect();
                format!("+{name}{}{}", attributes.concat(), if empty { "/" } else { "" })
            }
            Ok(Token::End { name }) => format!("-{name}"),
            Ok(Token::Text(text)) => format!("'{text}'"),
            Ok(Token::Cdata(text)) => format!("[{text}]"),
            Ok(Token::Doctype(text)) => format!("!{text}"),
            Err(CutOff) => "cut".to_owned(),
        });
    }
    shown.join(" ")
}

fn check(document: &str, expect: &str) {
    assert_eq!(tokens(document), expect, "{document}");
}

#[test]
fn well_formed_documents() {
    check("<?xml version='1.0'?><a x='1' y=\"2\"><b/>t</a>", "+a x=1 y=2 +b/ 't' -a");
    check("<a><!-- > <b> --><![CDATA[<x>&]]></a >", "+a [<x>&] -a");
    check("<!DOCTYPE a [<!ENTITY b \"]>\">]><a/>", "!DOCTYPE a [<!ENTITY b \"]>\">] +a/");
    check("<a href='x/y'/>", "+a href=x/y/");
    check("<a x='>' y='<'>", "+a x=> y=<");
}

#[test]
fn sloppy_ones() {
    check("a < b <3 <", "'a < b <3 <'");
    check("<a x=1 y z = 'w'>", "+a x=1 y= z=w");
    check("<a x=\"1\"y='2'>", "+a x=1 y=2");
    check("<a <b>", "+a +b");
    check("</a </b>", "-a -b");
    check("<a x=\"1>text</a>", "+a x=1 'text' -a");
    check("<![cdata[x]]>", "[x]");
    check("<!foo><a>", "+a");
    check("<?php echo 1 ><a>", "+a");
    check("<é>", "+é");
    check("</>", "'</>'");
}

#[test]
fn cut_off_ones() {
    for cut in ["<!-- x", "<![CDATA[x", "<!DOCTYPE x [", "<?xml", "<a href='x", "<a"] {
        assert!(tokens(cut).ends_with("cut"), "{cut}");
    }
}

#[test]
fn what_is_never_closed_is_not_searched_for_twice() {
    // each of these took minutes if every tag searched to the end
    for hostile in ["<a x=\"", "<a x='", "<?a>", "<", "<a", "</", "&", "<!a>"] {
        let _ = tokens(&hostile.repeat(200_000));
    }
}
