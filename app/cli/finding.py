"""Finds a source by what a person calls it: its id, its name, or `platform/name`."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from app.cli.failure import Failure
from app.cli.started import command

if TYPE_CHECKING:
    from app.cli.client import Api

Json = dict[str, Any]


def all_sources(api: Api) -> list[Json]:
    return [source for page in api.pages("/sources", {}) for source in page["items"]]


def find_source(api: Api, asked: str) -> Json:
    """The one source meant. Raises `Failure` naming what there is."""
    sources = all_sources(api)
    for fits in (
        [s for s in sources if str(s["id"]) == asked],
        [s for s in sources if s["name"] == asked],
        [s for s in sources if f"{s['platform']}/{s['name']}" == asked],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            names = ", ".join(f"{s['platform']}/{s['name']} (id {s['id']})" for s in fits)
            raise Failure(f"{asked!r} is the name of several sources: {names}.")
    raise _unknown(asked, sources)


def _unknown(asked: str, sources: list[Json]) -> Failure:
    names = [s["name"] for s in sources]
    if not names:
        return Failure("There are no sources yet.", [f"Add one: {command('sources add PLATFORM')}"])
    close = difflib.get_close_matches(asked, names, n=1)
    meant = f" Did you mean {close[0]!r}?" if close else f" There are: {', '.join(names)}."
    return Failure(f"There is no source {asked!r}.{meant}")
