"""`unanswered doctor`: what is right, what is not, and the command that helps."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from app.cli import terminal
from app.cli.health import Finding, fail
from app.cli.started import command

if TYPE_CHECKING:
    from app.settings import Settings

STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(*, as_json: bool) -> int:
    """Look at settings, files, database, port and the running service."""
    findings = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            _say(finding)
    healthy = all(finding.level != "fail" for finding in findings)
    if as_json:
        terminal.say_json({"ok": healthy, "checks": [finding.as_json() for finding in findings]})
    return 0 if healthy else 1


def examine() -> Iterator[Finding]:
    """Every finding, as soon as it is known."""
    from app.environment import UnreadableEnvFile, env_file_warning
    from app.settings import SettingsError, load_settings

    try:
        settings = load_settings()
    except SettingsError as refusal:
        for problem in refusal.problems:
            yield fail("settings", problem, "see docs/settings.md")
        return
    try:
        warning = env_file_warning()
    except UnreadableEnvFile as trouble:  # changed between the two readings
        warning = str(trouble)
    if warning:
        yield Finding("warn", ".env", warning, "chmod 600 .env")
    yield Finding("ok", "settings", "all understood")
    yield from _look(settings)


def _look(settings: Settings) -> Iterator[Finding]:
    from app.cli import health, health_of_keys, health_of_service, health_of_settings

    yield from health.files(settings)
    base = list(health.database(settings))
    yield from base
    if any((each.subject, each.level) == ("migrations", "ok") for each in base):
        yield from health_of_keys.examine(settings)
    yield from health.room(settings)
    yield health.clock()
    service = list(health_of_service.examine(settings))
    yield from health.listening(settings, running=bool(service))
    yield from health_of_settings.examine(settings, running=bool(service))
    yield from service or [Finding("warn", "service", "none is running here", command("serve"))]


def _say(finding: Finding) -> None:
    level = terminal.paint(f"{finding.level:<5}", STYLES[finding.level], sys.stdout)
    told = terminal.one_line(f"{finding.subject}: {finding.told}")
    terminal.say(f"{level}{told}")
    if finding.help and finding.level != "ok":
        terminal.say(f"     → {terminal.one_line(finding.help)}")
