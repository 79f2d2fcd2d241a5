"""Recorded answers of GitHub, as mentions by thread: an issue with its comments, the comments on
one place of a commit or of a pull request.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from app.connectors.base import Kind, Mention, NativeAnswer, Person, TextFormat, ThreadRef
from app.connectors.text import parse_time
from tests.recorded import Exchange

_CODE = re.compile(r"```.*?```|<pre>.*?</pre>|`[^`\n]*`|^>.*$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"(?<![\w/.@])@([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?![\w@-])")


def threads(exchanges: Iterable[Exchange], us: Collection[str]) -> dict[str, Sequence[Mention]]:
    """Every issue and comment that was listed, the first version of each, by thread; what is
    `native` depends on who we are.
    """
    found: dict[str, dict[str, Mention]] = defaultdict(dict)
    for exchange in exchanges:
        if exchange.method != "GET":
            continue
        body = exchange.json()
        for thing in body if isinstance(body, list) else [body]:
            if isinstance(thing, dict) and "body" in thing and "user" in thing:
                mention = parse(thing, us)
                if mention is not None:
                    found[mention.thread.external_id].setdefault(mention.external_id, mention)
    return {name: list(each.values()) for name, each in found.items()}


def parse(thing: dict[str, Any], us: Collection[str]) -> Mention | None:
    """An issue, a pull request or a comment; `None` for what has no thread (gists, reviews)."""
    thread = _thread_of(thing)
    if thread is None:
        return None
    body = thing["body"] or ""
    user = thing["user"] or {"id": "ghost", "login": "ghost"}
    parent = thing.get("in_reply_to_id")
    return Mention(
        external_id=f"issue{thing['number']}" if "number" in thing else str(thing["id"]),
        kind=Kind.QUESTION if "number" in thing else Kind.COMMENT,
        author=Person(str(user["id"]), user["login"].lower()),
        thread=ThreadRef(thread),
        occurred_at=parse_time(thing["created_at"]),
        text=body,
        text_raw=body,
        text_format=TextFormat.MARKDOWN,
        parent_external_id=None if parent is None else str(parent),
        addressed=tuple(name.lower() for name in _NAMED.findall(_CODE.sub("", body))),
        native_answer=_closed_by_us(thing, us),
    )


def _thread_of(thing: dict[str, Any]) -> str | None:
    if "number" in thing:
        return f"{_repository(thing['url'])}#{thing['number']}"
    if "issue_url" in thing:
        number = thing["issue_url"].rsplit("/", 1)[1]
        return f"{_repository(thing['issue_url'])}#{number}"
    if "commit_id" not in thing or "created_at" not in thing:
        return None
    commit = f"commit {thing['commit_id'][:7]}"
    if "pull_request_url" in thing:
        commit = f"pull {thing['pull_request_url'].rsplit('/', 1)[1]}"
    place = thing.get("original_position", thing.get("position"))
    path = thing.get("path")
    return commit if path is None or place is None else f"{commit} {path}:{place}"


def _repository(url: str) -> str:
    return url.split("/repos/")[1].split("/")[1]


def _closed_by_us(thing: dict[str, Any], us: Collection[str]) -> NativeAnswer | None:
    """`closed_by` outlives a reopening: only the state tells."""
    closer = thing.get("closed_by")
    if thing.get("state") != "closed" or closer is None or closer["login"].lower() not in us:
        return None
    return NativeAnswer(parse_time(thing["closed_at"]), thing["html_url"])
