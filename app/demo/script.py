"""A world without a story: a test writes it, message by message, and breaks it where it likes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from app.demo.model import SHOP, SUPPORT, Edit, Fault, Grant, Message, OwnerAnswer, Person, Token
from app.demo.voices import ACCOUNTS

KINDS: Mapping[str, str] = {
    "mentions": "mention",
    "posts": "post",
    "comments": "comment",
    "messages": "direct_message",
    "reviews": "review",
}
VISITOR = Person("visitor-1", "visitor", "A Visitor")


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault of an account while `since <= now < until`."""

    account: str
    since: datetime
    until: datetime
    fault: Fault


@dataclass(slots=True)
class ScriptedWorld:
    """A `World` that changes by its methods only.

    Ids grow by one with each message, unless one is given: a smaller one than those already shown
    is what a forward reader misses. Equal `at` are ties. `page_limit` may shrink between pages;
    `expire_cursors` makes all page cursors given out so far invalid.
    """

    accounts: Mapping[str, Person] = field(default_factory=lambda: dict(ACCOUNTS))
    page_limit: int = 50
    tokens: dict[str, list[Token]] = field(default_factory=dict)
    _messages: dict[int, Message] = field(default_factory=dict)
    _troubles: list[Trouble] = field(default_factory=list)
    _cursors_expired: int = 0

    def __post_init__(self) -> None:
        for account in (SHOP, SUPPORT):
            self.tokens.setdefault(account, [Token(account, f"token-of-{account}")])

    # What a test does

    def insert(
        self,
        feed: str,
        at: datetime,
        text: str = "",
        *,
        number: int | None = None,
        under: int | None = None,
        author: Person = VISITOR,
        **more: Any,
    ) -> Message:
        """Writes a message below `under`, or a first one. `more` are further fields of `Message`:
        `kind`, `visible_at`, `stars`, `direct` …; a comment needs `under`.
        """
        own = max(self._messages, default=0) + 1 if number is None else number
        if own in self._messages:
            raise ValueError(f"there is a message {own} already")
        parent = None if under is None else self._messages[under]
        more.setdefault("kind", KINDS[feed] if parent is None or feed == "comments" else "reply")
        root = own if parent is None else parent.root
        message = Message(
            own, feed, author=author, created_at=at, root=root, text=text, parent=under, **more
        )
        self._messages[own] = message
        return message

    def answer(self, number: int, at: datetime, text: str = "We have answered.") -> Message:
        """The brand answers: inside a review, below anything else."""
        to = self._messages[number]
        if to.kind == "review":
            return self._change(number, answer=OwnerAnswer(at, text))
        brand = self.accounts[SUPPORT if to.feed == "messages" else SHOP]
        feed = "comments" if to.feed == "posts" else to.feed
        direct, addressed = to.direct, (to.author,)
        return self.insert(
            feed, at, text, under=number, author=brand, kind="reply",
            direct=direct, addressed=addressed,
        )  # fmt: skip

    def edit(self, number: int, at: datetime, text: str) -> Message:
        edits = (*self._messages[number].edits, Edit(at, text))
        return self._change(number, edits=tuple(sorted(edits, key=lambda edit: edit.at)))

    def delete(self, number: int, at: datetime) -> Message:
        return self._change(number, deleted_at=at)

    def restore(self, number: int) -> Message:
        return self._change(number, deleted_at=None)

    def show(self, number: int, at: datetime) -> Message:
        """Moves the moment from which a message is shown."""
        return self._change(number, visible_at=at)

    def move(self, number: int, at: datetime) -> Message:
        """Gives a message another time: lists sorted by time change their order."""
        return self._change(number, created_at=at)

    def forget(self, number: int) -> None:
        """Takes a message away as if it had never been: 404, and no trace in any list."""
        del self._messages[number]

    def expire_cursors(self) -> None:
        self._cursors_expired += 1

    def renew_token(self, account: str, text: str) -> None:
        """From now on the account's earlier tokens are expired."""
        self.tokens[account].append(Token(account, text))

    def fail(
        self,
        account: str,
        status: int,
        *,
        since: datetime,
        lasts: timedelta,
        retry_after: int | None = None,
    ) -> None:
        fault = Fault(status, "fault", "This fault was asked for.", retry_after)
        self._troubles.append(Trouble(account, since, since + lasts, fault))

    # What the platform shows

    @property
    def cursor_mark(self) -> str:
        return f"c{self._cursors_expired}"

    def forward(self, feed: str, after: int, now: datetime) -> Iterator[Message]:
        found = (m for m in self._shown(feed, now) if m.id > after)
        return iter(sorted(found, key=lambda message: message.id))

    def backward(
        self, feed: str, before: tuple[datetime, int] | None, now: datetime
    ) -> Iterator[Message]:
        found = sorted(self._shown(feed, now), key=_by_time, reverse=True)
        return (m for m in found if before is None or _by_time(m) < before)

    def mark_before(self, feed: str, at: datetime) -> int:
        later = (m.id for m in self._messages.values() if m.feed == feed and m.created_at >= at)
        return min(later, default=max(self._messages, default=0) + 1) - 1

    def thread(self, root: int) -> Sequence[Message]:
        """The root first, whatever its time; a root that is gone leaves an empty thread."""
        if root not in self._messages:
            return ()
        under = (m for m in self._messages.values() if m.root == root and m.id != root)
        return (self._messages[root], *sorted(under, key=_by_time))

    def find(self, message_id: int) -> Message | None:
        return self._messages.get(message_id)

    def fault(self, account: str, now: datetime) -> Fault | None:
        struck = (t for t in self._troubles if t.account == account and t.since <= now < t.until)
        return next((trouble.fault for trouble in struck), None)

    def grant(self, token: str, now: datetime) -> Grant | None:
        for account, tokens in self.tokens.items():
            for known in tokens:
                if known.text == token:
                    late = known.expires_at is not None and known.expires_at <= now
                    expired = late or known is not tokens[-1]
                    return Grant(account, expired, known.expires_at)
        return None

    def token(self, account: str, now: datetime) -> Token:  # noqa: ARG002 - a World asks for it
        return self.tokens[account][-1]

    def _shown(self, feed: str, now: datetime) -> list[Message]:
        return [m for m in self._messages.values() if m.feed == feed and m.shown_at <= now]

    def _change(self, number: int, **fields: Any) -> Message:
        self._messages[number] = replace(self._messages[number], **fields)
        return self._messages[number]


def _by_time(message: Message) -> tuple[datetime, int]:
    return message.created_at, message.id
