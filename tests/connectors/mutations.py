"""Hypothesis strategies that damage recorded answers."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["", "0", "-1", "null", "\0", "\ud800", "2026-13-45T99:99:99", "9" * 400]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


def paths_in(value: Any, above: Path = ()) -> Iterator[Path]:
    """The place of every value inside, the whole first."""
    yield above
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_in(inner, (*above, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths_in(inner, (*above, index))


@st.composite
def mutated(draw: st.DrawFn, body: Any) -> Any:
    """`body` with one to three places dropped, replaced, wrapped, cut short or doubled."""
    holder = [copy.deepcopy(body)]
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(paths_in(holder))[1:]))
        *above, last = path
        place: Any = holder
        for step in above:
            place = place[step]
        how = draw(st.sampled_from(["drop", "replace", "replace", "wrap", "cut", "double"]))
        _damage(draw, place, last, how)
        if not holder:
            return None
    return holder[0]


def _damage(draw: st.DrawFn, place: Any, last: str | int, how: str) -> None:
    value = place[last]
    if how == "drop":
        del place[last]
    elif how == "wrap":
        place[last] = [value]
    elif how == "cut" and isinstance(value, str | list):
        place[last] = value[: len(value) // 2]
    elif how == "double" and isinstance(value, str | list):
        place[last] = value * 2
    else:
        place[last] = draw(VALUES)
