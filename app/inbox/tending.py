"""What is done every minute: waking, wiping, due times, rules, values, erasures cut off."""

from __future__ import annotations

from datetime import datetime

from app.db import Database
from app.inbox.erasing.scrubbing import scrub
from app.inbox.erasing.service import Erasing
from app.inbox.policies.service import keep_due_times
from app.inbox.ranking import reckon_missing
from app.inbox.rules.service import keep_built_in
from app.inbox.waking import wake_items
from app.inbox.wiping import wipe_texts

AT_ONCE = 500


async def tend(db: Database, erasing: Erasing, now: datetime) -> None:
    """Each part is small where there is nothing to do, and resumes what was interrupted."""
    await wake_items(db, now)
    await wipe_texts(db, now)
    await keep_due_times(db)
    await keep_built_in(db, now)
    while await reckon_missing(db, AT_ONCE):
        pass
    await erasing.resume()
    await scrub(db, now)
