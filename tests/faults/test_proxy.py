"""The fault proxy does to a connection what its script says, and to no other one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.connectors.raw_servers import Reader, Writer, raw_server
from tests.faults.proxy import (
    Proxy,
    black_hole,
    cut,
    drip,
    half_open,
    late,
    proxy,
    reset,
    saying,
)

ANSWER = b"0123456789" * 10
SOON = 0.2  # seconds in which loopback brings whatever comes at all


async def _answering(reader: Reader, writer: Writer) -> None:
    while await reader.readline():
        writer.write(ANSWER)
        await writer.drain()


@pytest.fixture
async def between() -> AsyncIterator[Proxy]:
    async with raw_server(_answering) as base, proxy(base) as made:
        yield made


async def ask(between: Proxy, question: bytes = b"?\n") -> tuple[Reader, Writer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(between.base.split(":")[-1]))
    writer.write(question)
    return reader, writer


async def test_without_a_script_everything_passes_both_ways_and_again(between: Proxy) -> None:
    reader, writer = await ask(between)
    assert await reader.readexactly(len(ANSWER)) == ANSWER
    writer.write(b"?\n")
    assert await reader.readexactly(len(ANSWER)) == ANSWER
    assert between.connections == 1
    writer.close()


async def test_late_keeps_the_answer_back(between: Proxy) -> None:
    await between.behave(late(SOON))
    started = asyncio.get_running_loop().time()
    reader, writer = await ask(between)
    assert await reader.readexactly(len(ANSWER)) == ANSWER
    assert asyncio.get_running_loop().time() - started >= SOON
    writer.close()


async def test_cut_ends_after_so_many_bytes(between: Proxy) -> None:
    await between.behave(cut(7))
    reader, writer = await ask(between)
    assert await reader.read() == ANSWER[:7]
    writer.close()


async def test_reset_ends_with_an_error(between: Proxy) -> None:
    await between.behave(reset(0))
    reader, writer = await ask(between)
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_drip_brings_one_byte_after_the_other(between: Proxy) -> None:
    await between.behave(drip(0.005))
    reader, writer = await ask(between)
    assert len(await reader.read(len(ANSWER))) < len(ANSWER)
    assert len(await reader.readexactly(20)) == 20
    writer.close()


async def test_half_open_falls_silent_without_an_end(between: Proxy) -> None:
    await between.behave(half_open(7))
    reader, writer = await ask(between)
    assert await reader.readexactly(7) == ANSWER[:7]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), SOON)
    writer.close()


async def test_a_black_hole_takes_everything_and_says_nothing(between: Proxy) -> None:
    await between.behave(black_hole)
    reader, writer = await ask(between, b"?\n" * 10_000)
    await writer.drain()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), SOON)
    writer.close()


async def test_saying_answers_in_the_place_of_the_server(between: Proxy) -> None:
    await between.behave(saying(b"nonsense"))
    reader, writer = await ask(between, b"GET / HTTP/1.1\r\n\r\n")
    assert await reader.read() == b"nonsense"
    writer.close()


async def test_a_script_is_for_one_connection_each_then_for_none(between: Proxy) -> None:
    await between.behave(cut(1), cut(2))
    for expected in (ANSWER[:1], ANSWER[:2], ANSWER):
        reader, writer = await ask(between)
        assert await reader.readexactly(len(expected)) == expected
        writer.close()


async def test_a_new_script_ends_connections_of_the_old_one(between: Proxy) -> None:
    reader, writer = await ask(between)
    await reader.readexactly(len(ANSWER))
    await between.behave(usual=cut(3))
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
    reader, writer = await ask(between)
    assert await reader.read() == ANSWER[:3]
    writer.close()
