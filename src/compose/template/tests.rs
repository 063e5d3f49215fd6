use super::*;

fn entry() -> Entry {
    Entry {
        id: "tag:1".into(),
        title: Some("Tom & Jerry".into()),
        subtitle: Some("A cat and a mouse".into()),
        summary: Some(Markup::Text("a < b".into())),
        url: Some("https://www.a.io/1".into()),
        short_url: Some("https://a.io/s".into()),
        authors: vec![Person { name: Some("Ada".into()), ..Person::default() }],
        related_url: Some("https://b.io".into()),
        categories: vec!["One".into(), "two three".into()],
        // 2026-03-29T00:30:00Z, half an hour before Berlin's clocks go forward
        published: Some(Timestamp::from_secs(1_774_744_200)),
        ..Entry::default()
    }
}

fn render(template: &str, entry: &Entry) -> Result<String, String> {
    let (platform, people) = (Platform::Bluesky, &People::new());
    let (settings, limits) = (&Settings::of_platform(platform), &platform.limits());
    let subject = Subject {
        entry,
        settings,
        platform,
        account: "me",
        limits,
        media_limits: &platform.media(),
        people,
        page: None,
        media: None,
    };
    let values = Values::of(&subject, entry.url.as_deref(), usize::MAX);
    Template::parse(template)?.render(&values, "#One #TwoThree")
}

#[track_caller]
fn check(template: &str, expect: &str) {
    assert_eq!(render(template, &entry()).as_deref(), Ok(expect), "{template}");
}

#[test]
fn names_conditionals_and_filters_work() {
    check("{{title}}", "Tom & Jerry");
    check("{{ title|upper }} by {{author_name}}: {{summary}}", "TOM & JERRY by Ada: a < b");
    check("{% if title %}{{title}}{% else %}note{% endif %}", "Tom & Jerry");
    check("{% if content %}{{content}}{% else %}none{% endif %}", "none");
    check("{{ content | default(title) }}", "Tom & Jerry");
    check("[{{nonsense}}{{nonsense.deeper}}{{content|upper}}{{content|truncate(3)}}]", "[]");
    check("{{title|replace('Tom', 'Tim')|lower|title}}", "Tim & Jerry");
    check("{{ '  x ' | trim }}", "x");
    check("no braces } {", "no braces } {");
    check(
        "{{subtitle}} {{id}} {{related_url}} {{short_url}}{{alternate_url}}",
        "A cat and a mouse tag:1 https://b.io https://a.io/s",
    );
    check("{{platform}} {{account}} {{site}} {{hashtags}}", "bluesky me a.io #One #TwoThree");
}

#[test]
fn categories_are_a_list() {
    check("{{categories}}", "One, two three");
    check("{{ categories | join(' / ') | upper }}", "ONE / TWO THREE");
    check("{{ categories | first }} of {{ categories | length }}", "One of 2");
    check("{{ categories[1] }}{{ categories[7] }}", "two three");
    check("{% for c in categories %}<{{c}}>{% endfor %}", "<One><two three>");
    check("{% if 'One' in categories %}yes{% endif %}", "yes");
}

#[test]
fn dates_are_written_as_wished() {
    check(
        "{{published}} {{published_at}}{{updated}}",
        "2026-03-29T00:30:00.000Z 2026-03-29T00:30:00.000Z",
    );
    check("{{ published | date }}", "2026-03-29");
    check("{{ published | date('%d.%m.%Y %H:%M') }}", "29.03.2026 00:30");
    check("{{ published | date('%H:%M', 'Europe/Berlin') }}", "01:30");
    check("{{ published | date('%A, %-d %B', 'America/New_York') }}", "Saturday, 28 March");
    check("[{{ updated | date }}{{ nonsense | date('%Y') }}]", "[]");
}

#[test]
fn truncate_is_jinjas_in_graphemes() {
    check("{{ 'one two three' | truncate(9) }}", "one two…");
    check("{{ 'one two three' | truncate(9, true) }}", "one two …");
    check("{{ 'one two three' | truncate(length=9, killwords=true, end='') }}", "one two t");
    check("{{ 'one two three' | truncate(10, end='...') }}", "one two...");
    check("{{ 'one two three' | truncate(10, leeway=3) }}", "one two three");
    check("{{ 'one two three' | truncate(13) }}", "one two three");
    check("{{ 'oneword' | truncate(4) }}", "one…");
    check("{{ '👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦' | truncate(2) }}", "👨‍👩‍👧‍👦…");
    check("{{ ('word ' * 60) | truncate | length }}", "255");
}

#[test]
fn what_is_wrong_is_told() {
    let check = |template: &str, expect: &str| {
        assert_eq!(super::check(template).unwrap_err(), expect, "{template}");
    };
    check("{{title", "syntax error: unexpected end of input, expected end of variable block");
    check("{{title|shout}}", "unknown filter: filter shout is unknown");
    check(
        "a\n{% if title %}",
        "syntax error: unexpected end of input, expected end of block (line 2 of the template)",
    );
    check("{% include 'x' %}", "syntax error: unknown statement include");
    let nested = "{% for a in range(9999) %}{% for b in range(9999) %}.{% endfor %}{% endfor %}";
    check(nested, "it does too much work");
    check("{{ 'x' * 999999999 }}", "it does too much work");
    let invalid = |what: &str| format!("invalid operation: {what}");
    let bad_format = invalid("`%Q` is no format of a date, want for example `%d.%m.%Y`");
    check("{{ published | date('%Q') }}", &bad_format);
    let bad_zone = invalid("`Mars` is no time zone, want for example `Europe/Berlin`");
    check("{{ published | date('%Y', 'Mars') }}", &bad_zone);
    check("{{ title | date }}", &invalid("`text` is no date, want for example `published`"));
    check(
        "{{ title | truncate(2, end='...') }}",
        &invalid("truncate to 2 leaves no room for `...`"),
    );
    check(
        "{{ title | truncate(lenght=2) }}",
        "too many arguments: unknown keyword argument 'lenght'",
    );
    assert!(super::check("{{ title | truncate('x') }}").is_err());
    assert!(super::check("{{ title | truncate(-1) }}").is_err());
    assert_eq!(super::check("{{title}} {{whatever}} {{hashtags}}"), Ok(()));
}

#[test]
fn no_template_breaks_the_stack_of_its_thread() {
    let shapes: [(&str, &str, &str); 25] = [
        ("", "{% if a %}", ""),
        ("{{ ", "(", ""),
        ("{{ a", "[", ""),
        ("{{ a", ".b", " }}"),
        ("{{ a", "[0]", " }}"),
        ("{{ a", "()", " }}"),
        ("{{ a", "|upper", " }}"),
        ("{{ a", "|default(a", " }}"),
        ("{{ 1", "+1", " }}"),
        ("{{ 1", "//1", " }}"),
        ("{{ 'a'", "~'a'", " }}"),
        ("{{ 2", "**1", " }}"),
        ("{{ 1", " and 1", " }}"),
        ("{{ a", " or a", " }}"),
        ("{{ 1", " < 1", " }}"),
        ("{{ 1", " in a", " }}"),
        ("{{ ", "not ", "a }}"),
        ("{{ ", "-", "1 }}"),
        ("{{ 1", " if a else 1", " }}"),
        ("{{ 1", " if 1", " }}"),
        ("{{ 1", " is odd", " }}"),
        ("{% if a %}", "{% elif a %}", "{% endif %}"),
        ("{% if a %}", "{% else %}", "{% endif %}"),
        ("", "{% for a in a %}", ""),
        ("", "{% for a in 'ab' %}{{ a }}", "{% endfor %}"),
    ];
    for (start, unit, end) in shapes {
        for count in [10_000, 490, 240, 160, 120, 90, 60, 30] {
            let template = format!("{start}{}{end}", unit.repeat(count));
            let rendered = render(&template, &entry());
            assert!(count < 10_000 || rendered.is_err(), "{start}{unit}");
        }
    }
    let loops = "{% for a in 'ab' %}".repeat(60) + &"{% endfor %}".repeat(60);
    assert!(render(&loops, &entry()).is_err());
    let recursive = "{% for a in 'ab' recursive %}{{ loop('ab') }}{% endfor %}";
    assert!(render(recursive, &entry()).is_err());
}
