"""From a row to a connector: settings read back, the credential unsealed, the door handed in."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from pydantic import SecretStr, ValidationError
from sqlalchemy import Row

from app.clock import Clock
from app.connectors.asking import Http
from app.connectors.base import Connector, Fields, Platform, SaveCredential
from app.connectors.budget import Budget
from app.connectors.registry import PLATFORMS
from app.db import Database
from app.errors import FieldError, InvalidRequest
from app.sources.renewing import StoredCredential
from app.team.secrets import Keyring, Place
from app.team.tokens import Random

SHORTEST_SECRET = 4  # shorter texts would be blotted out of innocent words


class Doors(Protocol):
    """The one door out, from which each source gets its own."""

    def for_source(self, *, budget: Budget | None = None, secrets: Sequence[str] = ()) -> Http: ...


def place_of(source_id: int) -> Place:
    """The place a credential is sealed for."""
    return Place("source", source_id, "credential")


def platform_named(name: str) -> Platform:
    """A registered platform, or a refusal that lists those there are."""
    found = PLATFORMS.get(name)
    if found is None:
        known = ", ".join(sorted(p.name for p in PLATFORMS.values() if not p.hidden))
        detail = f"{name!r} is not a platform we know. There are: {known}."
        raise InvalidRequest(detail, errors=[FieldError("/platform", "unknown", detail)])
    return found


def _problems(error: ValidationError, prefix: str) -> list[FieldError]:
    found = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        pointer = "/".join([prefix, *(str(part) for part in problem["loc"])])
        told = problem["msg"].removeprefix("Value error, ")
        found.append(FieldError(pointer, problem["type"], told))
    return found


def read_settings(platform: Platform, settings: Mapping[str, Any]) -> Any:
    """The settings as the platform's model, or `InvalidRequest` naming each wrong field."""
    return read_settings_as(platform.settings, platform, settings)


def read_settings_as(model: type[Fields], platform: Platform, settings: Mapping[str, Any]) -> Any:
    """The same as another model of that platform's settings."""
    try:
        return model.model_validate(dict(settings))
    except ValidationError as error:
        raise InvalidRequest(
            f"The settings don't fit {platform.title}. See its fields with GET /api/v1/platforms.",
            errors=_problems(error, "/settings"),
        ) from None


def read_credential(platform: Platform, credential: Mapping[str, Any] | None) -> Any:
    """The credential as the platform's model (`None` where none is given and none is needed)."""
    if platform.credential is None:
        if credential:
            detail = f"{platform.title} is read without a credential; leave it out."
            raise InvalidRequest(detail, errors=[FieldError("/credential", "unexpected", detail)])
        return None
    if not credential:
        if platform.credential_required:
            detail = f"{platform.title} needs a credential."
            raise InvalidRequest(detail, errors=[FieldError("/credential", "missing", detail)])
        return None
    try:
        return platform.credential.model_validate(dict(credential))
    except ValidationError as error:
        # Pydantic's own texts could quote the secret: only our pointers and codes go out.
        raise InvalidRequest(
            f"The credential does not fit {platform.title}.",
            errors=[
                FieldError(found.pointer, found.code, "This field is missing, unknown or malformed")
                for found in _problems(error, "/credential")
            ],
        ) from None


def secrets_in(credential: Any) -> tuple[str, ...]:
    """Every text of a credential, so that none of them can slip into a message."""
    if credential is None:
        return ()
    texts = (value for value in _plain(credential).values() if isinstance(value, str))
    return tuple(text for text in texts if len(text) >= SHORTEST_SECRET)


def _plain(credential: Any) -> dict[str, Any]:
    plain = dict(credential)
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in plain.items()
        if value is not None
    }


@dataclass(frozen=True, slots=True)
class Connecting:
    """Builds connectors; holds what all of them share."""

    db: Database
    door: Doors
    keyring: Keyring
    clock: Clock
    random: Random = os.urandom

    def seal(self, source_id: int, credential: Any) -> str | None:
        """The credential in its stored form."""
        if credential is None:
            return None
        plain = msgspec.json.encode(_plain(credential))
        return self.keyring.seal(plain, place_of(source_id), self.random)

    def unseal(self, row: Row[Any]) -> dict[str, Any] | None:
        """The stored credential as plain fields; never leaves the process."""
        if row.credential is None:
            return None
        return self._opened(row.id, row.credential)

    def _opened(self, source_id: int, sealed: str) -> dict[str, Any]:
        opened: dict[str, Any] = msgspec.json.decode(self.keyring.open(sealed, place_of(source_id)))
        return opened

    def connector_of(self, row: Row[Any], budget: Budget | None = None) -> Connector:
        """The connector of a stored source. `budget` bounds and counts its requests."""
        platform = platform_named(row.platform)
        credential = read_credential(platform, self.unseal(row))
        settings = read_settings(platform, row.settings)
        return self.connector(platform, settings, credential, self.stored(row), budget)

    def stored(self, row: Row[Any]) -> StoredCredential:
        """The credential of a stored source, as something that can be renewed."""
        platform, source_id = platform_named(row.platform), int(row.id)
        return StoredCredential(
            self.db,
            self.clock,
            source_id,
            row.credential,
            seal=lambda new: self.seal(source_id, read_credential(platform, new)),
            unseal=lambda sealed: self._opened(source_id, sealed),
        )

    def connector(
        self,
        platform: Platform,
        settings: Any,
        credential: Any,
        save_credential: SaveCredential,
        budget: Budget | None = None,
    ) -> Connector:
        return platform.connector(
            settings=settings,
            credential=credential,
            http=self.door.for_source(budget=budget, secrets=secrets_in(credential)),
            save_credential=save_credential,
        )
