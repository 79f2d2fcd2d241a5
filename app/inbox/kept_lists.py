"""What a process keeps of its lists and counts between requests."""

from __future__ import annotations

from dataclasses import dataclass

from app.db import Database
from app.inbox.encoding import EncodedItems
from app.inbox.lasting import Wakings
from app.web.kept import KeptAnswers


@dataclass(frozen=True, slots=True)
class KeptLists:
    """Whole answers, the items in them, and when the next snooze ends."""

    answers: KeptAnswers
    items: EncodedItems
    wakings: Wakings

    @classmethod
    def of(cls, db: Database) -> KeptLists:
        return cls(KeptAnswers(db), EncodedItems(), Wakings(db))
