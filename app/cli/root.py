"""The command's tree: which word is found in which file, and how every command ends."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from app import __version__
from app.cli import terminal
from app.cli.failure import Failure

INTERRUPTED = 130
COMPLETION = "_UNANSWERED_COMPLETE"
CLOSED_PIPE = 0  # who closed it (`| head`) has what he wanted

COMMANDS = {
    "serve": "app.cli.serving:serve",
    "migrate": "app.cli.migrating:migrate",
    "list": "app.cli.listing:list_items",
    "show": "app.cli.showing:show",
    "replied": "app.cli.acting:replied",
    "dismiss": "app.cli.acting:dismiss",
    "spam": "app.cli.acting:spam",
    "reopen": "app.cli.acting:reopen",
    "snooze": "app.cli.acting:snooze",
    "unsnooze": "app.cli.acting:unsnooze",
    "thank": "app.cli.acting:thank",
    "label": "app.cli.acting:label",
    "note": "app.cli.acting:note",
    "undo": "app.cli.undoing:undo",
    "actions": "app.cli.undoing:actions",
    "labels": "app.cli.views:labels",
    "views": "app.cli.views:views",
    "author": "app.cli.authors:author",
    "mute": "app.cli.authors:mute",
    "unmute": "app.cli.authors:unmute",
    "erase": "app.cli.authors:erase",
    "assign": "app.cli.sharing:assign",
    "claim": "app.cli.sharing:claim",
    "release": "app.cli.sharing:release",
    "counts": "app.cli.counting:counts",
    "coverage": "app.cli.counting:coverage",
    "reports": "app.cli.reports:reports",
    "watch": "app.cli.watching:watch",
    "sources": "app.cli.sources:sources",
    "rules": "app.cli.rules:rules",
    "webhooks": "app.cli.webhooks:webhooks",
    "users": "app.cli.team:users",
    "tokens": "app.cli.tokens:tokens",
    "sessions": "app.cli.sessions:sessions",
    "audit": "app.cli.auditing:audit",
    "poll": "app.cli.polling:poll",
    "platforms": "app.cli.platforms:platforms",
    "export": "app.cli.exporting:export",
    "import": "app.cli.exporting:import_items",
    "backup": "app.cli.backing_up:backup",
    "restore": "app.cli.backing_up:restore",
    "copy": "app.cli.copying:copy",
    "secrets": "app.cli.keys:secrets",
    "doctor": "app.cli.doctor:doctor",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, or all of them for `--help`."""

    def __init__(
        self, *args: object, lazy: dict[str, str] | None = None, **options: object
    ) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]  # click's own options, passed on
        self._lazy = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *self._lazy]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, _, name = self._lazy[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `unanswered serve`, then `unanswered list`. See docs/cli.md.",
)
@click.option("--url", metavar="URL", help="Address of the service.")
@click.option("--token", metavar="TOKEN", help="Token to use; others see it in the process list.")
@click.version_option(__version__, prog_name="unanswered")
@click.pass_context
def root(ctx: click.Context, url: str | None, token: str | None) -> None:
    """The list of everybody who still waits for your answer."""
    ctx.obj = {"url": url, "token": token}


def run(arguments: Sequence[str]) -> int:
    """Runs one command; the exit code. What went wrong is told on stderr, never as a traceback."""
    if COMPLETION in os.environ:  # the shell asks which words fit
        root.main(list(arguments), prog_name="unanswered", complete_var=COMPLETION)
    try:
        with root.make_context("unanswered", list(arguments)) as context:
            result = root.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        if sys.stderr.isatty():
            terminal.tell("")  # the shell's next line does not begin behind ^C
        return INTERRUPTED
    except click.ClickException as refusal:
        refusal.show(sys.stderr)
        return refusal.exit_code
    except Failure as failure:
        terminal.tell(failure.sentence, style="red")
        for line in failure.more:
            terminal.tell(f"  {line}")
        return 1
    except BrokenPipeError:
        # What Python still wants to flush at its end would fail once more, and loudly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    return result if isinstance(result, int) else 0
