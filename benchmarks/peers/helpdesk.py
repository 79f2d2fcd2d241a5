"""django-helpdesk against ours: 50 open tickets as JSON, one request after the other.

    python -m benchmarks.peers.helpdesk [--rows N]

It has tables of its own, so the items become tickets of one queue, in SQLite like ours. One process
of gunicorn serves them through its REST API; who asks is signed in once.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.data import FOLDER, item_rows, sqlite_data
from benchmarks.peers.asking import compare, options, wait
from benchmarks.peers.installing import installed
from benchmarks.report import Report
from benchmarks.service import dead_port, service

PACKAGES = ["django-helpdesk==2.6.1", "djangorestframework", "gunicorn"]
WANTED = "/api/tickets/?status=1&page_size=50"
_SETTINGS = """
from pathlib import Path
BASE = Path(__file__).parent
SECRET_KEY = "of a bench on this machine"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "urls"
SITE_ID = 1
USE_TZ = True
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE / "tickets.db"}}
INSTALLED_APPS = [
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
    "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles",
    "django.contrib.sites", "django.contrib.humanize", "rest_framework",
    "helpdesk",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
HELPDESK_TEAMS_MODE_ENABLED = False
HELPDESK_ACTIVATE_API_ENDPOINT = True
"""
_URLS = """
from django.contrib import admin
from django.urls import include, path
urlpatterns = [path("admin/", admin.site.urls), path("", include("helpdesk.urls"))]
"""
_WSGI = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""
_LOAD = """
import json, os, sys
from datetime import datetime
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django
django.setup()
from django.conf import settings
from django.contrib.auth import SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from helpdesk.models import Queue, Ticket
call_command("migrate", verbosity=0)
queue = Queue.objects.create(title="Inbox", slug="inbox")
tickets = []
for line in open("tickets.jsonl", encoding="utf-8"):
    row = json.loads(line)
    tickets.append(Ticket(
        queue=queue, title=row["text"][:100], description=row["text"],
        created=datetime.fromisoformat(row["at"]),
        status=Ticket.OPEN_STATUS if row["open"] else Ticket.CLOSED_STATUS,
    ))
Ticket.objects.bulk_create(tickets, batch_size=1000)
user = get_user_model().objects.create_superuser("ana", "ana@example.org", "of a bench")
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print(session.session_key)
"""


def main(arguments: Sequence[str]) -> int:
    chosen = options("helpdesk", __doc__).parse_args(arguments)
    commands = installed("helpdesk", PACKAGES)
    data = Path(asyncio.run(sqlite_data(chosen.rows)).removeprefix("sqlite:///"))
    report = Report("helpdesk", {"rows": chosen.rows}, unit="ms")
    with (
        tempfile.TemporaryDirectory() as folder,
        _helpdesk(commands, Path(folder), chosen.rows) as theirs,
        service(data, FOLDER / "home") as running,
        running.client() as api,
    ):
        shown = theirs.get(WANTED).raise_for_status().json()
        assert len(shown["results"]) == 50, f"it shows {len(shown['results'])} tickets"
        asked = {"ours": lambda: api.get("/items"), "django-helpdesk": lambda: theirs.get(WANTED)}
        compare(report, "L7-helpdesk", asked, chosen)
    return 0


@contextmanager
def _helpdesk(commands: Path, folder: Path, rows: int) -> Iterator[httpx.Client]:
    files = {"settings": _SETTINGS, "urls": _URLS, "wsgi": _WSGI, "load": _LOAD}
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text.lstrip(), encoding="utf-8")
    with (folder / "tickets.jsonl").open("w", encoding="utf-8") as file:
        for row in item_rows(rows, seed=1):
            is_open = row["status"] == "unanswered"
            told = {"text": row["text"], "at": row["occurred_at"].isoformat(), "open": is_open}
            file.write(json.dumps(told) + "\n")
    python, env = commands / "python", {**os.environ, "PYTHONPATH": str(folder)}
    loaded = subprocess.run(
        [python, "load.py"], cwd=folder, env=env, check=True, stdout=subprocess.PIPE, text=True
    )
    key, port = loaded.stdout.split()[-1], dead_port()
    words = [
        str(commands / "gunicorn"),
        "wsgi",
        "--bind",
        f"127.0.0.1:{port}",
        "--log-level",
        "error",
    ]
    with subprocess.Popen(words, cwd=folder, env=env, stdout=subprocess.DEVNULL) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            wait(base)
            with httpx.Client(base_url=base, cookies={"sessionid": key}, timeout=60) as client:
                yield client
        finally:
            process.terminate()
            process.wait(15)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
