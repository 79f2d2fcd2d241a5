"""What a post of Bluesky carries beside its text: pictures, films, links, quoted posts."""

from __future__ import annotations

from app.connectors.atproto.values import inner, objects_in, permalink, text_in
from app.connectors.base import JsonObject, Media
from app.connectors.fields import find_url
from app.connectors.text import clean

_CDN = "https://cdn.bsky.app/img/feed_fullsize/plain"


def media_in(embed: JsonObject, did: str) -> tuple[Media, ...]:
    """What a post carries: from its view, or from the record, where pictures are but hashes."""
    carried = inner(embed, "media") or embed
    found = []
    for image in (*objects_in(carried, "images"), *objects_in(carried, "items")):
        link = text_in(inner(image, "image", "ref"), "$link")
        url = text_in(image, "fullsize") or (f"{_CDN}/{did}/{link}@jpeg" if link else "")
        found.append(Media("image", url, text_in(image, "alt")))
    if "playlist" in carried or "video" in carried:
        found.append(Media("video", text_in(carried, "playlist"), text_in(carried, "alt")))
    external = inner(carried, "external")
    if external:
        found.append(Media("link", text_in(external, "uri"), text_in(external, "title")))
    record = inner(embed, "record")
    quoted = text_in(record, "uri") or text_in(inner(record, "record"), "uri")
    if quoted:
        found.append(Media("link", permalink(quoted) or quoted, "quoted post"))
    return tuple(each for each in found if each.url or each.description)


def links_in(record: JsonObject) -> tuple[Media, ...]:
    """Links of a text that does not show them in full (software shortens them for the eye).

    A facet counts bytes of UTF-8, not characters (lexicon app.bsky.richtext.facet).
    """
    text = record.get("text")
    coded = text.encode(errors="replace") if isinstance(text, str) else b""
    found = []
    for facet in objects_in(record, "facets"):
        index = inner(facet, "index")
        start, end = index.get("byteStart"), index.get("byteEnd")
        shown = coded[start:end] if isinstance(start, int) and isinstance(end, int) else b""
        for feature in objects_in(facet, "features"):
            uri = find_url(feature, "uri")
            if text_in(feature, "$type").endswith("#link") and uri and uri.encode() not in coded:
                found.append(Media("link", uri, clean(shown.decode(errors="replace"))))
    return tuple(found)
