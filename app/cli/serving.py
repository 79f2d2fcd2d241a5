"""`unanswered serve`: settings, logs, migration, port, application, and one URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.cli import lean, terminal
from app.cli.failure import Failure
from app.cli.started import command

if TYPE_CHECKING:
    from app.settings import Settings


@click.command()
@click.option("--host", metavar="ADDRESS", help="Address to listen on. [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="[default: 8000, or the next free]")
@click.option("--no-demo", is_flag=True, help="Without the demo source; one that exists pauses.")
@click.option("--no-poll", is_flag=True, help="Don't read the platforms in this process.")
@click.option("--no-migrate", is_flag=True, help="Don't bring the database up to date.")
def serve(
    host: str | None, port: int | None, *, no_demo: bool, no_poll: bool, no_migrate: bool
) -> None:
    """Start the service on this machine."""
    lean.begin()
    wanted = {
        "host": host,
        "port": port,
        "demo": False if no_demo else None,
        "poll": False if no_poll else None,
        "migrate": False if no_migrate else None,
    }
    settings = told_settings(**{name: value for name, value in wanted.items() if value is not None})
    prepare(settings)
    _run(settings)


def told_settings(**overrides: Any) -> Settings:
    """The settings, with a warning about a `.env` others can read. Raises `Failure`."""
    from app.environment import env_file_warning
    from app.settings import SettingsError, load_settings

    try:
        settings = load_settings(**overrides)
    except SettingsError as refusal:
        raise Failure("These settings cannot be used:", refusal.problems) from refusal
    warning = env_file_warning()
    if warning:
        terminal.tell(warning, style="yellow")
    return settings


def prepare(settings: Settings) -> None:
    """Logs, the data folder, and the database at this version. Raises `Failure`."""
    from app.cli.health import refuse_network_share
    from app.cli.migrating import bring_up_to_date, refuse_another_revision

    refuse_network_share(settings)
    set_up(settings)
    (bring_up_to_date if settings.migrate else refuse_another_revision)(settings)


def set_up(settings: Settings) -> None:
    """Logs and the data folder. Raises `Failure`."""
    from app.logs import set_up_logs

    set_up_logs(settings.log_format, settings.log_level)
    try:
        settings.make_data_dir()
    except OSError as trouble:
        raise Failure(
            f"The data folder {settings.data_dir} cannot be made ({trouble.strerror}).",
            ["Choose another: UNANSWERED_DATA_DIR=/path"],
        ) from trouble


def _run(settings: Settings) -> None:
    from app.cli.server import bind, run_server
    from app.errors import AppError

    listener = bind(settings.host, settings.port, chosen=settings.port_chosen)
    port = listener.getsockname()[1]
    from app.main import create_app  # half a second of imports: a busy port is told before

    try:
        app = create_app(settings, bind=(settings.host, port))
        run_server(app, listener, lambda: announce(settings, port, app.state.set_up_link))
    except AppError as refusal:
        raise Failure(refusal.detail) from refusal
    finally:
        listener.close()


def announce(settings: Settings, port: int, set_up_link: str | None) -> None:
    """What a stranger needs next: one URL, the first call, and the link that lets them in."""
    import sys

    from app.cli.server import address_of

    lean.settled()
    if port != settings.port and not settings.port_chosen:
        terminal.tell(f"Port {settings.port} is busy; using {port}.", style="yellow")
    url = settings.public_url or address_of(settings.host, port)
    terminal.say(f"Unanswered is at {url}")
    terminal.say(f"Who is waiting:  {command('list')}")
    if set_up_link is not None:
        terminal.say(f"Set a password:  {set_up_link}  (once, within 30 minutes)")
    sys.stdout.flush()
