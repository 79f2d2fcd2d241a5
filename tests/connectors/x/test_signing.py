"""Requests signed by a user's token of OAuth 1.0a, checked as RFC 5849 (3.4) says, by hand."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

import pytest
from pydantic import ValidationError

from app.connectors.platforms.x import PLATFORM, SHORT_LIFE
from app.connectors.x.account import Credential
from app.connectors.x.signing import signer_of
from tests.connectors.playing import load
from tests.connectors.reading import on_stage

USER = {
    "access_token": "2244994945-token-of-the-test",
    "token_secret": "secret-of-the-token",
    "api_key": "key-of-the-app",
    "api_secret": "secret-of-the-key",
}


def escaped(text: str) -> str:
    return quote(text, safe="-._~")


def said(header: str) -> dict[str, str]:
    """The parameters of an `Authorization: OAuth` header."""
    assert header.startswith("OAuth ")
    return {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}


def signature(url: str, params: Sequence[tuple[str, str]], told: Mapping[str, str]) -> str:
    """HMAC-SHA1 over method, address and all parameters, sorted."""
    every = [*params, *((k, v) for k, v in told.items() if k != "oauth_signature")]
    pairs = sorted((escaped(name), escaped(value)) for name, value in every)
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join(("GET", escaped(url), escaped(joined)))
    key = f"{escaped(USER['api_secret'])}&{escaped(USER['token_secret'])}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()


@pytest.mark.parametrize(
    "params",
    [
        (),
        (("max_results", "100"), ("tweet.fields", "author_id,created_at")),
        (("query", "conversation_id:1 @a b&c=d/ü"), ("a", ""), ("a", "2")),
    ],
)
def test_a_request_is_signed(params: Sequence[tuple[str, str]]) -> None:
    url = "https://api.x.com/2/users/1/mentions"
    told = said(signer_of(Credential(**USER))("", url, params)["Authorization"])
    assert (told["oauth_token"], told["oauth_consumer_key"]) == (
        USER["access_token"],
        USER["api_key"],
    )
    assert told["oauth_signature"] == signature(url, params, told)


def test_no_two_requests_are_signed_alike() -> None:
    sign = signer_of(Credential(**USER))
    nonces = {said(sign("", "https://api.x.com/2", ())["Authorization"])["oauth_nonce"]
              for _ in range(20)}  # fmt: skip
    assert len(nonces) == 20


def test_a_token_without_a_secret_is_a_bearers() -> None:
    sign = signer_of(Credential(access_token="t"))
    assert sign("t", "https://api.x.com/2", ()) == {"Authorization": "Bearer t"}


async def test_x_is_read_with_signed_requests_that_arrive_as_signed() -> None:
    async with on_stage(PLATFORM, copy.deepcopy(load("x"))) as source:
        connector = source.connector(credential=USER)
        check = await connector.check()
        await connector.fetch_page("mentions", None)
        assert check.identity is not None
        assert SHORT_LIFE not in check.warnings, "it lasts until it is revoked"
        for _, path, query, headers in source.stage.player.requests:
            told = said(headers["authorization"])
            params = [(name, value) for name, values in query.items() for value in values]
            assert told["oauth_signature"] == signature(source.address + path, params, told)
            assert not {"secret-of-the-token", "secret-of-the-key"} & {*told.values()}


@pytest.mark.parametrize("left_out", ["token_secret", "api_key", "api_secret"])
def test_what_signs_is_given_as_a_whole(left_out: str) -> None:
    given: dict[str, Any] = {name: text for name, text in USER.items() if name != left_out}
    with pytest.raises(ValidationError, match="together"):
        Credential(**given)
