"""What goes over the wire of OAuth, without a wire."""

from __future__ import annotations

import base64
import hashlib
import os
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.connecting.protocol import (
    BadReturn,
    Returned,
    address_of,
    is_of,
    new_secret,
    read_return,
)
from app.connectors.oauth import Client, Endpoints, OAuth

ENDPOINTS = Endpoints("https://p.example/authorize?lang=en", "https://p.example/token")


def address(**changes: Any) -> dict[str, str]:
    given: dict[str, Any] = {"scopes": ("a", "b"), "endpoints": None, "accounts": None, **changes}
    told = address_of(
        OAuth(**given),
        ENDPOINTS,
        Client("app id", "never sent"),
        scopes=given["scopes"],
        redirect_uri="https://inbox.example/connect/x/callback",
        state="s" * 43,
        verifier="v" * 43,
    )
    assert told.startswith("https://p.example/authorize?lang=en&response_type=code&")
    assert "never" not in told
    sent = parse_qsl(urlsplit(told).query, strict_parsing=True)
    assert len(dict(sent)) == len(sent)
    return dict(sent)


def test_a_person_is_sent_with_everything_that_is_needed() -> None:
    digest = hashlib.sha256(b"v" * 43).digest()
    assert address() == {
        "lang": "en",
        "response_type": "code",
        "client_id": "app id",
        "redirect_uri": "https://inbox.example/connect/x/callback",
        "state": "s" * 43,
        "scope": "a b",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }


def test_platforms_have_words_of_their_own() -> None:
    told = address(
        client_field="client_key", scope_separator=",", pkce=False, extra={"access_type": "offline"}
    )
    assert (told["client_key"], told["scope"], told["access_type"]) == ("app id", "a,b", "offline")
    assert not {"client_id", "code_challenge", "code_challenge_method"} & told.keys()
    assert "scope" not in address(scopes=())


def test_secrets_are_long_enough_for_a_verifier() -> None:
    made = {new_secret(os.urandom) for _ in range(100)}
    assert len(made) == 100
    assert {len(each) for each in made} == {43}


def test_what_comes_back_is_read() -> None:
    known = [
        ("state", "s"),
        ("code", "c"),
        ("iss", "https://p.example"),
        ("scope", "a"),
        ("x", "1"),
    ]
    assert read_return(known) == Returned("s", "c", "", "https://p.example")
    assert read_return([("state", "s"), ("error", "access_denied")]).error == "access_denied"
    assert "c" not in repr(read_return([("state", "s"), ("code", "cccc")])).replace("Returned", "")


@pytest.mark.parametrize(
    "params",
    [
        [],
        [("state", "s")],
        [("code", "c")],
        [("state", ""), ("code", "c")],
        [("state", "s"), ("code", "c"), ("code", "c")],
        [("state", "s"), ("code", "c"), ("iss", "a"), ("iss", "b")],
        [("state", "s" * 4097), ("code", "c")],
    ],
)
def test_what_no_platform_sends_is_refused(params: list[tuple[str, str]]) -> None:
    with pytest.raises(BadReturn):
        read_return(params)


@pytest.mark.parametrize(
    ("issuer", "told", "same"),
    [
        ("https://p.example", "", True),
        ("https://p.example/", "", True),
        ("https://P.example:443/tenant", "", True),
        ("http://p.example", "", False),
        ("https://p.example.evil.example", "", False),
        ("https://p.example:8443", "", False),
        ("p.example", "", False),
        ("", "", False),
        ("https://[", "", False),
        ("https://issuer.example/1", "https://issuer.example/1", True),
        ("https://issuer.example/1/", "https://issuer.example/1", False),
        ("https://p.example", "https://issuer.example/1", False),
    ],
)
def test_another_issuer_is_told_from_the_one_that_was_asked(
    issuer: str, told: str, *, same: bool
) -> None:
    asked = Endpoints(ENDPOINTS.authorize, ENDPOINTS.token, told)
    assert is_of(issuer, asked) is same
