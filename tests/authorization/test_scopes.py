"""Whoever reads for a caller must say what the caller may see: no reading function without a Scope.

What serves no caller (the poller, erasing, housekeeping), or looks below something that was found
with a scope before, is named here with the reason; a function that is not named and takes no
`Scope` is a failure.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import app
import app.connecting
import app.inbox
import app.outbox
import app.sources
from app.db import Database, Reader
from app.scope import Scope

READERS = {Reader, Database}
WITHOUT = {
    "for the service itself, which sees everything": """
        inbox.authors.repository.is_ours inbox.erasing.repository.begun
        inbox.erasing.repository.bodies_after inbox.erasing.repository.company
        inbox.erasing.repository.find_person inbox.erasing.repository.highest_key
        inbox.erasing.repository.is_one_of_us inbox.erasing.repository.is_taken
        inbox.erasing.repository.messages_of
        inbox.erasing.repository.naming inbox.erasing.repository.number_of_items
        inbox.erasing.repository.number_of_raw inbox.erasing.repository.threads_after
        inbox.erasing.scrubbing.scrub
        inbox.rereads.due_rereads inbox.repository.known_items inbox.repository.known_replies
        inbox.repository.touched_by_people inbox.rereads.with_due_rereads
        inbox.policies.repository.labels_of_sources sources.repository.sources_of
        inbox.rules.repository.judged sources.repository.is_empty
        sources.repository.sources_of_origin sources.runs.find_requested sources.runs.spent_since
        sources.runs.spent_elsewhere
        sources.streams.due_parents sources.streams.in_quarantine
        sources.streams.parents_that_changed sources.streams.quarantined_ids
        sources.streams.unread_parents sources.streams.unseen_below outbox.repository.all_after
        outbox.repository.events_numbered outbox.webhooks.deliveries.needed_from
        outbox.webhooks.deliveries.standing outbox.webhooks.deliveries.through_age
        connecting.repository.find_client connecting.repository.find_by_state
        connecting.repository.never_came_back""",
    "below something that was found with a scope": """
        inbox.exchange.repository.authors_of inbox.exchange.repository.threads_of
        inbox.listing.find_thread inbox.notes.repository.find inbox.notes.repository.of_item
        inbox.originals.find_raw inbox.originals.revisions_of sources.repository.streams_of
        sources.repository.us_of sources.runs.find_run sources.runs.page_runs
        sources.streams.known_gaps sources.streams.open_gaps sources.repository.quarantine_size
        sources.streams.recovered_since outbox.webhooks.deliveries.page""",
    "its service looks at the source of what was found": """
        inbox.policies.repository.all_policies inbox.policies.repository.find_policy
        outbox.webhooks.deliveries.find""",
    "a number that chooses a way to look, and is told nobody": "inbox.search.repository.count_some",
    "asks for the ticket of a way instead": "connecting.repository.find_by_id",
    "belongs to the team, not to a source": """
        inbox.labels.repository.every inbox.labels.repository.find_key
        inbox.labels.repository.number inbox.policies.repository.labels_named
        inbox.rules.repository.built_in inbox.rules.repository.by_ids
        inbox.rules.repository.enabled inbox.rules.repository.every inbox.rules.repository.find""",
    "asks for its owner instead": """
        inbox.views.repository.every inbox.views.repository.find
        inbox.views.repository.last_place inbox.views.repository.number_of
        connecting.repository.find_connection""",
    "tells a number, or whether something is so, and nothing of it": """
        inbox.policies.repository.is_taken inbox.search.repository.count_waiting
        sources.repository.find_by_name sources.repository.known_sources outbox.repository.span_of
        outbox.webhooks.repository.count outbox.webhooks.repository.pending_of""",
}
"""Functions that go without, by the reason why."""
NAMED = {name for names in WITHOUT.values() for name in names.split()}


def repositories() -> Iterator[Any]:
    for package in (app.inbox, app.sources, app.outbox, app.connecting):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(found.name)


def reading() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function of a module of SQL that reads."""
    for module in repositories():
        if "SQL" not in (module.__doc__ or "").split("\n")[0] and not module.__name__.endswith(
            "repository"
        ):
            continue
        for name, function in inspect.getmembers(module, inspect.iscoroutinefunction):
            if function.__module__ != module.__name__ or name.startswith("_"):
                continue
            hints = inspect.get_annotations(function, eval_str=True)
            if READERS & {each for each in hints.values() if isinstance(each, type)}:
                yield f"{module.__name__.removeprefix('app.')}.{name}", function


def takes_a_scope(function: Callable[..., Any]) -> bool:
    hints = inspect.get_annotations(function, eval_str=True)
    return any(hint is Scope for name, hint in hints.items() if name != "return")


def test_whoever_reads_takes_a_scope_or_says_why_not() -> None:
    without = {name for name, function in reading() if not takes_a_scope(function)}
    assert without == NAMED, sorted(without ^ NAMED)
    assert len([name for name, function in reading() if takes_a_scope(function)]) > 20


def test_no_route_makes_a_scope_of_its_own() -> None:
    """What serves callers has the scope of the caller: nothing there knows the one of all."""
    for file in sorted(Path(app.__path__[0]).rglob("api*/**/*.py")) + sorted(
        Path(app.__path__[0]).rglob("api.py")
    ):
        assert "EVERYTHING" not in file.read_text("utf-8"), file
