"""Messages, people and threads of Discord's API (v10)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
from app.connectors.discord.snowflakes import inner, objects_in, time_of
from app.connectors.fields import Unreadable, as_object, find_id, find_text, get_id
from app.connectors.text import clean_json, parse_time

SITE = "https://discord.com"
PICTURES = "https://cdn.discordapp.com"
YOUNG = timedelta(days=30)
DEFAULT, JOINED, REPLY, COMMAND, MENU_COMMAND = 0, 7, 19, 20, 23
WRITTEN = frozenset({DEFAULT, REPLY, COMMAND, MENU_COMMAND})
THREADS, FORUMS = frozenset({10, 11, 12}), frozenset({15, 16})
"""Types of channels: threads of announcements, public and private ones; forums and their media."""
SYSTEM = range(64)
FORWARDED = 1
_CONTENT = ("content", "attachments", "embeds", "components", "poll", "sticker_items")
_PERSON = re.compile(r"<@!?([0-9]{1,20})>")
_EMOJI = re.compile(r"<a?:(\w{2,32}):[0-9]{1,20}>")
_HASH = re.compile(r"(?:a_)?[0-9a-f]{1,64}")


@dataclass(frozen=True, slots=True)
class Around:
    """Where messages stand: our bot's id, the server, the channel; where that is a thread, in which
    channel (`above`) and called what. `root` names the conversation of a message outside threads,
    and `joins` says whether who came into the server is told.
    """

    us: str
    server: str
    channel: str
    title: str = ""
    above: str | None = None
    is_post: bool = False  # the thread is a post of a forum: it holds its first message itself
    joins: bool = False
    root: Callable[[str], str] = str

    def thread(self, number: str) -> ThreadRef:
        """The conversation of the message with this id."""
        if self.above is None:
            root = self.root(number)
            link = permalink(self.server, self.channel, root)
            return ThreadRef(f"{self.channel}:{root}", self.title, link, time_of(root))
        link = f"{SITE}/channels/{self.server}/{self.channel}"
        return ThreadRef(self.root_id, self.title, link, time_of(self.channel))

    @property
    def root_id(self) -> str:
        """A thread has the id of the message it began with: that stands in the channel above, in a
        forum in the thread itself.
        """
        return f"{self.channel if self.is_post else self.above}:{self.channel}"


def permalink(server: str, channel: str, number: str) -> str:
    return f"{SITE}/channels/{server}/{channel}/{number}"


def parse_messages(rows: Sequence[Any], around: Around) -> Page:
    """A page of one channel, oldest first. One bad message costs no other."""
    mentions: list[Mention] = []
    unparsed: list[base.Unparsed] = []
    skipped: Counter[str] = Counter()
    times: list[datetime] = []
    for row in sorted(rows, key=_order):
        try:
            message = as_object(row)
            times += [at for at in (time_of(find_id(message)),) if at]
            reason = left_out(message, around)
            if reason:
                skipped[reason] += 1
            else:
                mentions.append(parse_message(message, around))
        except Unreadable as error:
            number = find_id(row)
            known = None if number is None else f"{around.channel}:{number}"
            unparsed.append(base.Unparsed(known, error.detail, clean_json(row)))
    return Page(
        mentions=tuple(mentions),
        unparsed=tuple(unparsed),
        skipped=skipped,
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def _order(row: Any) -> int:
    return int(find_id(row) or 0)


def left_out(message: JsonObject, around: Around) -> str:
    """Why a message is not kept, "" where it is: the server's own notes, and what comes without
    its content because the bot may not read it.
    """
    get_id(message, "id")
    kind = message.get("type")
    if type(kind) is not int or kind not in SYSTEM:
        raise Unreadable("type is not that of a message")
    if kind == JOINED and around.joins:
        return ""
    if kind not in WRITTEN:
        return f"type_{kind}"
    return "without_content" if is_hidden(message, around) else ""


def is_hidden(message: JsonObject, around: Around) -> bool:
    """Whether everything that may be read only with the Message Content Intent is empty."""
    content = message.get("content")
    if content is not None and not isinstance(content, str):
        raise Unreadable("content is not text")
    full = any(message.get(name) for name in (*_CONTENT, "message_snapshots", "stickers"))
    return not full and find_id(inner(message, "author")) != around.us


def parse_message(message: JsonObject, around: Around) -> Mention:
    number = get_id(message, "id")
    author = parse_author(as_object(message.get("author")), message)
    people = {find_id(one) or "": one for one in objects_in(message, "mentions")}
    shown = find_text(message, "content") or _forwarded(message)
    parent = parent_of(message, around)
    return Mention(
        external_id=f"{around.channel}:{number}",
        kind=_kind(message, around, people, parent),
        author=author,
        thread=around.thread(number),
        occurred_at=parse_time(message.get("timestamp")) or time_of(number),
        text=as_text(shown, people) or _described(message),
        text_raw=find_text(message, "content"),
        text_format=TextFormat.MARKDOWN,
        parent_external_id=parent,
        permalink=permalink(around.server, around.channel, number),
        visibility=Visibility.FOLLOWERS,
        edited_at=parse_time(message.get("edited_timestamp")),
        addressed=tuple(_addressed(message, people)),
        media=tuple(_media(message)),
        acknowledged=any(one.get("me") is True for one in objects_in(message, "reactions")),
        raw=clean_json(without_others(message)),
    )


def parent_of(message: JsonObject, around: Around) -> str | None:
    """The message that this one answers; one that is forwarded is none."""
    reference = inner(message, "message_reference")
    number = find_id(reference, "message_id")
    if number is None or reference.get("type") == FORWARDED or message.get("type") == JOINED:
        return None
    return f"{find_id(reference, 'channel_id') or around.channel}:{number}"


def _kind(
    message: JsonObject, around: Around, people: Mapping[str, Any], parent: str | None
) -> Kind:
    if message.get("type") == JOINED:
        return Kind.FOLLOW
    if around.is_post and find_id(message) == around.channel:
        return Kind.QUESTION
    if around.us in people:
        return Kind.MENTION
    return Kind.REPLY if parent is not None or around.above is not None else Kind.COMMENT


def parse_author(user: JsonObject, message: JsonObject) -> Person:
    """A person, a bot, or a webhook: that has an id and a name of its own in each message."""
    key = get_id(user, "id")
    made = None if "webhook_id" in message else time_of(key)
    name, picture = find_text(user, "username"), find_text(user, "avatar")
    return Person(
        key,
        name,
        find_text(user, "global_name") or name,
        url=f"{SITE}/users/{key}" if made else "",
        avatar_url=f"{PICTURES}/avatars/{key}/{picture}.png" if _HASH.fullmatch(picture) else "",
        is_bot=user.get("bot") is True or "webhook_id" in message,
        created_at=made,
        signals=tuple(_signals(made, time_of(find_id(message)))),
    )


def _signals(made: datetime | None, at: datetime | None) -> Iterator[Signal]:
    if made and at and timedelta() <= at - made < YOUNG:
        yield Signal(
            "young_account", f"The account was made on {made:%Y-%m-%d}, less than 30 days before."
        )


def as_text(content: str, people: Mapping[str, JsonObject]) -> str:
    """The text with the names of people and emoji in the place of their numbers."""

    def named(found: re.Match[str]) -> str:
        person = people.get(found[1], {})
        name = find_text(person, "global_name") or find_text(person, "username")
        return f"@{name}" if name else found[0]

    return _EMOJI.sub(r":\1:", _PERSON.sub(named, content))


def _forwarded(message: JsonObject) -> str:
    """The text of a message that was forwarded; the sender has written none."""
    told = (
        find_text(inner(one, "message"), "content")
        for one in objects_in(message, "message_snapshots")
    )
    return next((text for text in told if text), "")


def _described(message: JsonObject) -> str:
    """In a word what was sent without a text."""
    if question := find_text(inner(inner(message, "poll"), "question"), "text"):
        return question
    for name in ("sticker_items", "embeds"):
        for one in objects_in(message, name):
            if (
                told := find_text(one, "name")
                or find_text(one, "title")
                or find_text(one, "description")
            ):
                return told
    return ""


def _addressed(message: JsonObject, people: Mapping[str, JsonObject]) -> Iterator[str]:
    """Ids of those whom the message pings, and of whom it answers."""
    yield from (key for key in people if key)
    answered = find_id(inner(inner(message, "referenced_message"), "author"))
    if answered is not None and answered not in people:
        yield answered


def _media(message: JsonObject) -> Iterator[Media]:
    for one in objects_in(message, "attachments"):
        kind = find_text(one, "content_type").partition("/")[0]
        url = fields.find_url(one, "url")  # signed, and good for a day or so
        told = find_text(one, "description") or find_text(one, "filename")
        yield Media(kind if kind in {"image", "video", "audio"} else "file", url, told)
    for one in objects_in(message, "embeds"):
        if url := fields.find_url(one, "url"):
            yield Media("link", url, find_text(one, "title"))


def without_others(message: JsonObject) -> JsonObject:
    """The message without the one it answers, which is another person's and stored by itself."""
    return {name: value for name, value in message.items() if name != "referenced_message"}


def parse_threads(rows: Sequence[Any], channels: Sequence[str], forums: Sequence[str]) -> Page:
    """Threads of the channels that are read: parents to watch, with how many messages they hold."""
    parents, unparsed = [], []
    elsewhere = 0
    for row in rows:
        try:
            thread = as_object(row)
            above = get_id(thread, "parent_id")
            if above in channels or above in forums:
                parents.append(_parent(thread, above, is_post=above in forums))
            else:
                elsewhere += 1
        except Unreadable as error:
            unparsed.append(base.Unparsed(None, error.detail, clean_json(row)))
    return Page(
        parents=tuple(parents),
        unparsed=tuple(unparsed),
        skipped={"thread_elsewhere": elsewhere} if elsewhere else {},
    )


def _parent(thread: JsonObject, above: str, *, is_post: bool) -> Parent:
    key, count = get_id(thread, "id"), thread.get("message_count")
    latest = find_id(thread, "last_message_id")
    return Parent(
        f"{key if is_post else above}:{key}",
        created_at=time_of(key),
        changed_at=time_of(latest),
        counter=count if type(count) is int and 0 <= count < fields.LARGEST else None,
        extra={"title": find_text(thread, "name"), "above": above, "is_post": is_post},
    )
