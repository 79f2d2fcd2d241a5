"""A stop with a stream open and a delivery under way, in a real process."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.house import House, until


class _Slow(BaseHTTPRequestHandler):
    """A receiver that never answers."""

    began = threading.Event()
    over = threading.Event()

    def do_POST(self) -> None:
        self.began.set()
        self.over.wait(30)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def slow_receiver() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        _Slow.over.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, ALLOW_NETWORKS="127.0.0.0/8", LOG_FORMAT="json")


def test_a_stop_says_goodbye_to_streams_and_leaves_no_traceback(house: House) -> None:
    with house.serve("--no-demo") as serving, slow_receiver() as url:
        place = json.loads((house.data / "cli.json").read_text())
        headers = {"Authorization": f"Bearer {place['token']}"}
        with httpx.Client(base_url=serving.url, headers=headers, timeout=20, verify=False) as api:
            lines: list[str] = []

            def listen() -> None:
                with api.stream("GET", "/api/v1/events/stream") as stream:
                    lines.extend(stream.iter_lines())

            listener = threading.Thread(target=listen)
            listener.start()
            assert api.post("/api/v1/webhooks", json={"url": url}).status_code == 201
            until(_Slow.began.is_set, "the delivery is under way")
            until(lambda: len(api.get("/api/v1/events").json()["items"]), "an event")
            took = serving.stop()
            listener.join(10)
        assert took < 10
        assert 'data: {"reason":"stopping"}' in lines
        said = serving.err.read_text()
        assert "Traceback" not in said
        assert '"level":"error"' not in said.replace(" ", "")
