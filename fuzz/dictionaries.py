"""The dictionaries of the fuzz targets: words that their input is made of. What can be read from the
documents, the feeds of the tests and the publishers is read there, so that it grows with them."""

import pathlib, re

LONGEST = 40


def write(top: pathlib.Path, documents: list[str]):
    """Writes `dictionaries/TARGET` below fuzz/, from the project in `top` and the feeds; says how
    many words each has."""
    folder = top / "fuzz" / "dictionaries"
    folder.mkdir(exist_ok=True)
    config, format, composition = (
        (top / "docs" / f"{name}.md").read_text()
        for name in ("configuration", "feed-format", "composition")
    )
    sources = [path.read_text() for path in sorted((top / "src" / "publish").rglob("*.rs"))]
    html = HTML | {f"<{word}" for word in TAGS.split()} | {f" {word}=" for word in ATTRIBUTES.split()}
    urls = URLS | {"\n\n"}
    for target, words in {
        "answers": ANSWERS | names(sources),
        "config": CONFIG | cells(config) | tables(config),
        "extension": EXTENSION | cells(format),
        "feed": FEED | vocabulary(documents),
        "html_to_text": html,
        "media": html,
        "page": html,
        "template": TEMPLATE | cells(composition),
        "tokens": urls,
        "truncate": urls,
    }.items():
        lines = sorted({quoted(word) for word in words if 1 < len(word) <= LONGEST})
        (folder / target).write_text("".join(f"{line}\n" for line in lines))
        print(f"{target}: {len(lines)} words")


def quoted(word):
    plain = lambda byte: 0x20 <= byte <= 0x7E and byte not in b'"\\'
    return '"' + "".join(chr(b) if plain(b) else f"\\x{b:02x}" for b in word.encode()) + '"'


def cells(document):
    """What is code in the first two columns of tables."""
    rows = re.findall(r"^\|([^|]*)\|([^|]*)\|", document, re.M)
    return {word for row in rows for cell in row for word in re.findall(r"`([^`]+)`", cell)}


def tables(document):
    """What its headings call the tables of a config."""
    return {f"{name}\n" for name in re.findall(r"^#+ .*?`?(\[[a-zA-Z_.]+\])`?", document, re.M)}


def vocabulary(feeds):
    """Their elements, attributes and members."""
    patterns = (r"</?[a-zA-Z][\w:]*", r"\s[a-zA-Z][\w:-]*=(?=[\"'])", r'"[a-z_]+":')
    return {word for feed in feeds for pattern in patterns for word in re.findall(pattern, feed)}


def names(sources):
    """Members and numbers of answers, as the publishers read them."""
    patterns = (r'"([A-Za-z][A-Za-z_.-]{2,})"', r"^\s+(?:pub )?([a-z_]+): ", r"\b(\d{3,7})\b")
    return {
        word
        for source in sources
        for pattern in patterns
        for word in re.findall(pattern, re.sub(r"(?<=\d)_(?=\d)", "", source), re.M)
    }


ANSWERS = {'":"', '":{"', '":[{"', '":true', '":null', "Retry-After: ", "RateLimit-Reset: "}
CONFIG = {
    "[feeds.blog]\n", "[accounts.me]\n", " = ", " = true", " = 1", ' = "5m"', ' = ["', " = { ", " = 1e9",
    ' = "https://a.example"', ' = { file = "', ' = { env = "', "{{title}}", '"""', "'''", "/a/i", "\\u00e9",
    "1979-05-27T07:32:00Z", "[[", "]]",
}
EXTENSION = {
    "true", "false", "null", '": "', "': '", '": {', '": [', "/*", "*/", "//", "\\u00e9", "\\ud83d", "\\'",
    "Infinity", "NaN", "0x1F", "+1", ".5", "1e9",
}
FEED = {
    "<![CDATA[", "]]>", "<?xml ", "<!DOCTYPE ", "<!ENTITY ", "&amp;", "&#x", "&lt;", 'encoding="',
    "application/feed+json", "application/atom+xml", "application/rss+xml", "charset=", "utf-16",
    "iso-8859-1", "windows-1252", "https://", "tag:a.example,2026:", "GMT", "+0000",
}
TEMPLATE = {
    "{{", "}}", "{%", "%}", "{#", "#}", "{%-", "-%}", "if ", "elif ", "else", "endif", "for ", " in ",
    "endfor", "set ", "endset", "macro ", "endmacro", "filter ", "endfilter", "raw", "endraw", "loop.",
    "not ", " and ", " or ", " is ", "defined", "none", "true", "|upper", "|lower", "|title", "|trim",
    "|replace(", "|join(", "|default(", "|truncate(", "|length", "|first", "|last", "|list", "|sort",
    "|reverse", "|unique", "|batch(", "|slice(", "|tojson", "|striptags", "|wordcount", "|round",
    "|indent(", "|items", "|urlencode", "range(", "dict(", "namespace(", "[1:", "[::-1]", "~", "**",
}
TAGS = (
    "a i p b br hr ul ol li h1 h2 pre code img table tr td th dl dt dd div span figure figcaption "
    "picture source video audio iframe svg style script noscript template blockquote details summary "
    "sup sub del ins abbr ruby rt meta link base title head body html math"
)
ATTRIBUTES = (
    "href src srcset alt title class width height type media poster data-src content property name "
    "charset rel cite start reversed lang dir hidden aria-hidden aria-label role loading sizes"
)
HTML = {
    "</", "/>", "<!--", "-->", "<![CDATA[", "&amp;", "&nbsp;", "&#x200b;", "&shy;", "og:title", "og:image",
    "og:description", "og:image:alt", "twitter:image", "twitter:card", "description", "image/jpeg",
    "image/webp", "video/mp4", "https://", "//a.example/", "data:image/png;base64,", " 2x,", " 300w,",
    "display:none", "u-photo", "u-video", "emoji", "charset=utf-16",
}
URLS = {
    "https://", "http://", "www.", ".example", ".com", ".co.uk", "@ada", "@ada@a.example", "#posse",
    "$AAPL", "://", "mailto:", "xn--", ":8080", "/?a=b&c", "(https://", ").",
}
