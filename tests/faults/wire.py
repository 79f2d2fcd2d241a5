"""Faults below HTTP, made by the proxy, and those answers that no web framework would send."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from app.connectors.failures import BadResponse, ConnectorError, Transient
from tests.faults.proxy import (
    Behaviour,
    black_hole,
    cut,
    drip,
    half_open,
    late,
    reset,
    saying,
)

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
FOR_EVER = 3600.0
_BOMBED = gzip.compress(b"[" + b" " * 2**20 + b"]", mtime=0)


@dataclass(frozen=True, slots=True)
class WireFault:
    """`means` are the failures allowed to leave the connector; one that `hangs` ends only with our
    own deadline.
    """

    name: str
    behaviour: Behaviour
    means: tuple[type[ConnectorError], ...] = (Transient,)
    hangs: bool = False

    def __str__(self) -> str:
        return self.name


def whole(body: bytes, *headers: bytes) -> bytes:
    """An answer with its right length."""
    lines = [*headers, b"content-length: %d" % len(body), b"", b""]
    return HEAD + b"\r\n".join(lines) + body


_BAD = (BadResponse,)
_EITHER = (BadResponse, Transient)

WIRE_FAULTS = (
    WireFault("late beyond the deadline", late(FOR_EVER), hangs=True),
    WireFault("cut before the first byte", cut(0)),
    WireFault("cut in the headers", cut(30)),
    WireFault("reset at once", reset(0)),
    WireFault("reset in the headers", reset(30)),
    WireFault("drip", drip(FOR_EVER / 36_000), hangs=True),
    WireFault("black hole", black_hole, hangs=True),
    WireFault("half open before the answer", half_open(0), hangs=True),
    WireFault("half open in the headers", half_open(30), hangs=True),
    WireFault("no HTTP", saying(b"SSH-2.0-OpenSSH_9.2\r\n"), _EITHER),
    WireFault("shorter than it says", saying(HEAD + b"content-length: 100\r\n\r\n[]")),
    WireFault("chunk cut off", saying(HEAD + b"transfer-encoding: chunked\r\n\r\n9\r\n[]")),
    WireFault("chunk of nonsense", saying(HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n[]"),
              _EITHER),
    WireFault("two lengths", saying(HEAD + b"content-length: 2\r\ncontent-length: 9\r\n\r\n[]"),
              _EITHER),
    WireFault("flood of headers", saying(HEAD + b"x-flood: 1\r\n" * 20_000 + b"\r\n"), _EITHER),
    WireFault("compressed and cut", saying(whole(_BOMBED[:-9], b"content-encoding: gzip"))),
    WireFault("compressed and damaged",
              saying(whole(b"\x1f\x8b\x08" + b"\xff" * 60, b"content-encoding: gzip")), _BAD),
    WireFault("compressed in an unknown way", saying(whole(b"[]", b"content-encoding: br")), _BAD),
    WireFault("compressed twice", saying(whole(b"[]", b"content-encoding: gzip, gzip")), _BAD),
    WireFault("wrong charset", saying(whole("[{\u2018\u201d".encode("utf-16-le"))), _BAD),
    WireFault("only a part (206)",
              saying(b"HTTP/1.1 206 Partial\r\ncontent-length: 2\r\n\r\n[]"), _BAD),
    WireFault("not modified (304)", saying(b"HTTP/1.1 304 Not Modified\r\n\r\n"), _BAD),
    WireFault("not for legal reasons (451)",
              saying(b"HTTP/1.1 451 No\r\ncontent-length: 0\r\n\r\n"), _BAD),
)  # fmt: skip
