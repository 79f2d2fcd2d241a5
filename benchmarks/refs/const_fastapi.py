"""The bare FastAPI application: one route that answers with bytes which are already there."""

from __future__ import annotations

import os

from fastapi import FastAPI
from starlette.responses import Response


def make_app(body: bytes) -> FastAPI:
    """A route of constant bytes at `/items`, with nothing of FastAPI's own switched off."""
    app = FastAPI()

    @app.get("/items")
    async def items() -> Response:
        return Response(body, media_type="application/json")

    return app


if __name__ == "__main__":
    from pathlib import Path

    import uvicorn

    told = os.environ.get("BENCH_BODY")
    page = b"{}" if told is None else Path(told).read_bytes()
    uvicorn.run(make_app(page), fd=int(os.environ["BENCH_FD"]), log_level="error")
