"""A request finds the route that trying one after another would find."""

from __future__ import annotations

from typing import Any

import httpx
from fastapi import APIRouter
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from app.web.routes import Table

WORDS = st.sampled_from(("a", "b", "{x}", "{y:int}"))
METHODS = ("GET", "POST")


def _once(word: str) -> object:
    """A parameter's name stands once in a path, a plain word as often as it likes."""
    return word if "{" in word else object()


@st.composite
def places(draw: st.DrawFn) -> str:
    words = draw(
        st.lists(WORDS, max_size=5, unique_by=lambda word: word if "{" in word else object())
    )
    return "/" + "/".join([*words, *draw(st.sampled_from(((), (), ("{rest:path}",))))])


def route(number: int, place: str, method: str) -> BaseRoute:
    async def tell(request: Request) -> Response:
        return PlainTextResponse(f"{number} {place} {request.path_params}")

    if method == "MOUNT":
        return Mount(place.partition("{")[0].rstrip("/"), tell_all(number))
    return Route(place, tell, methods=[method])


def tell_all(number: int) -> Any:
    return PlainTextResponse(f"{number} mounted")


ROUTES = st.lists(
    st.tuples(places(), st.sampled_from((*METHODS, *METHODS, "MOUNT"))), min_size=1, max_size=8
)
PATHS = st.lists(st.sampled_from(("a", "b", "7", "")), max_size=6).map(lambda w: "/" + "/".join(w))


@given(ROUTES, st.lists(st.tuples(PATHS, st.sampled_from(METHODS)), min_size=1, max_size=8))
async def test_the_table_finds_what_trying_all_finds(
    declared: list[tuple[str, str]], asked: list[tuple[str, str]]
) -> None:
    routes = [route(n, place, method) for n, (place, method) in enumerate(declared)]
    table = httpx.ASGITransport(Table(routes=routes, redirect_slashes=False))
    plain = httpx.ASGITransport(APIRouter(routes=routes, redirect_slashes=False))
    async with (
        httpx.AsyncClient(transport=table) as ours,
        httpx.AsyncClient(transport=plain) as theirs,
    ):
        for path, method in asked:
            url = f"http://a{path}"  # whole: a path alone may not begin with two slashes
            found, wanted = await ours.request(method, url), await theirs.request(method, url)
            assert (found.status_code, found.text) == (wanted.status_code, wanted.text)


async def test_a_route_that_is_added_later_is_found() -> None:
    table = Table(routes=[route(1, "/a/b", "GET")])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(table), base_url="http://a"
    ) as client:
        assert (await client.get("/a/c")).status_code == 404
        table.routes.append(route(2, "/a/c", "GET"))
        assert (await client.get("/a/c")).text.startswith("2 ")
