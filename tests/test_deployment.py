"""What the pages show for running it for others: the unit is one, and the proxies let events by."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app.cli.root import COMMANDS
from app.outbox.live import HEARTBEAT_SECONDS
from app.settings import Settings
from tests.documents import DOCS

HARDENED = (
    "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes",
    "PrivateDevices=yes", "CapabilityBoundingSet=", "DynamicUser=yes", "StateDirectoryMode=0700",
    "UMask=0077", "MemoryDenyWriteExecute=yes", "RestrictNamespaces=yes",
)  # fmt: skip
EXPOSED = 2.0
"""On the scale of `systemd-analyze security`, of 10; a service without any line has 9.6."""
ANALYZE = shutil.which("systemd-analyze")


def block(page: str, kind: str) -> str:
    """The one block of that kind on a page."""
    text = (DOCS / page).read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit of the page, with a program that is there."""
    path = tmp_path / "unanswered.service"
    path.write_text(
        block("systemd.md", "ini").replace("/opt/unanswered/.venv/bin/python", "/bin/true")
    )
    return path


def test_the_unit_keeps_the_service_within_its_folder() -> None:
    lines = block("systemd.md", "ini").splitlines()
    assert set(HARDENED) <= set(lines)
    (start,) = [line for line in lines if line.startswith("ExecStart=")]
    assert start.split()[-1] in COMMANDS
    (told,) = [line for line in lines if line.startswith("Environment=")]
    fields = Settings.model_fields.keys()
    assert {name.lower() for name in re.findall(r"UNANSWERED_(\w+)=", told)} <= fields


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not here")
def test_systemd_understands_the_unit_and_finds_it_closed(unit: Path) -> None:
    assert ANALYZE is not None
    verified = subprocess.run(
        [ANALYZE, "verify", "--man=no", unit], capture_output=True, encoding="utf-8", check=False
    )
    ours = [line for line in verified.stderr.splitlines() if unit.name in line]
    assert (verified.returncode, ours) == (0, [])
    limit = ["--offline=true", f"--threshold={EXPOSED * 10:.0f}"]
    judged = subprocess.run(
        [ANALYZE, "security", *limit, unit], capture_output=True, encoding="utf-8", check=False
    )
    assert judged.returncode == 0, judged.stdout[-500:] + judged.stderr


def test_nginx_holds_no_event_back_and_invents_no_address() -> None:
    text = block("proxy.md", "nginx")
    assert text.count("{") == text.count("}")
    lines = [line.strip() for line in text.splitlines()]
    assert all(line.endswith(("{", "}", ";")) for line in lines if line)
    stream = text.partition("location = /api/v1/events/stream {")[2].partition("}")[0]
    for wanted in ("proxy_buffering off;", "gzip off;", "proxy_http_version 1.1;"):
        assert wanted in stream
    assert waits(re.search(r"proxy_read_timeout (\d+)m;", stream)) > HEARTBEAT_SECONDS
    assert text.count("X-Forwarded-For $remote_addr;") == text.count("proxy_pass ")
    assert "$proxy_add_x_forwarded_for" not in text, "a stranger's word would be passed on"
    assert text.count("Host $host;") == text.count("proxy_pass ")


def test_caddy_holds_no_event_back() -> None:
    text = block("proxy.md", "caddyfile")
    assert text.count("{") == text.count("}")
    assert "flush_interval -1" in text
    assert waits(re.search(r"read_timeout (\d+)m", text)) > HEARTBEAT_SECONDS


def waits(found: re.Match[str] | None) -> float:
    assert found is not None
    return int(found[1]) * 60.0
