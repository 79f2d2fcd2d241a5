"""Signatures of Standard Webhooks 1.0: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence

from app.team.tokens import Random

PREFIX = "whsec_"
SECRET_BYTES = 32  # the specification asks for 24 to 64


def new_secret(random: Random) -> str:
    """`whsec_` and base64, as every library of the standard takes it."""
    return PREFIX + b64encode(random(SECRET_BYTES)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,<base64>`. `timestamp` in Unix seconds of this very attempt."""
    key = b64decode(secret.removeprefix(PREFIX))
    signed = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    return "v1," + b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def headers_of(
    secrets: Sequence[str], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """What goes with the body. While a secret is being replaced, both sign."""
    signatures = (sign(secret, message_id, timestamp, body) for secret in secrets)
    return {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
