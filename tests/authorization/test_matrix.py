"""Every operation, by every kind of caller, on own, foreign and missing things: nothing leaks.

A caller is told 401 or 403 whatever is asked for; what lies outside of a caller's sources answers
as what does not exist, to the letter. Changes carry an If-Match that no thing has, so that who may
make them is told 412 and everything stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from app.web.principal import PERMISSIONS, Permission, Role
from tests.authorization.expected import EXPECTED, Row
from tests.authorization.stock import MISSING, NOBODY, ROLES, Stock
from tests.team.audit.everything import PLACES

STALE = {"If-Match": '"v999999"'}
FEW = ("revoked", "agent", "admin")
"""On the second database: the same statements with the same scopes."""


@dataclass(slots=True)
class Matrix:
    """What was asked, and what did not answer as it should."""

    stock: Stock
    cells: int = 0
    wrong: list[str] = field(default_factory=list)

    async def ask(self, caller: str, name: str, ids: dict[str, int]) -> httpx.Response:
        method, path = PLACES[name]
        row = EXPECTED[name]
        self.cells += 1
        options = dict(row.options)
        headers = {**options.pop("headers", {}), **STALE}
        place = path.format(**({"platform": "mastodon", "connection_id": 1} | ids)) + row.query
        return await self.stock.callers[caller].request(method, place, headers=headers, **options)

    def expect(self, told: str, answered: httpx.Response, *statuses: int) -> None:
        if answered.status_code not in statuses:
            self.wrong.append(
                f"{told}: {answered.status_code}, not {statuses}: {answered.text[:90]}"
            )

    async def cell(self, caller: str, name: str) -> None:
        """All that one caller asks of one operation."""
        row = EXPECTED[name]
        told = f"{name} by {caller}"
        if caller in NOBODY:
            self.expect(told, await self.ask(caller, name, self.missing(name)), 401)
            return
        role = Role.AGENT if caller == "other_agent" else ROLES[caller][0]
        if Permission(row.needs) not in PERMISSIONS[role]:
            for ids in (self.missing(name), self.stock.shared | self.stock.own):
                self.expect(told, await self.ask(caller, name, ids), 403)
            return
        await self.permitted(caller, name, row, told)

    async def permitted(self, caller: str, name: str, row: Row, told: str) -> None:
        limited = caller == "other_agent" or ROLES[caller][1]
        mine, theirs = self.stock.own, self.stock.foreign
        if caller == "other_agent":
            mine, theirs = theirs, mine
        missing = await self.ask(caller, name, self.missing(name))
        if row.about == "all" and limited:
            self.expect(told, missing, 403)
            self.expect(told, await self.ask(caller, name, self.stock.shared | mine), 403)
            return
        has_object = "{" in PLACES[name][1].replace("{platform}", "")
        if has_object:
            self.expect(f"{told}, missing", missing, 404)
        if row.about == "own":
            return
        reached = await self.ask(caller, name, self.stock.shared | mine)
        others = row.about == "made" and "admin" not in caller
        self.expect(f"{told}, own", reached, *((403,) if others else _REACHED))
        if has_object and row.about == "source":
            foreign = await self.ask(caller, name, self.stock.shared | theirs)
            self.compare(f"{told}, foreign", foreign, missing if limited else reached)

    def compare(self, told: str, one: httpx.Response, other: httpx.Response) -> None:
        """The same answer, ids and numbers of requests apart."""
        if one.status_code != other.status_code or (
            other.status_code == 404 and _same(one.text) != _same(other.text)
        ):
            self.wrong.append(f"{told}: {one.status_code} {one.text[:90]}, not {other.text[:90]}")

    def missing(self, name: str) -> dict[str, int]:
        return dict.fromkeys(re.findall(r"{(\w+_id)}", PLACES[name][1]), MISSING)


_REACHED = (200, 201, 202, 204, 409, 412, 422)


def _same(text: str) -> str:
    return re.sub(r'\d+|"request_id":"\w+"', "#", text)


def operations() -> Iterator[str]:
    """Those with a gate that end; what is open and the stream have tests of their own."""
    return (name for name in sorted(PLACES) if EXPECTED[name].about not in {"stream", "open"})


def test_every_operation_stands_in_the_table() -> None:
    assert PLACES.keys() == EXPECTED.keys()


async def test_nobody_does_or_sees_what_is_not_theirs(stock: Stock) -> None:
    matrix = Matrix(stock)
    callers = stock.callers if stock.service.db.dialect == "sqlite" else FEW
    for name in operations():
        for caller in callers:
            await matrix.cell(caller, name)
    assert not matrix.wrong, "\n".join([f"{len(matrix.wrong)} of {matrix.cells}", *matrix.wrong])
    assert matrix.cells > (2500 if len(callers) > len(FEW) else 400)
