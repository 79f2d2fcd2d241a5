"""What a server of Lemmy on stage answers instead, and what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.connectors.base import Connector
from app.connectors.lemmy import account
from app.connectors.platforms.lemmy import PLATFORM
from tests.connectors.reading import Source
from tests.connectors.test_renewal import Stored

LOGIN = {3: "/api/v3/user/login", 4: "/api/v4/account/auth/login"}
TOLD = "/api/v4/account/notification/list"
NAMED = {"username": "acme", "password": "password"}
COMMUNITY = {"instance": "{base}", "community": "acme"}


def answering(
    source: Source, path: str, body: Any, status: int = 200, method: str = "GET", **query: Any
) -> None:
    """Puts an answer before the recorded ones."""
    request = {"method": method, "path": path, "query": query}
    source.stage.player.exchanges.insert(
        0, {"request": request, "response": {"status": status, "body": body}}
    )


def refusing(source: Source, path: str, name: str, status: int = 400, **more: Any) -> None:
    answering(source, path, {"error": name}, status, **more)


def asked(source: Source, path: str) -> list[dict[str, list[str]]]:
    return [query for _, at, query, _ in source.stage.player.requests if at == path]


def kept(source: Source, given: Mapping[str, str]) -> tuple[Connector, Stored]:
    """A connector as a poll builds one, with what is stored of its credential."""
    credential = account.Credential(**given)
    stored = Stored(credential.model_dump())
    connector = PLATFORM.connector(
        settings=account.Settings(instance=source.address),
        credential=credential,
        http=source.door.for_source(),
        save_credential=stored,
    )
    return connector, stored
