"""Messages, people and chats of the Bot API (types Message, User, Chat, MessageEntity)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from app.connectors import base, fields
from app.connectors.base import JsonObject, Kind, Media, Mention, Person, ThreadRef, Visibility
from app.connectors.fields import Unreadable, as_object, find_text
from app.connectors.text import clean_json, parse_time

SITE = "https://t.me"
PRIVATE = "private"
SUPERGROUP = "supergroup"
BOT = "bot_command"
_NAME = re.compile(r"[A-Za-z0-9_]{4,32}")
_START = re.compile(r"/start(?:@\w{1,32})?(?:\s+\S{1,64})?\s*")
_FILES = {
    "animation": "video",
    "audio": "audio",
    "document": "file",
    "paid_media": "file",
    "photo": "image",
    "sticker": "image",
    "story": "file",
    "video": "video",
    "video_note": "video",
    "voice": "audio",
}
"""Fields with a file, and what it is. Its address would hold the bot's token: it is not kept."""
_OTHERS = ("text", "caption", "contact", "checklist", "dice", "game", "location", "poll", "venue")
SERVICE = frozenset(
    {"new_chat_members", "left_chat_member", "new_chat_title", "new_chat_photo"}
    | {"delete_chat_photo", "group_chat_created", "supergroup_chat_created", "pinned_message"}
    | {"channel_chat_created", "message_auto_delete_timer_changed", "migrate_to_chat_id"}
    | {"migrate_from_chat_id", "invoice", "successful_payment", "refunded_payment"}
    | {"users_shared", "chat_shared", "connected_website", "write_access_allowed"}
    | {"passport_data", "proximity_alert_triggered", "boost_added", "chat_background_set"}
    | {"forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened"}
    | {"general_forum_topic_hidden", "general_forum_topic_unhidden", "giveaway_created"}
    | {"giveaway", "giveaway_winners", "giveaway_completed", "video_chat_scheduled"}
    | {"video_chat_started", "video_chat_ended", "video_chat_participants_invited"}
    | {"web_app_data", "gift", "unique_gift", "checklist_tasks_done", "checklist_tasks_added"}
    | {"paid_message_price_changed", "direct_message_price_changed"}
)
"""What tells that something happened in a chat, and was not written by anybody."""


def signed_id(row: JsonObject, name: str = "id") -> int:
    """An id of Telegram: at most 52 significant bits, negative for groups; a fork writes text."""
    value = row.get(name)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        value = int(value)
    if type(value) is not int or not 0 < abs(value) < fields.LARGEST:
        raise Unreadable(f"{name} is not an id")
    return value


def find_signed_id(row: Any, name: str = "id") -> int | None:
    try:
        return signed_id(as_object(row), name)
    except Unreadable:
        return None


def external_id_of(message: Any) -> str | None:
    """`chat:message`: ids of messages count within a chat; `None` where one of both is missing."""
    chat = find_signed_id(message.get("chat")) if isinstance(message, dict) else None
    number = find_signed_id(message, "message_id")
    return None if chat is None or number is None else f"{chat}:{number}"


def is_written(message: JsonObject) -> bool:
    """Whether it holds something that somebody wrote or sent."""
    return any(name in message for name in (*_OTHERS, *_FILES))


def service_of(message: JsonObject) -> str:
    """What a message without content tells of; "" where it is of a kind we don't know."""
    return next((name for name in sorted(SERVICE) if name in message), "")


def parse_message(message: JsonObject, us: base.Identity) -> Mention:
    """One message. Reads `text` or `caption`, else says in a word what was sent."""
    chat = as_object(message.get("chat"))
    chat_id, number = signed_id(chat), signed_id(message, "message_id")
    said = find_text(message, "text") or find_text(message, "caption")
    names = tuple(dict.fromkeys(named_in(message)))
    parent = parent_of(message, chat_id)
    at = parse_time(message.get("date"))
    return Mention(
        external_id=f"{chat_id}:{number}",
        kind=_kind(message, chat, parent, names_us=_is_named(us, names)),
        author=parse_author(message),
        thread=thread_of(message, chat),
        occurred_at=at,
        text=said or described(message),
        text_raw=said,
        parent_external_id=parent,
        permalink=permalink(chat, number),
        visibility=visibility_of(chat),
        edited_at=parse_time(message.get("edit_date")),
        addressed=names,
        media=tuple(_media(message)),
        raw=clean_json(without_others(message)),
    )


def parse_author(message: JsonObject) -> Person:
    """A person, or the chat in whose name somebody writes (`sender_chat`: an anonymous admin, a
    channel); `from` is a stand-in then.
    """
    chat = message.get("sender_chat")
    if isinstance(chat, dict):
        name = find_text(chat, "username")
        return Person(str(signed_id(chat)), name, find_text(chat, "title"), url=_site(name))
    return parse_person(as_object(message.get("from")))


def parse_person(user: JsonObject) -> Person:
    names = (find_text(user, "first_name"), find_text(user, "last_name"))
    handle = find_text(user, "username")
    return Person(
        str(signed_id(user)),
        handle,
        " ".join(name for name in names if name),
        url=_site(handle),
        is_bot=user.get("is_bot") is True,
    )


def _site(name: str) -> str:
    return f"{SITE}/{name}" if _NAME.fullmatch(name) else ""


def thread_of(message: JsonObject, chat: JsonObject) -> ThreadRef:
    """A private chat and a small group are one conversation each. A supergroup has topics and
    chains of replies, whose first message Telegram names (`message_thread_id`).
    """
    chat_id, kind = signed_id(chat), find_text(chat, "type")
    if kind != SUPERGROUP:
        title = find_text(chat, "title")
        if kind == PRIVATE:
            title = " ".join(
                filter(None, (find_text(chat, n) for n in ("first_name", "last_name")))
            )
        return ThreadRef(str(chat_id), title)
    number, answered = signed_id(message, "message_id"), message.get("reply_to_message")
    root = find_signed_id(message, "message_thread_id")
    if root is None and isinstance(answered, dict):
        above = find_signed_id(answered, "message_thread_id")
        root = above or find_signed_id(answered, "message_id")
    title = find_text(chat, "title")
    topic = answered.get("forum_topic_created") if isinstance(answered, dict) else None
    if isinstance(topic, dict) and (name := find_text(topic, "name")):
        title = f"{title}: {name}"
    at = parse_time(message.get("date")) if root in {None, number} else None
    place = root or number
    return ThreadRef(f"{chat_id}:{place}", title, permalink(chat, place), at)


def parent_of(message: JsonObject, chat_id: int) -> str | None:
    """The message that this one answers. The beginning of a topic is no message, and below a post
    of the group's own channel one comments.
    """
    answered = message.get("reply_to_message")
    if not isinstance(answered, dict) or "forum_topic_created" in answered:
        return None
    number = find_signed_id(answered, "message_id")
    if number is None or answered.get("is_automatic_forward") is True:
        return None
    return f"{find_signed_id(answered.get('chat')) or chat_id}:{number}"


def _kind(message: JsonObject, chat: JsonObject, parent: str | None, *, names_us: bool) -> Kind:
    if find_text(chat, "type") == PRIVATE:
        return Kind.FOLLOW if is_start(message) else Kind.DIRECT_MESSAGE
    if names_us:
        return Kind.MENTION
    return Kind.COMMENT if parent is None else Kind.REPLY


def is_start(message: JsonObject) -> bool:
    """Whether somebody has pressed Start: that is how a chat with a bot begins."""
    return _START.fullmatch(find_text(message, "text")) is not None


def _is_named(us: base.Identity, names: Collection[str]) -> bool:
    return us.external_id in names or us.handle.lower() in names


def named_in(message: JsonObject) -> Iterator[str]:
    """Ids and lower-case handles of those whom a message names; a command may name a bot."""
    for kind, shown, entity in entities_of(message):
        if kind == "mention":
            yield shown.removeprefix("@").lower()
        elif kind == BOT and "@" in shown:
            yield shown.partition("@")[2].lower()
        elif kind == "text_mention" and (user := find_signed_id(entity.get("user"))) is not None:
            yield str(user)


def entities_of(message: JsonObject) -> Iterator[tuple[str, str, JsonObject]]:
    """(type, the text it covers, the entity); offsets count UTF-16 code units."""
    for where, what in (("text", "entities"), ("caption", "caption_entities")):
        text, listed = message.get(where), message.get(what)
        if not isinstance(text, str) or not isinstance(listed, list):
            continue
        units = text.encode("utf-16-le", "surrogatepass")
        for entity in listed:
            if not isinstance(entity, dict):
                continue
            start, length = entity.get("offset"), entity.get("length")
            if type(start) is int and type(length) is int and start >= 0 and length > 0:
                shown = units[2 * start : 2 * (start + length)].decode("utf-16-le", "replace")
                yield find_text(entity, "type"), shown, entity


def _media(message: JsonObject) -> Iterator[Media]:
    for name, kind in _FILES.items():
        if name in message and not (name == "document" and "animation" in message):
            inner = message[name] if isinstance(message[name], dict) else {}
            told = find_text(inner, "file_name") or find_text(inner, "emoji") or name
            yield Media(kind, "", told.replace("_", " "))
    for kind, shown, entity in entities_of(message):
        if kind == "text_link" and (url := fields.find_url(entity, "url")):
            yield Media("link", url, shown)


def described(message: JsonObject) -> str:
    """In a word what was sent without a text."""
    inner = {n: message[n] for n in (*_OTHERS, *_FILES) if isinstance(message.get(n), dict)}
    if "poll" in inner:
        return find_text(inner["poll"], "question")
    if "venue" in inner:
        told = (find_text(inner["venue"], name) for name in ("title", "address"))
        return ", ".join(part for part in told if part)
    if "checklist" in inner:
        return find_text(inner["checklist"], "title")
    if "contact" in inner:
        told = (find_text(inner["contact"], n) for n in ("first_name", "last_name"))
        return " ".join(part for part in told if part)
    for name in ("sticker", "dice"):
        if name in inner:
            return find_text(inner[name], "emoji")
    return ""


def visibility_of(chat: JsonObject) -> Visibility:
    """A group without a public name is seen by its members only."""
    if find_text(chat, "type") == PRIVATE:
        return Visibility.DIRECT
    return Visibility.PUBLIC if find_text(chat, "username") else Visibility.FOLLOWERS


def permalink(chat: JsonObject, number: int) -> str:
    """Where a message of a supergroup stands; others have no address."""
    if find_text(chat, "type") != SUPERGROUP:
        return ""
    if site := _site(find_text(chat, "username")):
        return f"{site}/{number}"
    inner = str(signed_id(chat))
    return f"{SITE}/c/{inner.removeprefix('-100')}/{number}" if inner.startswith("-100") else ""


def without_others(message: JsonObject) -> JsonObject:
    """The message without what others wrote in it, which is to be erased with them."""
    kept = {
        name: value for name, value in message.items() if name not in {"quote", "external_reply"}
    }
    answered = kept.get("reply_to_message")
    if isinstance(answered, dict):
        kept["reply_to_message"] = {"message_id": answered.get("message_id")}
    return kept


def parse_joined(message: JsonObject) -> Iterator[Mention]:
    """Those who have come into a group, one by one; bots are left out."""
    chat = as_object(message.get("chat"))
    chat_id, number = signed_id(chat), signed_id(message, "message_id")
    people = message.get("new_chat_members")
    if not isinstance(people, list):
        raise Unreadable("new_chat_members is not a list")
    for row in people:
        person = parse_person(as_object(row))
        if person.is_bot:
            continue
        key = f"join:{chat_id}:{number}:{person.external_id}"
        at, title = parse_time(message.get("date")), find_text(chat, "title")
        yield Mention(
            external_id=key,
            kind=Kind.FOLLOW,
            author=person,
            thread=ThreadRef(key, title, permalink(chat, number), at),
            occurred_at=at,
            permalink=permalink(chat, number),
            visibility=visibility_of(chat),
            raw=clean_json({"chat": chat, "new_chat_members": [row], "date": message.get("date")}),
        )
