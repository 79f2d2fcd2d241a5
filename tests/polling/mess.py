"""What happens to answers on their way: mixed, doubled, cut off, or the reader's own death."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from random import Random

from app.demo.script import ScriptedWorld
from tests.polling.rig import cut


@dataclass(slots=True)
class Mess:
    """What happens to answers on their way: shuffled and doubled entries, cursors that expire."""

    world: ScriptedWorld
    rng: Random
    shuffles: bool = False
    doubles: bool = False
    pages_until_expiry: int = 0
    cuts_after: int = 0
    dies_after: int = 0

    def __call__(self, path: str, body: bytes) -> bytes:
        if self.dies_after:
            self.dies_after -= 1
            if not self.dies_after:
                raise asyncio.CancelledError  # as far as the database can see, a death
        if self.cuts_after:
            self.cuts_after -= 1
            if not self.cuts_after:
                cut(path, body)
        if self.pages_until_expiry:
            self.pages_until_expiry -= 1
            if not self.pages_until_expiry:
                self.world.expire_cursors()
        answer = json.loads(body)
        if not isinstance(answer.get("items"), list):
            return body
        if self.doubles and answer["items"]:
            answer["items"].append(self.rng.choice(answer["items"]))
        if self.shuffles:
            self.rng.shuffle(answer["items"])
        return json.dumps(answer).encode()
