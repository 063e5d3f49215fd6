#!/usr/bin/env python3
"""Fills the corpora with seeds: feeds below the given folders and below tests/ and config/, the
HTML and the controls in them, the pictures and films of the tests, and a few templates and texts.
Then writes the dictionaries.

usage: fuzz/seed.py [FOLDER...]
"""

import hashlib, html, json, pathlib, re, sys

sys.dont_write_bytecode = True
import dictionaries

top = pathlib.Path(__file__).resolve().parent.parent
folders = [top / "tests", top / "config", *map(pathlib.Path, sys.argv[1:])]
LARGEST = 16 * 1024  # larger seeds only slow the fuzzer down
ENDINGS = {".atom", ".rss", ".rdf", ".xml", ".json"}
written = {}


def seed(target, data):
    data = data.encode() if isinstance(data, str) else data
    if not data or len(data) > LARGEST:
        return
    folder = top / "fuzz" / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{hashlib.sha256(data).hexdigest()[:16]}").write_bytes(data)
    written[target] = written.get(target, 0) + 1


def seed_text(text):
    seed("tokens", text)
    # each with another platform and limit, with and without the URL
    nth, limit = written["tokens"], max(8, len(text) // 2)
    seed("truncate", bytes([nth % 9, nth // 9 % 2]) + limit.to_bytes(2, "little") + text.encode())


def strings(value):
    """All strings of a JSON document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


def texts(document):
    """What the elements and members of a feed hold, decoded."""
    if document.lstrip().startswith(("{", "[")):
        try:
            yield from strings(json.loads(document))
        except ValueError:
            pass
        return
    for text in re.findall(r"<!\[CDATA\[(.*?)\]\]>", document, re.S):
        yield text
    for text in re.findall(r">([^<]*&lt;[^<]*)<", document):
        yield html.unescape(text)


def shortened(body):
    """The feed with its first two entries."""
    try:
        feed = json.loads(body)
        feed["items"] = feed["items"][:2]
        return json.dumps(feed, ensure_ascii=False).encode()
    except (ValueError, TypeError, KeyError):
        pass
    ends = [match.end() for match in re.finditer(rb"</(?:item|entry)>", body)]
    return body[: ends[1]] + body[ends[-1] :] if len(ends) > 2 else body


feeds = []
for folder in folders:
    for path in sorted(path for path in folder.rglob("*") if path.suffix in ENDINGS):
        body = path.read_bytes()
        feeds.append(body.decode(errors="replace"))
        # the first line is the content type
        seed("feed", b"\n" + shortened(body))
        for text in texts(feeds[-1]):
            if "<" in text or "&" in text:
                seed("html_to_text", text)
                seed("media", "\n" + text)
            elif len(text) > 20:
                seed_text(text)

for folder in folders:
    for path in sorted((folder / "fixtures" / "media").glob("*.*")):
        # the first byte is the platform
        for platform in range(9):
            seed("fit", bytes([platform]) + path.read_bytes())

TEMPLATES = [
    "{{title}}", "{{ title|upper }} by {{author_name}}", "{% if title %}{{title}}{% endif %}",
    "{{ content | default(title) | truncate(80) }}", "{{ title|replace('a', 'b') }} {{url}}",
    "{% for word in content|list %}{{word}}{% endfor %}", "{{ {'a': [1, 2]}|tojson }}",
    "{{ title[1:4] }} {{ content|length + 1 }} {{ not nothing }}", "{# note #}{{ hashtags }}",
    "{% set a = namespace(n=1) %}{{ a.n }}", "{{ published|default('never') }}",
]
for template in TEMPLATES:
    seed("template", f"{template}\nA title\n<p>One &amp; <b>two</b></p>")

CONTROLS = [
    '{"syndicate": false}', '{"title": "Hi", "content": "<p>Hi</p>", "hashtags": ["a", "b"]}',
    '{"platform_overrides": {"bsky": {"format_string": "{{title}}", "append_url": true}}}',
    '{"account_overrides": {"me": {"media": [{"type": "image", "url": "https://a.example/b.png",'
    ' "alt": "x"}], "published_at": "2026-01-01T00:00:00Z"}}}',
    "{syndicate: true, /* why */ title: 'it\\'s', // so\n summary: \"a\", channel: 'story',}",
    '{"truncate": true, "attach_link": false, "og_image": "https://a.example/c.png"}',
]
for control in CONTROLS:
    seed("extension", control)

TEXTS = [
    "Read https://example.com/a?b=(c), then #posse with @ada@example.social 👨‍👩‍👧‍👦 or bob@b.example.",
    "日本語https://例え.jp/語。＃語 @\u2060ann cafe\u0301 $AAPL example.com/x… “https://a.io”",
    "a\u00a0b\n\n#1 #a1 #é ．@x http://localhost:1/ https:// 🇫🇷🏳️‍⚧️ ไทย नमस्ते",
]
for text in TEXTS:
    seed_text(text)

PAGES = [
    '<!doctype html><title>A</title><meta property="og:title" content="B &amp; C">'
    '<meta property=og:image content="/a.png"><meta name="description" content="D">',
    '<meta charset=iso-8859-1><meta name="twitter:card" content="summary"><base href="/b/">',
]
for page in PAGES:
    seed("page", "\n" + page)

CONTENTS = [
    '<figure><img src="a.jpg" srcset="a.jpg 300w, /b.jpg 2x"><figcaption>A <b>b</b></figcaption>'
    '</figure><picture><source type=image/avif srcset=/c.avif media="(a)"><img src=/c.png alt="">',
    '<video src=/v.mp4 poster=p.jpg></video><video><source src=v type="video/webm; codecs=x">'
    '</video><img data-src=//b.example/d width=64px class=emoji><noscript><img src=/e></noscript>',
]
for content in CONTENTS:
    seed("media", "A text\n" + content)

CONFIGS = [
    '[feeds.blog]\nurl = "https://example.com/f"\npoll = "5m"\n[accounts.me]\nplatform = "mastodon"\n'
    'base_url = "https://a.example"\naccess_token = "secret-token"\ninclude = { title = "/a/i" }\n',
    '[accounts.sky]\nplatform = "bluesky"\nidentifier = "a.example"\n'
    'app_password = { file = "no" }\n[defaults]\nformat_string = "{{title}"\n',
    '[people]\n"Ada" = { mastodon = "@ada@a.example" }\n[delivery]\nretry_base = "1s"\n',
]
for config in CONFIGS + [(top / "config" / "example.toml").read_text()]:
    seed("config", config)
for path in sorted((top / "tests" / "fixtures").rglob("*.toml")):
    seed("config", path.read_text())

# a status by its place in the target's list, a header, a body
def answers(*parts):
    return b"\xff".join(bytes([status]) + f"{header}\n{body}".encode() for status, header, body in parts)


INSTANCE = (0, "", '{"version":"4.5.0","configuration":{"statuses":{"max_characters":500}}}')
SESSION = (0, "", '{"did":"did:plc:abc","handle":"a.example","accessJwt":"a.b.c","refreshJwt":"d.e.f"}')
GRAPH = '{"error":{"message":"No","type":"OAuthException","code":%d,"error_subcode":%d,"fbtrace_id":"A"}}'
DIALOGUES = [
    (0, INSTANCE, (0, "X-RateLimit-Remaining: 9", '{"id":"1","url":"https://a.example/@me/1"}')),
    (0, INSTANCE, (15, "", '{"error":"Validation failed: Text limit of 500 exceeded"}')),
    (0, INSTANCE, (16, "Retry-After: 20", "")), (0, INSTANCE, (18, "", "<html>s3cret-t0ken</html>"), (0, "", "[]")),
    (1, SESSION, (0, "", '{"uri":"at://did:plc:abc/app.bsky.feed.post/3k","cid":"bafy"}')),
    (1, SESSION, (9, "", '{"error":"ExpiredToken","message":"Token has expired"}'), SESSION),
    (1, SESSION, (16, "RateLimit-Reset: 1900000000", '{"error":"RateLimitExceeded"}')),
    (2, (0, "", '{"id":"17"}'), (0, "", '{"id":"18","status":"FINISHED"}'), (0, "", '{"id":"19"}'),
     (0, "", '{"id":"19","permalink":"https:\\/\\/www.threads.com\\/@a\\/post\\/D"}')),
    (2, (0, "", '{"id":"17"}'), (9, "", GRAPH % (24, 4279009))), (2, (9, "", GRAPH % (190, 463))),
    (3, (0, "", '{"id":"17"}'), (0, "", '{"status_code":"ERROR","status":"Error: 2207026"}')),
    (3, (9, 'X-App-Usage: {"call_count":99,"total_time":1}', GRAPH % (4, 2207051))),
    (4, (0, "", '{"id":"107_9"}'), (0, "", '{"permalink_url":"https://www.facebook.com/1"}')),
    (4, (17, "", GRAPH % (1, 0)), (0, "", '{"data":[{"id":"1_2","message":"Hello world"}],"paging":{}}')),
    (4, (10, "", GRAPH % (10, 2018278))),
    # the same platforms, asked who the account is, and for a new token
    (5, INSTANCE, (0, "", '{"id":"1","acct":"me","url":"https://a.example/@me"}')),
    (6, SESSION, (0, "", '{"did":"did:plc:abc","handle":"a.example","active":true}')),
    (7, (0, "", '{"id":"1","username":"a"}'), (0, "", '{"data":[{"quota_usage":1,"config":{"quota_total":250}}]}')),
    (8, (0, "", '{"user_id":"17","username":"a","account_type":"BUSINESS"}')),
    (9, (0, "", '{"id":"107","name":"A Page"}')), (9, (0, "", '{"id":"9","name":"A Page"}')),
    (12, (0, "", '{"access_token":"new-t0ken","token_type":"bearer","expires_in":5183944}')),
    (13, (9, "", GRAPH % (190, 463))), (14, (0, "", '{"data":{"is_valid":true,"expires_at":0}}')),
]
for platform, *parts in DIALOGUES:
    seed("answers", bytes([platform]) + answers(*parts))

for target, count in sorted(written.items()):
    print(f"{target}: {count} seeds")
dictionaries.write(top, feeds)
