"""What a receiver in another language makes of our signatures: the block of the page, run."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.clock import SystemClock
from tests.outbox.receiver import Got, Receiver, made, until
from tests.outbox.test_events import about, record_all
from tests.service import ADMIN_TOKEN, running_service
from tests.serving import serving

PAGE = Path(__file__).parent.parent.parent / "docs" / "webhooks.md"
NODE = shutil.which("node")
ASKING = """
const cases = JSON.parse(require("node:fs").readFileSync(0, "utf-8"));
console.log(JSON.stringify(cases.map(
  ({ secret, headers, body }) => verify(secret, headers, Buffer.from(body, "base64")))));
"""


def verified_by_node(cases: list[dict[str, Any]]) -> list[bool]:
    """What the function of the page says of each: secret, headers, body in base64."""
    (block,) = re.findall(r"^```js\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert NODE is not None
    said = subprocess.run(  # the program found above
        [NODE, "-e", block + ASKING],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: list[bool] = json.loads(said.stdout)
    return found


def case(
    got: Got, secret: str, more: bytes = b"", headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """A delivery as it came, or with more at its end, or other headers."""
    sent = base64.b64encode(got.body + more).decode()
    return {"secret": secret, "headers": {**got.headers, **(headers or {})}, "body": sent}


@pytest.mark.skipif(NODE is None, reason="there is no `node` on this machine")
async def test_node_verifies_what_the_service_sends(sqlite_url: str, tmp_path: Path) -> None:
    receiver = Receiver()
    async with (
        serving(receiver) as base,
        running_service(sqlite_url, tmp_path, clock=SystemClock()) as service,
    ):
        webhook = await made(service, f"{base}/desk")
        await record_all(service.db, about(None, None))
        await until(lambda: len(receiver.accepted("/desk")) == 2, "its making, and the event")
        former = webhook["secret"]
        path = f"/api/v1/webhooks/{webhook['id']}/rotate-secret"
        present = (await service.api.post(path)).json()["secret"]
        await record_all(service.db, about(None, None))
        await until(lambda: len(receiver.accepted("/desk")) >= 3, "what came later")
    first, second = receiver.got[0], receiver.got[-1]
    old = str(int(first.headers["webhook-timestamp"]) - 301)
    cases = [
        (True, case(first, former)),
        (True, case(second, former)),
        (True, case(second, present)),
        (False, case(first, present)),
        (False, case(first, former, b" ")),
        (False, case(first, former, headers={"webhook-id": "evt_other"})),
        (False, case(first, former, headers={"webhook-timestamp": old})),
        (False, case(first, former, headers={"webhook-timestamp": "soon"})),
        (False, case(first, former, headers={"webhook-signature": "v1,"})),
    ]
    assert verified_by_node([each for _, each in cases]) == [wanted for wanted, _ in cases]
    assert ADMIN_TOKEN not in str(cases)
