"""Reading stored messages again, many with one request, where a platform offers that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from app.connectors.base import Mention, Page, Parent, Unparsed
from app.connectors.failures import BadResponse, Gone


def is_as_it_was_read(parent: Parent) -> bool:
    """Whether the counter of a thread says that nothing came in below it since it was read. What a
    connector has handed out proves nothing: it may have come to no inbox, or could not be read.
    """
    return parent.counter is not None and parent.counter == parent.counter_read


@runtime_checkable
class ReadsMany(Protocol):
    """What a connector has besides, to keep a duty of `Retention` at a low price."""

    most_at_once: int

    async def fetch_items(self, external_ids: Sequence[str]) -> Page:
        """These messages, at most `most_at_once`: each is in `mentions`, `gone` or `unparsed`."""
        ...


async def completed(
    page: Page, external_ids: Sequence[str], fetch_item: Callable[[str], Awaitable[Mention]]
) -> Page:
    """`page` with those of `external_ids` that it does not hold, each asked for by itself: most
    platforms leave out of a list what is hidden from us as well as what is deleted.
    """
    known = {each.external_id for each in page.mentions} | set(page.gone)
    known |= {each.external_id for each in page.unparsed if each.external_id}
    mentions, gone, unparsed = list(page.mentions), list(page.gone), list(page.unparsed)
    for each in dict.fromkeys(external_ids):
        if each in known:
            continue
        try:
            mentions.append(await fetch_item(each))
        except Gone:
            gone.append(each)
        except BadResponse as error:
            unparsed.append(Unparsed(each, error.detail, None))
    return replace(page, mentions=tuple(mentions), gone=tuple(gone), unparsed=tuple(unparsed))
