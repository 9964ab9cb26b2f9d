"""Untrusted Markdown of contracts as HTML that cannot act (CommonMark in, allow-listed tags out).

Two walls: markdown-it-py with raw HTML off, then nh3 with an allow-list of tags, attributes and URL
schemes. Images are dropped, since the pages load nothing from elsewhere; headings become bold lines,
since the page owns its outline.
"""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

MARKDOWN_LENGTH = 20_000
SCHEMES = frozenset({"https", "http", "mailto"})
TAGS = {"p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "a", "hr"}


_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable("image")


def to_html(text: str) -> Markup:
    """Render Markdown; text beyond 20,000 characters is cut."""
    tokens = _MARKDOWN.parse(text[:MARKDOWN_LENGTH])
    for token in tokens:
        if token.type.startswith("heading"):
            token.tag = "strong"
    clean = nh3.clean(
        _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}),
        tags=TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes=set(SCHEMES),
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(clean)


def safe_url(url: str) -> str:
    """The URL if a page may link to it (a path of this platform, http, https, mailto), else empty."""
    text = url.strip()
    if any(character <= " " or character in '\\"<>`' for character in text):
        return ""
    if text.startswith("/") and not text.startswith("//"):
        return text
    scheme, colon, _ = text.partition(":")
    return text if colon and scheme.lower() in SCHEMES else ""
