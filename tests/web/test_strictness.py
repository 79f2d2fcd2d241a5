"""Flags and whole numbers of bodies: what the document says, and nothing pydantic would add."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from app.web.wire import WHOLE, Body, Flag, Id


class Asked(Body):
    flag: Flag = False
    id: Id = 1
    place: Annotated[int, Field(ge=0, strict=True), WHOLE] = 0


@pytest.mark.parametrize("given", [{"flag": True}, {"id": 7}, {"id": 7.0}, {"place": 0.0}])
def test_true_false_and_whole_numbers_are_taken(given: dict[str, Any]) -> None:
    (name,) = given
    assert getattr(Asked.model_validate(given), name) == given[name]
    assert type(getattr(Asked.model_validate(given), name)) is (bool if name == "flag" else int)


@pytest.mark.parametrize(
    "given",
    [
        {"flag": 0},
        {"flag": "off"},
        {"flag": None},
        {"id": "7"},
        {"id": True},
        {"id": 7.5},
        {"id": 0},
        {"id": 0.0},
        {"place": "0"},
    ],
)
def test_what_might_mean_it_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Asked.model_validate(given)
