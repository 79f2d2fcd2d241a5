"""The door out against servers that drip, cut, flood and lie, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.clock import FrozenClock
from app.connectors.failures import BadResponse, ConnectorError, Transient
from app.connectors.http import Budget, BudgetSpent, Door, SourceHttp
from tests.connectors.raw_servers import (
    Handler,
    Reader,
    Writer,
    answer,
    asked,
    failing,
    in_turn,
    raw_server,
    repeating,
    resetting,
    saying,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CAP = 10 * 2**20
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door(
        allow=["127.0.0.0/8"], clock=FrozenClock(NOW), user_agent="unanswered/test", deadline=5
    )
    yield door
    await door.aclose()


@pytest.fixture
def http(door: Door) -> SourceHttp:
    return door.for_source()


GZIPPED = gzip.compress(b'{"a": 1}', mtime=0)
CUT = [
    b"",
    b"HTTP/1.1 200 O",
    OK + b"content-length: 100\r\n\r\n{",
    OK + b"transfer-encoding: chunked\r\n\r\n5\r\n{}",
    OK + b"content-encoding: gzip\r\n\r\n" + GZIPPED[:-3],
]


@pytest.mark.parametrize("said", CUT)
async def test_an_answer_that_is_cut_off_is_asked_for_again(http: SourceHttp, said: bytes) -> None:
    assert type(await failing(http, saying(said))) is Transient
    assert type(await failing(http, resetting(said))) is Transient


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x-flood: " + b"a" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
async def test_what_is_no_http_is_a_bad_response(http: SourceHttp, said: bytes) -> None:
    assert type(await failing(http, saying(said))) is BadResponse


async def test_a_closed_port_is_a_passing_failure(http: SourceHttp) -> None:
    async with raw_server(saying(b"")) as base:
        pass
    with pytest.raises(Transient, match="could not be reached"):
        await http.request("GET", base)


@pytest.mark.parametrize(
    "handle",
    [
        repeating(OK + b"content-length: 100000\r\n\r\n", b"x", pause=0.02),
        repeating(OK, b"x", pause=0.02),
        repeating(b"", b"", pause=0.02),
        repeating(OK + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n", pause=0.02),
    ],
    ids=["body", "header", "silence", "chunks"],
)
async def test_a_slow_drip_meets_the_deadline(door: Door, handle: Handler) -> None:
    door.deadline = 0.3
    caught = await failing(door.for_source(), handle)
    assert isinstance(caught, Transient)
    assert "0.3 seconds" in caught.detail
    assert await asked(door.for_source(), saying(answer(200))) == {}


async def test_one_request_may_have_its_own_deadline(http: SourceHttp) -> None:
    async with raw_server(repeating(b"", b"", pause=0.02)) as base:
        with pytest.raises(Transient, match=r"0\.1 seconds"):
            await http.request("GET", base, deadline=0.1)


async def test_a_host_that_stays_silent_is_waited_for_less_and_less(door: Door) -> None:
    door.deadline = 2
    http, silent = door.for_source(budget=Budget(20, CAP)), repeating(b"", b"", pause=0.02)
    assert "within 2 seconds" in (await failing(http, silent)).detail
    assert "within 1 seconds" in (await failing(http, silent)).detail
    assert "within 1 seconds" in (await failing(http, silent)).detail, "nor for less than that"
    assert await asked(http, saying(answer(200))) == {}
    assert "within 2 seconds" in (await failing(http, silent)).detail
    await failing(http, saying(answer(404)))
    assert "within 2 seconds" in (await failing(http, silent)).detail, "a refusal is an answer"
    other = door.for_source(budget=Budget(20, CAP))
    assert "within 2 seconds" in (await failing(other, silent)).detail, "the next poll's"


async def test_a_poll_asks_for_its_seconds_and_the_next_goes_on(door: Door) -> None:
    """However many requests it would make, and whether the host answers now and then or never."""
    door.deadline, budget = 0.2, Budget(99, CAP, seconds=0.5)
    http, silent = door.for_source(budget=budget), repeating(b"", b"", pause=0.02)
    assert await asked(http, saying(answer(200))) == {}
    told: list[ConnectorError] = []
    for _ in range(20):
        with pytest.raises(ConnectorError) as caught:
            await asked(http, silent)
        told.append(caught.value)
    in_time = budget.requests_used - 1
    assert 1 <= in_time <= 3
    assert {type(each) for each in told[:in_time]} == {Transient}
    assert {str(each) for each in told[in_time:]} == {"This poll has taken its 0.5 seconds."}
    budget.begin()
    assert await asked(http, saying(answer(200))) == {}
    assert budget.requests_used == 1


async def test_no_request_outlasts_its_poll(door: Door) -> None:
    door.deadline = 0.5
    http = door.for_source(budget=Budget(99, CAP, seconds=0.7))
    silent = repeating(b"", b"", pause=0.02)
    assert "within 0.5 seconds" in (await failing(http, silent)).detail
    with pytest.raises(BudgetSpent):  # it could not end in time
        await asked(http, silent)


async def test_a_new_poll_waits_for_a_silent_host_as_usual(door: Door) -> None:
    door.deadline, budget = 2, Budget(99, CAP)
    http, silent = door.for_source(budget=budget), repeating(b"", b"", pause=0.02)
    assert "within 2 seconds" in (await failing(http, silent)).detail
    assert "within 1 seconds" in (await failing(http, silent)).detail
    budget.begin()
    assert "within 2 seconds" in (await failing(http, silent)).detail


@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_a_host_has_few_turns_for_large_answers(door: Door, encoding: str) -> None:
    # More than the buffers of two sockets hold.
    http, body = door.for_source(), b"x" * 14 * 2**20
    door.response_cap = len(body) + 2**16
    sent = gzip.compress(body, 0) if encoding else body
    head = answer(200, f"content-encoding: {encoding}" if encoding else "x: y", body=sent)
    arrived, release = [0], asyncio.Event()

    async def handle(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head[:-1])
        await writer.drain()
        arrived[0] += 1
        await release.wait()
        writer.write(head[-1:])

    async with raw_server(handle) as base:
        requests = [asyncio.create_task(http.request("GET", base)) for _ in range(6)]
        try:
            async with asyncio.timeout(5):
                while arrived[0] < 2:  # noqa: ASYNC110  # the other side makes it true
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            assert arrived == [2], "the others' bytes stay on their way"
        finally:
            release.set()
        for done in await asyncio.gather(*requests):
            assert done.content == body


async def test_a_wrong_length_does_no_harm_to_the_next_request(http: SourceHttp) -> None:
    short = OK + b'content-length: 5\r\n\r\n{"a": 1}'
    async with raw_server(in_turn(short, answer(200), answer(200))) as base:
        with pytest.raises(BadResponse, match="no JSON"):
            (await http.request("GET", base)).json()
        with pytest.raises(BadResponse):
            await http.request("GET", base)
        assert (await http.request("GET", base)).json() == {}


# Size


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "bare deflate", "identity"])
async def test_one_content_encoding_is_taken_off(http: SourceHttp, encoding: str) -> None:
    said_inside = {"numbers": list(range(9_000))}
    plain = json.dumps(said_inside).encode()
    bare = zlib.compressobj(wbits=-15)
    coded = {
        "deflate": zlib.compress(plain),
        "bare deflate": bare.compress(plain) + bare.flush(),
        "identity": plain,
    }.get(encoding, gzip.compress(plain, mtime=0))
    said = answer(200, f"content-encoding: {encoding.rpartition(' ')[2]}", body=coded)
    pieces = saying(*(said[at : at + 999] for at in range(0, len(said), 999)))
    assert await asked(http, pieces) == said_inside


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip, gzip", gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0)),
        ("gzip, deflate", b"{}"),
        ("br", b"{}"),
        ("zstd", b"{}"),
        ("gzip", b"{}"),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"garbage"),
        ("gzip", gzip.compress(b"{}", mtime=0) + gzip.compress(b"{}", mtime=0)),
        ("deflate", b"\xff\xff"),
    ],
)
async def test_other_encodings_are_refused(http: SourceHttp, encoding: str, body: bytes) -> None:
    caught = await failing(http, saying(answer(200, f"content-encoding: {encoding}", body=body)))
    assert type(caught) is BadResponse


EMPTY_BLOCKS = b"\x00\x00\x00\xff\xff" * 9999  # deflate that decodes to nothing, for ever


def bomb(wbits: int) -> bytes:
    """Decodes to 1 GiB: one compressed MiB of zeros, repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    start = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + block * 1024


def forget_the_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def megabytes_held(peak: str) -> float:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(peak):
            return int(line.split()[1]) / 1024
    raise AssertionError(peak)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory peak from /proc")
@pytest.mark.parametrize(
    "handle",
    [
        saying(answer(200, "content-encoding: gzip", body=bomb(31))),
        saying(answer(200, "content-encoding: deflate", body=bomb(15))),
        repeating(OK + b"content-encoding: gzip\r\n\r\n" + bomb(31)[:10], EMPTY_BLOCKS),
        repeating(OK + b"\r\n", b"[" * 65536),
        repeating(OK + b"content-length: 10737418240\r\n\r\n", b"1" * 65536),
        repeating(OK + b"transfer-encoding: chunked\r\n\r\n", b"10000\r\n%b\r\n" % (b"1" * 65536)),
    ],
    ids=["gzip", "deflate", "empty blocks", "endless", "ten GiB", "chunked"],
)
async def test_memory_stays_bounded_whatever_comes(http: SourceHttp, handle: Handler) -> None:
    await asked(http, saying(answer(200)))
    forget_the_peak()
    before = megabytes_held("VmRSS:")
    caught = await failing(http, handle)
    assert type(caught) is BadResponse
    assert f"more than {CAP} bytes" in caught.detail
    assert megabytes_held("VmHWM:") - before < 64


async def test_the_cap_counts_decoded_bytes_exactly(door: Door) -> None:
    door.response_cap = 1000
    for size, passes in ((1000, True), (1001, False)):
        body = b'"' + b"x" * (size - 2) + b'"'
        for said in (
            answer(200, body=body),
            answer(200, "content-encoding: gzip", body=gzip.compress(body, mtime=0)),
        ):
            if passes:
                assert len(await asked(door.for_source(), saying(said))) == size - 2
            else:
                assert type(await failing(door.for_source(), saying(said))) is BadResponse
