"""A small application under our server: `python -m tests.cli.small_app PORT|next [trouble]`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from app.cli.server import address_of, bind, run_server
from app.errors import Conflict
from app.logs import set_up_logs
from app.web.limits import SizeLimits


async def slow(_request: Request) -> PlainTextResponse:
    await asyncio.sleep(1)
    return PlainTextResponse("done")


async def endless(_request: Request) -> StreamingResponse:
    async def words() -> AsyncIterator[str]:
        while True:
            yield "still here\n"
            await asyncio.sleep(0.05)

    return StreamingResponse(words())


async def state(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.state.word)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
    if "refuse" in sys.argv:
        raise Conflict("Another process polls this database already.")
    yield {"word": "from the lifespan"}
    if "hang" in sys.argv:
        await asyncio.sleep(60)
    print("lifespan ended", flush=True)  # noqa: T201  # the test reads it


def main() -> None:
    chosen = sys.argv[1] != "next"
    listener = bind("127.0.0.1", 8000 if not chosen else int(sys.argv[1]), chosen=chosen)
    app = Starlette(
        routes=[Route("/slow", slow), Route("/endless", endless), Route("/state", state)],
        lifespan=lifespan,
    )
    app.add_middleware(SizeLimits, max_bytes=2**20)
    app.state.begin_stop = lambda: print("begin_stop", flush=True)  # noqa: T201  # as above
    set_up_logs("json")
    url = address_of("127.0.0.1", listener.getsockname()[1])
    try:
        run_server(app, listener, lambda: print(url, flush=True))  # noqa: T201  # as above
    except Conflict as refusal:
        sys.exit(f"refused: {refusal.detail}")


if __name__ == "__main__":
    main()
