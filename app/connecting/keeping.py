"""What is sealed beside a way's row: the verifier before its return, then what was allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row

from app.connectors.oauth import Account, Client
from app.sources.connecting import Connecting
from app.team.secrets import Place


class Proof(msgspec.Struct, frozen=True):
    """What the token endpoint is shown beside the code, what the browser has that may come back,
    and where it is sent.
    """

    verifier: str
    secret: str
    browser: str = ""
    address: str = ""

    def client(self, row: Row[Any]) -> Client:
        return Client(row.client_id, self.secret)


class Opened(msgspec.Struct, frozen=True):
    """An account that a consent opened, as it is stored until one is chosen."""

    external_id: str
    handle: str
    name: str
    credential: dict[str, str]
    settings: dict[str, Any]


def seal_proof(connecting: Connecting, row_id: int, proof: Proof) -> str:
    return _sealed(connecting, row_id, msgspec.json.encode(proof))


def proof_of(connecting: Connecting, row: Row[Any]) -> Proof:
    return msgspec.json.decode(_opened(connecting, row), type=Proof)


def seal_accounts(connecting: Connecting, row_id: int, accounts: Sequence[Account]) -> str:
    kept = [
        Opened(each.external_id, each.handle, each.name, dict(each.credential), dict(each.settings))
        for each in accounts
    ]
    return seal_opened(connecting, row_id, kept)


def seal_opened(connecting: Connecting, row_id: int, opened: Sequence[Opened]) -> str:
    return _sealed(connecting, row_id, msgspec.json.encode(opened))


def accounts_of(connecting: Connecting, row: Row[Any]) -> list[Opened]:
    return msgspec.json.decode(_opened(connecting, row), type=list[Opened])


def _sealed(connecting: Connecting, row_id: int, plain: bytes) -> str:
    return connecting.keyring.seal(plain, _place(row_id), connecting.random)


def _opened(connecting: Connecting, row: Row[Any]) -> bytes:
    return connecting.keyring.open(row.sealed or "", _place(row.id))


def _place(row_id: int) -> Place:
    return Place("connection", row_id, "sealed")
