"""A worker as a process of its own, with a short lease: `python -m tests.polling.worker`.

Arguments as JSON: `url` of the database, `folder`, `key`, `lease` in seconds, `owner`.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from random import SystemRandom
from typing import Any

from pydantic import SecretStr

from app.clock import SystemClock
from app.logs import set_up_logs
from app.main import _Parts
from app.polling.poller import Poller
from app.polling.runner import Runner
from tests.service import settings_for


async def work(asked: dict[str, Any]) -> None:
    """Polls until SIGTERM."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    clock = SystemClock()
    key = SecretStr(asked["key"])
    settings = settings_for(asked["url"], Path(asked["folder"]), secret_key=key)
    async with AsyncExitStack() as stack:
        parts = await _Parts.open(stack, settings, clock)
        lease = timedelta(seconds=asked["lease"])
        poller = Poller(parts.db, clock, parts.connecting, SystemRandom(), lease_length=lease)
        runner = Runner(parts.db, clock, poller, asked["owner"], tick_seconds=0.05)
        await runner.start()
        stack.push_async_callback(runner.stop, 2.0)
        await stopping.wait()


if __name__ == "__main__":
    set_up_logs("json", "info")
    asyncio.run(work(json.loads(sys.argv[1])))
