"""Messages of Slack's Web API, as `conversations.history` and `conversations.replies` tell them."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from app.connectors import base, fields
from app.connectors.base import (
    JsonObject,
    Kind,
    Media,
    Mention,
    Page,
    Parent,
    Person,
    Signal,
    TextFormat,
    ThreadRef,
    Visibility,
)
from app.connectors.fields import Unreadable, as_object, find_text
from app.connectors.text import clean_json

BROADCAST, TOMBSTONE, JOINED = "thread_broadcast", "tombstone", "channel_join"
SERVICE = frozenset(
    {JOINED, "channel_leave", "channel_topic", "channel_purpose", "channel_name"}
    | {
        "channel_archive",
        "channel_unarchive",
        "channel_posting_permissions",
        "channel_convert_to_private",
    }
    | {"group_join", "group_leave", "group_topic", "group_purpose", "group_name", "group_archive"}
    | {"group_unarchive", "bot_add", "bot_remove", "bot_enable", "bot_disable", "pinned_item"}
    | {"unpinned_item", "reminder_add", "reply_broadcast", "ekm_access_denied", "sh_room_created"}
    | {"app_conversation_join", "assistant_app_thread", "huddle_thread"}
)
"""Notes of the workspace about what was done, and what may not be read."""
_TS = re.compile(r"([0-9]{1,12})\.([0-9]{1,6})")
_USER_ID = re.compile(r"[A-Z][A-Z0-9]{1,30}")
_MARK = re.compile(r"<([@#!])?([^<>|\n]{1,2000})(?:\|([^<>\n]{0,2000}))?>")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Around:
    """What a message does not say itself: in which channel it stands, who we are, who people are
    (`users.info`, by id), the workspace's address, and whether who has come in is told.
    """

    channel: str
    us: str
    title: str = ""
    site: str = ""
    is_direct: bool = False
    people: Mapping[str, JsonObject] = field(default_factory=dict)
    joins: bool = False

    def link(self, ts: str, root: str) -> str:
        """The address of a message (`chat.getPermalink` gives the same, a request each)."""
        if not self.site:
            return ""
        below = f"?thread_ts={root}&cid={self.channel}" if root != ts else ""
        return f"{self.site}/archives/{self.channel}/p{ts.replace('.', '')}{below}"


def ts_of(row: JsonObject, name: str = "ts") -> str:
    """A time that is an id within its channel: digits with a point, never a number."""
    if (found := find_ts(row, name)) is None:
        raise Unreadable(f"{name} is not the time of a message")
    return found


def find_ts(row: Any, name: str = "ts") -> str | None:
    value = row.get(name) if isinstance(row, dict) else None
    return value if isinstance(value, str) and _TS.fullmatch(value) else None


def moment(ts: str | None) -> datetime | None:
    """The moment of a `ts`, to the microsecond: its decimals are no fraction that a float keeps."""
    found = _TS.fullmatch(ts or "")
    if found is None or int(found[1]) == 0:
        return None
    try:
        return _EPOCH + timedelta(seconds=int(found[1]), microseconds=int(found[2].ljust(6, "0")))
    except OverflowError:
        return None


def messages_of(body: JsonObject) -> list[Any]:
    """The messages of an answer; one without any list is none of Slack's."""
    rows = body.get("messages")
    if not isinstance(rows, list):
        raise Unreadable("Slack answered without a list of messages")
    return rows


def next_cursor(body: JsonObject) -> str:
    metadata = body.get("response_metadata")
    return find_text(metadata, "next_cursor") if isinstance(metadata, dict) else ""


def people_in(rows: Sequence[Any]) -> list[str]:
    """Ids of those who wrote or are named in messages, each once."""
    found: list[str] = []
    for row in rows:
        if isinstance(row, dict) and find_text(row, "subtype") not in SERVICE - {JOINED}:
            found += [user for user in (find_text(row, "user"),) if _USER_ID.fullmatch(user)]
            found += named_in(find_text(row, "text"))
    return list(dict.fromkeys(found))


def named_in(text: str) -> list[str]:
    return [
        found[2]
        for found in _MARK.finditer(text)
        if found[1] == "@" and _USER_ID.fullmatch(found[2])
    ]


def parse_messages(rows: Sequence[Any], around: Around, *, root: str | None = None) -> Page:
    """A page of a channel, or of the thread below `root` (which comes along and is left out). One
    bad message costs no other.
    """
    mentions: list[Mention] = []
    gone: list[str] = []
    unparsed: list[base.Unparsed] = []
    skipped: Counter[str] = Counter()
    parents: list[Parent] = []
    for row in rows:
        ts = find_ts(row)
        if root is not None and ts == root:
            continue
        try:
            message = as_object(row)
            ts_of(message)
            parents += _parents(message, around) if root is None else []
            subtype = find_text(message, "subtype")
            if subtype == TOMBSTONE:
                gone.append(f"{around.channel}:{ts}")
            elif (subtype in SERVICE and not (subtype == JOINED and around.joins)) or _is_hidden(
                message
            ):
                skipped[subtype or "hidden"] += 1
            else:
                mentions.append(parse_message(message, around))
        except Unreadable as error:
            known = None if ts is None else f"{around.channel}:{ts}"
            unparsed.append(base.Unparsed(known, error.detail, clean_json(row)))
    times = [at for row in rows if (at := moment(find_ts(row))) and find_ts(row) != root]
    return Page(
        mentions=tuple(mentions),
        gone=tuple(gone),
        unparsed=tuple(unparsed),
        skipped=skipped,
        parents=tuple(parents),
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def _is_hidden(message: JsonObject) -> bool:
    return message.get("hidden") is True


def _parents(message: JsonObject, around: Around) -> list[Parent]:
    """A message with a thread below it; `latest_reply` and `reply_count` say when that changes."""
    ts, count = ts_of(message), message.get("reply_count")
    if type(count) is not int or not 0 < count < fields.LARGEST or is_below(message, ts):
        return []
    changed = moment(find_ts(message, "latest_reply"))
    return [Parent(f"{around.channel}:{ts}", moment(ts), changed, count)]


def is_below(message: JsonObject, ts: str) -> bool:
    return find_ts(message, "thread_ts") not in {None, ts}


def parse_message(message: JsonObject, around: Around) -> Mention:
    ts = ts_of(message)
    root = find_ts(message, "thread_ts") or ts
    text = find_text(message, "text")
    addressed = tuple(dict.fromkeys(named_in(text)))
    joined = find_text(message, "subtype") == JOINED
    return Mention(
        external_id=f"{around.channel}:{ts}",
        kind=Kind.FOLLOW if joined else _kind(around, addressed, below=root != ts),
        author=parse_author(message, around.people),
        thread=ThreadRef(
            f"{around.channel}:{root}", around.title, around.link(root, root), moment(root)
        ),
        occurred_at=moment(ts),
        text=as_text(text, around.people) or _described(message),
        text_raw=text,
        text_format=TextFormat.MARKDOWN,
        parent_external_id=f"{around.channel}:{root}" if root != ts else None,
        permalink=around.link(ts, root),
        visibility=Visibility.DIRECT if around.is_direct else Visibility.FOLLOWERS,
        edited_at=moment(find_ts(message.get("edited"))),
        addressed=addressed,
        media=tuple(_media(message)),
        acknowledged=any(
            around.us in _ids(one.get("users")) for one in _objects(message, "reactions")
        ),
        raw=clean_json({name: value for name, value in message.items() if name != "root"}),
    )


def _kind(around: Around, addressed: Sequence[str], *, below: bool) -> Kind:
    if around.is_direct:
        return Kind.DIRECT_MESSAGE
    if around.us in addressed:
        return Kind.MENTION
    return Kind.REPLY if below else Kind.COMMENT


def parse_author(message: JsonObject, people: Mapping[str, JsonObject]) -> Person:
    """A member, or an app: that has an id of its own and tells its name with each message."""
    user = find_text(message, "user")
    if _USER_ID.fullmatch(user):
        return parse_person(user, people.get(user, {}))
    bot = find_text(message, "bot_id")
    if not _USER_ID.fullmatch(bot):
        raise Unreadable("user is not an id")
    profile = message.get("bot_profile")
    told = find_text(profile, "name") if isinstance(profile, dict) else ""
    return Person(bot, display_name=find_text(message, "username") or told, is_bot=True)


def parse_person(key: str, user: JsonObject) -> Person:
    """A member as `users.info` tells it; without that, the id alone."""
    inner = user.get("profile")
    profile: JsonObject = inner if isinstance(inner, dict) else {}
    shown = find_text(profile, "display_name") or find_text(profile, "real_name")
    return Person(
        key,
        find_text(user, "name"),
        shown or find_text(user, "real_name"),
        avatar_url=fields.find_url(profile, "image_72"),
        is_bot=user.get("is_bot") is True,
        signals=tuple(_signals(user)),
    )


def _signals(user: JsonObject) -> Iterator[Signal]:
    if user.get("is_restricted") is True or user.get("is_ultra_restricted") is True:
        yield Signal("guest", "A guest, who sees some channels of the workspace only.")
    if user.get("is_stranger") is True:
        yield Signal("other_workspace", "Of another workspace, through a shared channel.")
    if user.get("deleted") is True:
        yield Signal("deactivated", "The account is deactivated.")


def as_text(text: str, people: Mapping[str, JsonObject]) -> str:
    """Slack's mrkdwn with names for ids and addresses for links; `&amp;`, `&lt;` and `&gt;` are
    the only signs it writes otherwise.
    """

    def shown(found: re.Match[str]) -> str:
        mark, inside, label = found[1], found[2], found[3]
        if mark == "@":
            person = parse_person(inside, people.get(inside, {}))
            return f"@{person.display_name or person.handle or label or inside}"
        if mark == "#":
            return f"#{label or inside}"
        if mark == "!":
            return label or f"@{inside.partition('^')[0]}"
        return inside if not label or label == inside else f"{label} ({inside})"

    return html.unescape(_MARK.sub(shown, text)) if "&" in text or "<" in text else text


def _described(message: JsonObject) -> str:
    """In a word what was sent without a text: an attachment's own words, or the names of files."""
    for one in _objects(message, "attachments"):
        if told := find_text(one, "fallback") or find_text(one, "text") or find_text(one, "title"):
            return told
    names = (
        find_text(one, "title") or find_text(one, "name") for one in _objects(message, "files")
    )
    return ", ".join(name for name in names if name)


def _media(message: JsonObject) -> Iterator[Media]:
    for one in _objects(message, "files"):
        kind = find_text(one, "mimetype").partition("/")[0]
        told = find_text(one, "title") or find_text(one, "name")
        shown = kind if kind in {"image", "video", "audio"} else "file"
        yield Media(shown, fields.find_url(one, "permalink"), told)


def _objects(row: JsonObject, name: str) -> list[JsonObject]:
    found = row.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _ids(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
