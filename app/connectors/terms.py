"""A platform's terms: what must be applied for, what it costs, how long what it told is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Access:
    """What stands between an operator and a credential, told before he starts.

    `review` is what the platform wants to be asked or paid for first ("" where nothing), `shortest`
    the shortest way for one operator's own account, `price` what reading costs in words.
    """

    review: str = ""
    shortest: str = ""
    price: str = "Free."


@dataclass(frozen=True, slots=True)
class Retention:
    """A platform's duty for what we keep of it; `source` names the rule.

    After `refresh_within` a stored message must have been read again, or its text goes.
    `wipe_gone`: once the platform says that a message is deleted, its text goes too.
    """

    source: str
    refresh_within: timedelta | None = None
    wipe_gone: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a source is going to use at its interval, by what was seen: `per_day` in `unit`."""

    unit: str
    per_day: float
    detail: str


def requests_a_day(interval: timedelta, idle: int, hourly: int = 0) -> Estimate:
    """What a source that is free takes of its platform's limit while nothing new comes in: `idle`
    requests at each poll, and `hourly` ones that are made once an hour.
    """
    minutes = interval // timedelta(minutes=1)
    polls = timedelta(days=1) / interval
    return Estimate(
        "requests",
        round(polls * idle + 24 * hourly, 1),
        f"at a pause of {minutes} minutes while nothing is new; one more for each post or "
        "conversation with something new",
    )


@dataclass(frozen=True, slots=True)
class InShort:
    """What the tables of docs/platforms say in words, beside what a platform declares elsewhere.

    `credential` is what a person needs, `answers` how answers of ours are seen, `idle_poll` what a
    poll costs that finds nothing new. `hundred` is a sane pause for 100 accounts that are read from
    one address, `limit` what stands behind it.
    """

    credential: str = ""
    answers: str = ""
    idle_poll: str = ""
    hundred: timedelta | None = None
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Thrift:
    """A platform that is paid for each message it returns, once in a UTC day.

    Stored messages are read again at these ages only (`rereads`), and there is one second look a
    day: over the last 24 hours, just before the day ends, when nearly all of it is paid already.
    """

    rereads: tuple[timedelta, ...]
