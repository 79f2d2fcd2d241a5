"""The wire of OAuth as a client sees it: where a person is sent, and what comes back.

RFC 6749 4.1, RFC 7636 (PKCE), RFC 9207 (`iss`). Addresses and challenges are made by Authlib.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from app.connectors.oauth import Client, Endpoints, OAuth
from app.team.tokens import Random

SECRET_BYTES = 32
"""Of a state and of a verifier: 43 characters each, the shortest verifier that RFC 7636 allows."""
LONGEST = 4096
"""Characters of one value that comes back; the longest code seen has 2,000 (Google allows 256
bytes, LinkedIn 1,000 characters).
"""


class BadReturn(Exception):
    """What came back is not what a platform sends."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What the platform sent a person back with."""

    state: str
    code: str = field(default="", repr=False)
    error: str = ""
    issuer: str = ""


def new_secret(random: Random) -> str:
    return urlsafe_b64encode(random(SECRET_BYTES)).rstrip(b"=").decode("ascii")


def address_of(
    oauth: OAuth,
    endpoints: Endpoints,
    client: Client,
    *,
    scopes: Sequence[str],
    redirect_uri: str,
    state: str,
    verifier: str,
) -> str:
    """Where a person is sent to allow it."""
    params = [
        ("response_type", "code"),
        (oauth.client_field, client.id),
        ("redirect_uri", redirect_uri),
        ("state", state),
    ]
    if scopes:
        params.append(("scope", oauth.scope_separator.join(scopes)))
    if oauth.pkce:
        challenge = create_s256_code_challenge(verifier)  # type: ignore[no-untyped-call]  # no types
        params += [("code_challenge", challenge), ("code_challenge_method", "S256")]
    params += oauth.extra.items()
    return str(add_params_to_uri(endpoints.authorize, params))


def read_return(params: Sequence[tuple[str, str]]) -> Returned:
    """The query of the redirection. Raises `BadReturn`; what we don't know is passed over."""
    found: dict[str, str] = {}
    for name, value in params:
        if name not in {"state", "code", "error", "iss"}:
            continue
        if name in found or len(value) > LONGEST:
            raise BadReturn  # RFC 6749 3.1: no parameter more than once
        found[name] = value
    if not found.get("state") or not (found.get("code") or found.get("error")):
        raise BadReturn
    return Returned(
        found["state"], found.get("code", ""), found.get("error", ""), found.get("iss", "")
    )


def is_of(issuer: str, endpoints: Endpoints) -> bool:
    """Whether an `iss` that came back is the one that was asked: to the letter where the platform
    tells its name, else by scheme, host and port.
    """
    if endpoints.issuer:
        return issuer == endpoints.issuer
    return origin_of(issuer) == origin_of(endpoints.authorize)


def origin_of(url: str) -> str:
    """Scheme, host and port of an absolute URL, lower case; "" of what is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname and port else ""
