"""Content encodings, taken off within bounds, however the bytes are cut."""

from __future__ import annotations

import contextlib
import gzip
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.connectors.decoding import Body
from app.connectors.failures import BadResponse, Transient

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def decoded(content: bytes, encoding: str, *, step: int = 10, cap: int = 10_000) -> bytes:
    body = Body(host="a.example", encoding=encoding, cap=cap)
    chunks = (content[at : at + step] for at in range(0, len(content), step))
    count = sum(more for chunk in chunks for more in body.feed(chunk))
    whole = body.finish()
    assert count == len(whole)
    return whole


def bare(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


@PATIENT
@given(st.binary(max_size=3000), st.integers(1, 200))
def test_every_form_comes_back_whatever_the_chunks(content: bytes, step: int) -> None:
    assert decoded(content, "", step=step) == content
    assert decoded(content, "identity", step=step) == content
    assert decoded(gzip.compress(content), "gzip", step=step) == content
    assert decoded(gzip.compress(content), "X-GZip, identity", step=step) == content
    assert decoded(zlib.compress(content), "deflate", step=step) == content
    assert decoded(bare(content), "deflate", step=step) == content


@PATIENT
@given(st.binary(max_size=500), st.sampled_from(["", "gzip", "deflate"]), st.integers(1, 100))
def test_any_bytes_are_decoded_or_refused(content: bytes, encoding: str, step: int) -> None:
    with contextlib.suppress(BadResponse, Transient):
        assert len(decoded(content, encoding, step=step, cap=400)) <= 400


@pytest.mark.parametrize("keep", [1, 9, 10, 15, -1, -8])
def test_a_cut_body_is_not_taken_for_a_whole_one(keep: int) -> None:
    with pytest.raises(Transient, match="cut"):
        decoded(gzip.compress(b"x" * 1000)[:keep], "gzip")


def test_nothing_after_nothing_is_nothing() -> None:
    assert decoded(b"", "gzip") == decoded(b"", "deflate") == b""


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate, gzip", "br", "compress", "gzip;q=1"])
def test_other_and_repeated_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(BadResponse, match="compressed"):
        Body(host="a.example", encoding=encoding, cap=10)


def test_the_cap_holds_in_the_middle_of_a_chunk() -> None:
    bomb = gzip.compress(bytes(10 * 2**20))
    body = Body(host="a.example", encoding="gzip", cap=2**20)
    with pytest.raises(BadResponse, match="more than 1048576 bytes"):
        list(body.feed(bomb))
    assert len(body._content) <= 2**20 + 1
