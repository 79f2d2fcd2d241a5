"""Verdicts on deliveries that were tampered with: ours, the standard's library's, and Node's."""

from __future__ import annotations

import base64
import hmac
import re
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.clock import SystemClock
from app.outbox.webhooks.signing import headers_of, new_secret
from tests.outbox.test_verifying import NODE, PAGE, verified_by_node

BODY = b'{"specversion":"1.0","type":"item.created"}'
ID = "evt_01"
MINUTE = 60


def counting(start: int) -> Any:
    """A source of bytes that are the same in each run."""
    return lambda count: bytes((start + n) % 256 for n in range(count))


FORMER, PRESENT, FOREIGN = (new_secret(counting(start)) for start in (0, 100, 200))


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def cases(now: int) -> list[tuple[bool, str, dict[str, str], bytes]]:
    """What is right, the secret that is asked, the headers and the body that come."""
    good = headers_of([FORMER, PRESENT], ID, now, BODY)
    one = headers_of([FORMER], ID, now, BODY)
    signature = one["webhook-signature"]
    mac = base64.b64decode(signature.removeprefix("v1,"))
    found = [
        *((True, secret, good, BODY) for secret in (FORMER, PRESENT)),
        *((True, FORMER, one, BODY) for _ in range(2)),  # a replay is right: its id tells it
        *((False, secret, one, BODY) for secret in (PRESENT, FOREIGN)),
        *((False, FORMER, one, flipped(BODY, bit)) for bit in range(len(BODY) * 8)),
        *((False, FORMER, one, changed) for changed in (b"", BODY + b"\n", BODY[:-1], BODY * 2)),
        *(
            (False, FORMER, {**one, "webhook-signature": "v1," + _coded(flipped(mac, bit))}, BODY)
            for bit in range(len(mac) * 8)
        ),
        *(
            (False, FORMER, {**one, "webhook-signature": wrong}, BODY)
            for wrong in (
                "",
                "v1,",
                "v1",
                signature[3:],
                f"v2,{signature[3:]}",
                "v1,AAAA",
                ",",
                " ",
            )
        ),
        *(
            (False, FORMER, {**one, "webhook-id": wrong}, BODY)
            for wrong in ("evt_02", "evt_0", "evt_01 ", "EVT_01", f"{ID}.{now}")
        ),
        *(
            (False, FORMER, {**one, "webhook-timestamp": str(wrong)}, BODY)
            for wrong in (now + 1, now - 1, f"{now}0", "soon", "-1", "1e9")
        ),
    ]
    for seconds, right in ((-6, False), (6, False), (-4, True), (4, True)):
        headers = headers_of([FORMER], ID, now + seconds * MINUTE, BODY)
        found.append((right, FORMER, headers, BODY))
    unset = {**one, "webhook-signature": forged(now)}
    return [*found, *((False, secret, unset, BODY) for secret in ("", "whsec_"))]


def forged(now: int) -> str:
    """What anybody can sign for a receiver without a secret."""
    return "v1," + _coded(hmac.digest(b"", b"%b.%d.%b" % (ID.encode(), now, BODY), "sha256"))


def _coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def by_the_library(secret: str, headers: dict[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, headers)
    except (WebhookVerificationError, ValueError):
        return False
    return True


def of_the_page() -> Any:
    """The function in Python that the page gives to receivers."""
    text = PAGE.read_text("utf-8")
    (block,) = re.findall(r"^```python\n(import base64.*?)^```$", text, re.MULTILINE | re.DOTALL)
    found: dict[str, Any] = {}
    exec(block, found)  # it is ours
    return found["verify"]


def test_whatever_was_changed_on_the_way_is_refused() -> None:
    now = int(SystemClock().now().timestamp())
    ask = of_the_page()
    table = cases(now)
    assert len(table) > 600
    for right, secret, headers, body in table:
        told = (secret, headers, body[:60])
        assert ask(secret, headers, body) is right, told
        if secret not in {"", "whsec_"}:  # the library refuses to begin without one
            assert by_the_library(secret, headers, body) is right, told


@pytest.mark.skipif(NODE is None, reason="there is no `node` on this machine")
def test_node_refuses_the_same() -> None:
    table = cases(int(SystemClock().now().timestamp()))
    asked = [
        {"secret": secret, "headers": headers, "body": _coded(body)}
        for _, secret, headers, body in table
    ]
    assert verified_by_node(asked) == [right for right, *_ in table]
