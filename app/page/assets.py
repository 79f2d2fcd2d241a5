"""The files of the page in memory: what may be served, by which names, and the document."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath

HERE = Path(__file__).resolve().parent
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_NOT_SERVED = frozenset({"vendor/entry.js"})
_IMPORT = re.compile(r"""^(?:import|export)\b[^;'"]*?\bfrom\s+"(\.[^"]+)";$""", re.MULTILINE)

_COMMENT = re.compile(
    rb"^[ \t]*(?:/\*(?s:.*?)\*/[ \t]*|//.*)$|/\*\* @.*?\*/ ?|^[ \t]+", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file that is served. `zipped` is empty where that would save nothing."""

    body: bytes
    zipped: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the page consists of. `version` changes whenever one of its files does."""

    version: str
    index: Asset
    files: Mapping[str, Asset]


@lru_cache(maxsize=1)
def load() -> Page:
    """Reads the files once for the life of the process: no later request touches the disk."""
    bodies = dict(_bodies())
    found = hashlib.sha256()
    for name, body in bodies.items():
        found.update(f"{name} {len(body)} ".encode() + body)
    version = found.hexdigest()[:16]
    files = {name: _asset(body, TYPES[Path(name).suffix]) for name, body in bodies.items()}
    index = (HERE / "index.html").read_text(encoding="utf-8")
    return Page(version, _asset(_index(index, version, bodies), "text/html; charset=utf-8"), files)


def _bodies() -> Iterator[tuple[str, bytes]]:
    for path in sorted(HERE.rglob("*")):
        name = path.relative_to(HERE).as_posix()
        if path.suffix in TYPES and name not in _NOT_SERVED:
            yield name, _spoken(name, path.read_bytes())


def _spoken(name: str, body: bytes) -> bytes:
    """Without comments and indents, which are for whoever reads the source; every line stays."""
    if not name.endswith((".js", ".css")) or name.startswith("vendor/"):
        return body
    return _COMMENT.sub(lambda found: b"\n" * found[0].count(b"\n"), body)


def _asset(body: bytes, media_type: str) -> Asset:
    zipped = gzip.compress(body, 9, mtime=0)
    return Asset(body, zipped if len(zipped) < len(body) else b"", media_type)


def _index(text: str, version: str, bodies: Mapping[str, bytes]) -> bytes:
    """The document, with the folder of this version and a line for each module it begins with."""
    base = f"/assets/{version}"
    preloads = "\n".join(
        f'    <link rel="modulepreload" href="{base}/{name}">'
        for name in imported("main.js", bodies)
    )
    return text.replace("{{assets}}", base).replace("    {{preloads}}", preloads).encode()


def imported(entry: str, bodies: Mapping[str, bytes]) -> list[str]:
    """The modules that load with this one, itself first: `import("…")` comes later and is not."""
    found = [entry]
    for name in found:
        for match in _IMPORT.finditer(bodies[name].decode()):
            target = _resolve(PurePosixPath(name).parent, match[1])
            if target not in found:
                found.append(target)
    return found


def _resolve(folder: PurePosixPath, relative: str) -> str:
    parts: list[str] = list(folder.parts)
    for part in PurePosixPath(relative).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
