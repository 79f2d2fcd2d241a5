"""What one person's message becomes: the message, its edit or end, the brand's answer, a follow-up.

A scene is written as a whole the first time it is asked for. It depends on the dice, the place
and the time of its first message only, never on what time it is now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.demo.model import SHOP, SUPPORT, Edit, Message, OwnerAnswer, Person
from app.demo.schedule import FOLLOW_UP, PLACES, SECOND_ANSWER, Place, Span, message_id, place_of
from app.demo.voices import ACCOUNTS, Voices

Scene = tuple[Message, ...]

EDITED = 6  # in 100
DELETED = 5
DIRECT = 8  # of the mentions
FOLLOWED_UP = 12
ANSWERED_AGAIN = 75
EDIT_AFTER = Span(timedelta(seconds=40), timedelta(minutes=10))
DELETED_AFTER = Span(timedelta(seconds=90), timedelta(minutes=30))


@dataclass(frozen=True, slots=True)
class Opening:
    """The first message of a scene: `name` names its throws, `post` what it stands under."""

    name: tuple[object, ...]
    number: int
    place: Place
    at: datetime
    language: str
    post: int | None = None


@dataclass(frozen=True, slots=True)
class Scenes:
    """Writes scenes."""

    voices: Voices

    def live(self, slot: int, at: datetime, post: int | None) -> Scene:
        """The scene of a slot: answered, taken back or left waiting as the dice fall."""
        number = slot % len(PLACES)
        name = ("slot", slot)
        language = self.voices.language(*name)
        opening = Opening(name, number, PLACES[number], at, language, post)
        first = self._first(opening)
        if not first.direct and first.kind != "follow":
            first = self._ended(self._edited(first, opening), opening)
        wanted = opening.place.answer
        if wanted is None or not self._chance(opening, opening.place.certain, "answered"):
            return (first,)
        return self._answered(first, opening, self._between(opening, wanted, "answer after"))

    def past(self, opening: Opening, answer_after: timedelta | None) -> Scene:
        """A scene from before the start: nothing in it is still to come."""
        first = self._first(opening)
        if answer_after is None:
            return (first,)
        if first.kind == "review":
            return (self._reviewed(first, opening, first.created_at + answer_after),)
        return (first, self._reply(first, opening, first.created_at + answer_after, 1))

    def _first(self, opening: Opening) -> Message:
        place, name = opening.place, opening.name
        text, stars = self.voices.opening(place.kind, opening.language, *name)
        own = message_id(opening.at, opening.number, 0)
        mentioned = place.kind == "mention"
        secret = mentioned and self._chance(opening, DIRECT, "direct")
        return Message(
            id=own,
            feed=place.feed,
            kind="direct_message" if secret else place.kind,
            author=self.voices.person(opening.language, *name),
            created_at=opening.at,
            root=own if opening.post is None else opening.post,
            text=text,
            language=opening.language if text else "",
            parent=opening.post,
            addressed=(ACCOUNTS[SHOP],) if mentioned else (),
            direct=secret or place.feed == "messages",
            stars=stars,
        )

    def _edited(self, first: Message, opening: Opening) -> Message:
        if not first.text or not self._chance(opening, EDITED, "edited"):
            return first
        at = first.created_at + self._between(opening, EDIT_AFTER, "edit after")
        more = self.voices.correction(opening.language, *opening.name)
        return replace(first, edits=(Edit(at, f"{first.text}\n\n{more}"),))

    def _ended(self, first: Message, opening: Opening) -> Message:
        if not self._chance(opening, DELETED, "deleted"):
            return first
        after = self._between(opening, DELETED_AFTER, "deleted after")
        return replace(first, deleted_at=first.created_at + after)

    def _answered(self, first: Message, opening: Opening, after: timedelta) -> Scene:
        at = first.created_at + after
        if first.deleted_at is not None and first.deleted_at <= at:
            return (first,)
        if first.kind == "review":
            return (self._reviewed(first, opening, at),)
        answer = self._reply(first, opening, at, 1)
        return (first, answer, *self._more(answer, first, opening))

    def _more(self, answer: Message, first: Message, opening: Opening) -> Iterator[Message]:
        """A follow-up question at times, which is answered most times."""
        if not self._chance(opening, FOLLOWED_UP, "followed up"):
            return
        at = answer.created_at + self._between(opening, FOLLOW_UP, "follow-up after")
        text = self.voices.follow_up(opening.language, *opening.name)
        followed = self._under(answer, (first.id,), at, 2, author=first.author, text=text)
        yield followed
        if self._chance(opening, ANSWERED_AGAIN, "answered again"):
            at += self._between(opening, SECOND_ANSWER, "second answer after")
            again = self._reply(followed, opening, at, 3)
            yield replace(again, unless=(first.id, followed.id))

    def _reply(self, to: Message, opening: Opening, at: datetime, part: int) -> Message:
        text = self.voices.answer(opening.language, to.author, *opening.name, part)
        account = SUPPORT if to.feed == "messages" else SHOP
        return self._under(to, (to.id,), at, part, author=ACCOUNTS[account], text=text)

    def _under(
        self,
        to: Message,
        unless: tuple[int, ...],
        at: datetime,
        part: int,
        *,
        author: Person,
        text: str,
    ) -> Message:
        return Message(
            id=message_id(at, place_of(to.id), part),
            feed=to.feed,
            kind="reply",
            author=author,
            created_at=at,
            root=to.root,
            text=text,
            language=to.language,
            parent=to.id,
            addressed=(to.author,),
            direct=to.direct,
            unless=unless,
        )

    def _reviewed(self, first: Message, opening: Opening, at: datetime) -> Message:
        text = self.voices.answer(opening.language, first.author, *opening.name, 1)
        return replace(first, answer=OwnerAnswer(at, text))

    def _chance(self, opening: Opening, percent: int, what: str) -> bool:
        return self.voices.dice.chance(percent, *opening.name, what)

    def _between(self, opening: Opening, span: Span, what: str) -> timedelta:
        return self.voices.dice.between(span.low, span.high, *opening.name, what)
