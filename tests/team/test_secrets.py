"""What is sealed opens at its place, with its key, unchanged, or not at all."""

from __future__ import annotations

import secrets
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import Text

from app.schema import metadata
from app.team.secrets import SEALED_COLUMNS, Keyring, Place, WrongKey, new_key_line, parse_keys

PLACE = Place("source", 7, "credential")
OLD = parse_keys(new_key_line(secrets.token_bytes))
NEW = parse_keys(new_key_line(secrets.token_bytes))


def seal(ring: Keyring = OLD, place: Place = PLACE) -> str:
    return ring.seal(b"hunter2", place, secrets.token_bytes)


@given(st.binary(max_size=2000))
def test_what_is_sealed_opens_again(plain: bytes) -> None:
    envelope = OLD.seal(plain, PLACE, secrets.token_bytes)
    assert OLD.open(envelope, PLACE) == plain


def test_the_envelope_names_version_and_key_and_hides_the_rest() -> None:
    version, key_id, nonce, sealed = seal().split(".")
    assert (version, key_id) == ("v1", OLD.current.id)
    assert len(urlsafe_b64decode(nonce)) == 12
    assert b"hunter2" not in urlsafe_b64decode(sealed + "==")


def test_sealing_twice_looks_different() -> None:
    assert seal() != seal()


@pytest.mark.parametrize(
    "place",
    [
        Place("source", 8, "credential"),
        Place("webhook", 7, "credential"),
        Place("source", 7, "secret"),
    ],
)
def test_an_envelope_opens_in_no_other_row_table_or_column(place: Place) -> None:
    with pytest.raises(WrongKey, match="another row"):
        OLD.open(seal(), place)


@given(st.data())
def test_a_changed_envelope_does_not_open(data: st.DataObject) -> None:
    envelope = seal()
    place = data.draw(st.integers(0, len(envelope) - 1))
    other = data.draw(st.sampled_from("abcXYZ019-_.é\n"))
    changed = envelope[:place] + other + envelope[place + 1 :]
    assume(changed != envelope)
    with pytest.raises(WrongKey):
        OLD.open(changed, PLACE)


@pytest.mark.parametrize("envelope", ["", "hunter2", "v1", "v1...", "v2.0.0.0", "null"])
def test_what_is_no_envelope_is_named_so(envelope: str) -> None:
    with pytest.raises(WrongKey, match="not an envelope"):
        OLD.open(envelope, PLACE)


def test_another_key_is_told_by_its_id_and_the_secret_never() -> None:
    with pytest.raises(WrongKey, match=OLD.current.id) as refused:
        NEW.open(seal(OLD), PLACE)
    assert "hunter2" not in str(refused.value)


def test_an_old_key_opens_but_the_new_one_seals() -> None:
    both = Keyring(NEW.current, (OLD.current,))
    envelope = seal(OLD)
    assert both.open(envelope, PLACE) == b"hunter2"
    assert not both.is_current(envelope)
    anew = both.seal(b"hunter2", PLACE, secrets.token_bytes)
    assert both.is_current(anew)
    assert NEW.open(anew, PLACE) == b"hunter2"


def test_keys_are_lines_the_first_seals() -> None:
    raw, passphrase = secrets.token_bytes(32), "correct horse battery staple, twice over"
    text = f"# comment\n\n{b64encode(raw).decode()}\n  {passphrase}  \n"
    ring = parse_keys(text)
    assert ring.current.secret == raw
    assert [key.id for key in ring.old] == [parse_keys(passphrase).current.id]
    assert not ring.is_current("v1.x")


def test_base64_is_read_in_both_alphabets_with_and_without_padding() -> None:
    raw = b"\xfb\xff" * 16
    forms = [b64encode(raw).decode(), urlsafe_b64encode(raw).decode()]
    forms += [form.rstrip("=") for form in forms]
    assert {parse_keys(form).current.secret for form in forms} == {raw}


def test_a_passphrase_gives_the_same_key_everywhere() -> None:
    ring = parse_keys("a passphrase that is long enough")
    assert (
        ring.current.secret.hex()
        == "f435f2d7ce815a7c98b50978d40671f1710b085d517ba31c3c7e5ba55a855fdb"
    )


@pytest.mark.parametrize(
    "text", ["", "\n# only a comment\n", "short", "x" * 31, "x" * 40 + "\nshort"]
)
def test_too_short_or_missing_keys_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="key"):
        parse_keys(text)


def test_keys_do_not_show_themselves() -> None:
    for thing in (OLD, OLD.current):
        assert OLD.current.secret.hex() not in repr(thing)
        assert repr(OLD.current.secret) not in repr(thing)


def test_nothing_is_sealed_for_a_column_that_a_rotation_would_miss() -> None:
    with pytest.raises(ValueError, match=r"elsewhere\.secret is not named in SEALED_COLUMNS"):
        seal(place=Place("elsewhere", 1, "secret"))


def test_what_is_said_to_be_sealed_is_in_the_schema_as_text() -> None:
    assert len(set(SEALED_COLUMNS)) == len(SEALED_COLUMNS)
    for table, column in SEALED_COLUMNS:
        found = metadata.tables[table]
        assert isinstance(found.c[column].type, Text), f"{table}.{column}"
        assert found.primary_key.columns.keys() == ["id"]


def test_an_unknown_key_is_looked_for_once_more() -> None:
    running = Keyring(OLD.current, look=lambda: Keyring(NEW.current, (OLD.current,)))
    assert running.open(seal(NEW), PLACE) == b"hunter2"
    assert running.current == NEW.current
    assert running.open(seal(OLD), PLACE) == b"hunter2"


def test_a_key_that_was_put_in_front_seals_at_once() -> None:
    running = Keyring(OLD.current, look=lambda: Keyring(NEW.current, (OLD.current,)))
    assert NEW.is_current(seal(running))


def test_what_opened_once_opens_also_after_its_key_was_dropped() -> None:
    files = iter([Keyring(NEW.current, (OLD.current,)), Keyring(NEW.current), None])
    running = Keyring(OLD.current, look=lambda: next(files))
    running.look_again()
    running.look_again()
    assert running.open(seal(OLD), PLACE) == b"hunter2"
    assert NEW.is_current(seal(running))


def test_a_file_without_the_key_in_use_seals_nothing_until_a_start_proves_it() -> None:
    files = iter([NEW, None, Keyring(NEW.current, (OLD.current,))])
    running = Keyring(OLD.current, look=lambda: next(files))
    for _ in range(2):
        with pytest.raises(WrongKey, match="start the service again"):
            seal(running)
    assert NEW.is_current(seal(running))
