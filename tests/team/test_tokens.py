"""The form of a token."""

from __future__ import annotations

import hashlib
import re
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.team.tokens import hash_of, is_chosen, is_well_formed, new_token

seeds = st.binary(min_size=32, max_size=32)


def test_a_token_asks_for_256_random_bits() -> None:
    asked: list[int] = []

    def random(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    new_token(random)
    assert asked == [32]


@given(seeds)
def test_a_token_is_found_by_its_form_and_is_well_formed(seed: bytes) -> None:
    token = new_token(lambda _: seed)
    assert re.fullmatch(r"una_[0-9A-Za-z]{49}", token)
    assert is_well_formed(token)


@given(seeds, seeds)
def test_other_bits_make_another_token(seed: bytes, other: bytes) -> None:
    assert (new_token(lambda _: seed) == new_token(lambda _: other)) == (seed == other)


@given(st.data())
def test_one_changed_character_is_noticed(data: st.DataObject) -> None:
    token = new_token(secrets.token_bytes)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("0Aaz_-é "))
    changed = token[:place] + other + token[place + 1 :]
    assert changed == token or not is_well_formed(changed)


def test_two_swapped_characters_are_noticed() -> None:
    token = new_token(lambda n: bytes(range(n)))
    swapped = token[:10] + token[11] + token[10] + token[12:]
    assert swapped != token
    assert not is_well_formed(swapped)


@pytest.mark.parametrize("token", ["", "una_", "una_" + "0" * 49, "UNA_" + "0" * 49])
def test_made_up_tokens_are_noticed(token: str) -> None:
    assert not is_well_formed(token)


@pytest.mark.parametrize("token", ["x" * 32, "x" * 200, "!" * 32, "~" * 32, "una_" + "x" * 40])
def test_32_to_200_visible_ascii_characters_may_be_chosen(token: str) -> None:
    assert is_chosen(token)


@pytest.mark.parametrize("token", ["", "x" * 31, "x" * 201, "x" * 31 + " ", "x" * 40 + "\n"])
def test_nothing_else_may_be_chosen(token: str) -> None:
    assert not is_chosen(token)


def test_the_hash_is_sha_256() -> None:
    assert hash_of("abc") == hashlib.sha256(b"abc").hexdigest()
