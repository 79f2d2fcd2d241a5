"""Secrets stay out of what people read."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.connectors.redaction import redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /a?access_token=abc&x=1", "GET /a?access_token=[hidden]&x=1"),
        ("/a?x=1&API_KEY=abc#top", "/a?x=1&API_KEY=[hidden]#top"),
        ("/a?client_secret=a;b", "/a?client_secret=[hidden];b"),
        ("https://user:pass@a.example/", "https://[hidden]@a.example/"),
        ("Authorization: Bearer abc", "Authorization: [hidden]"),
        ("set-cookie: a=b; Path=/\nnext", "set-cookie: [hidden]\nnext"),
        ("sent Bearer abcdefghijklmnop.q", "sent Bearer [hidden]"),
        ("no basic authentication, token expired", "no basic authentication, token expired"),
        ("a.example answered 401.", "a.example answered 401."),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, shown: str) -> None:
    assert redacted(text) == shown


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(min_size=4), st.text(), st.text())
def test_a_known_secret_is_hidden_in_every_form(secret: str, before: str, after: str) -> None:
    raw = secret.encode()
    for form in (
        *(secret, quote(secret), quote(secret, safe=""), quote_plus(secret)),
        *(b64encode(raw).decode(), urlsafe_b64encode(raw).decode()),
    ):
        assert form not in redacted(f"{before} {form} {after}", [secret]) or form in "[hidden]"


def test_a_word_too_short_to_be_a_secret_garbles_nothing() -> None:
    assert redacted("an answer", ["an", ""]) == "an answer"
