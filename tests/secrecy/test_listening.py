"""The listener of `--debug-logs` hears what it must, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.secrecy.listening import Listener, secrets_of

SECRET = "correct-horse-battery"


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener, logger = Listener({SECRET}), logging.getLogger("a library")
    logger.addHandler(listener)
    yield listener
    logger.removeHandler(listener)


@pytest.mark.parametrize(
    "told",
    [
        f"signed in with {SECRET}",
        "signed in with Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5",
        "a token una_0123456789abcdefghijklmnop",
        "a key whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ],
)
def test_a_secret_is_heard(listener: Listener, told: str) -> None:
    logging.getLogger("a library").warning(told)
    assert len(listener.leaks) == listener.heard == 1


def test_what_is_struck_out_is_none(listener: Listener) -> None:
    logging.getLogger("a library").warning("a token una_*** and a horse")
    assert (listener.heard, listener.leaks) == (1, [])


def test_every_recorded_platform_has_its_secrets_in_the_list() -> None:
    assert "s3cret-of-nobody" not in secrets_of()
    assert len(secrets_of()) > 4
