"""One attempt: a signed request through the door out, and what its answer means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

from app.clock import Clock, monotonic
from app.connectors.egress import Target
from app.connectors.failures import BadResponse, ConnectorError
from app.connectors.http import AddressRefused, SourceHttp
from app.errors import FieldError, InvalidRequest
from app.outbox.webhooks.signing import headers_of

DEADLINE_SECONDS = 15.0
UNREACHABLE = "unreachable"
"""The code of an attempt that no answer came to."""
_ANY_STATUS = range(100, 600)


class Out(Protocol):
    """The door out, as far as webhooks need it."""

    def check_url(self, url: str) -> Target: ...
    def for_source(self, *, secrets: Sequence[str] = ()) -> SourceHttp: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `error` is a code and a sentence, `None` after a success. No part of
    the receiver's body is in it. `asked`: when the receiver wants to be asked again.
    """

    status: int | None
    error: tuple[str, str] | None
    seconds: float
    asked: datetime | None = None

    @property
    def unreachable(self) -> bool:
        return self.error is not None and self.error[0] == UNREACHABLE

    @property
    def gone(self) -> bool:
        return self.status == HTTPStatus.GONE


@dataclass(frozen=True, slots=True, repr=False)
class Signed:
    """What is sent, and the secrets that sign it at the moment of sending."""

    secrets: Sequence[str]
    message_id: str
    body: bytes


def check_target(door: Out, url: str) -> None:
    """Refuses an address that may not be reached, before it is saved or used."""
    try:
        door.check_url(url)
    except AddressRefused as refusal:
        error = FieldError("/url", "address_refused", refusal.detail)
        raise InvalidRequest(refusal.detail, errors=[error]) from None


async def attempt(door: Out, clock: Clock, url: str, signed: Signed) -> Outcome:
    """Sends it once. No redirect is followed, and the body of the answer is not read."""
    timestamp = int(clock.now().timestamp())
    headers = headers_of(signed.secrets, signed.message_id, timestamp, signed.body)
    began = monotonic()
    try:
        answer = await door.for_source(secrets=signed.secrets).request(
            "POST", url, headers=headers, content=signed.body, expect=_ANY_STATUS
        )
    except ConnectorError as failure:
        return Outcome(None, (_code_of(failure), failure.detail), monotonic() - began)
    seconds = monotonic() - began
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(answer.status, None, seconds)
    asked = answer.rate_limit.retry_at
    return Outcome(answer.status, _refusal(answer.status), seconds, asked)


def _code_of(failure: ConnectorError) -> str:
    if isinstance(failure, AddressRefused):
        return "address_refused"
    return "bad_response" if isinstance(failure, BadResponse) else UNREACHABLE


def _refusal(status: int) -> tuple[str, str]:
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        told = f"The receiver redirects (status {status}); redirects are not followed."
        return "redirected", f"{told} Correct the address."
    if status == HTTPStatus.GONE:
        return "gone", "The receiver says that it is gone for good (status 410)."
    return "refused", f"The receiver answered with status {status}."
