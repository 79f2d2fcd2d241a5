"""What the service is made of: `python -m tests.supply` writes it and its licences to `.sbom/`."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from app import __version__

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".sbom"
ALLOWED = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0",
     "PSF-2.0", "Unlicense"}
)  # fmt: skip
"""What a program under MIT may be shipped with, as SPDX ids. MPL-2.0 binds its own files only."""
ELSEWHERE = {"uvloop": "MIT OR Apache-2.0"}
"""Licences that a package's own metadata tells in words only, read from its files."""
_CLASSIFIERS = {"MIT License": "MIT", "BSD License": "BSD-3-Clause"}
_LOCKED = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?P<rest>(?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Locked:
    """One package as a lock names it."""

    name: str
    version: str
    hashes: tuple[str, ...]


@lru_cache(maxsize=2)
def locked(lock: str = "requirements.lock") -> tuple[Locked, ...]:
    """Every package of a lock, with the SHA-256 of each of its files."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return tuple(
        Locked(found["name"], found["version"], tuple(re.findall(r"sha256:(\w+)", found["rest"])))
        for found in _LOCKED.finditer(text)
    )


def licence_of(name: str) -> str | None:
    """The licence as an SPDX expression; `None` where the package is not installed here, "" where
    it tells none.
    """
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    told = [
        ELSEWHERE.get(name),
        *(about.json.get(key) for key in ("license_expression", "license")),
    ]
    if found := next((one for one in told if one), None):
        return str(found)
    classified = [line.split(" :: ")[-1] for line in about.get_all("Classifier") or ()]
    return next((_CLASSIFIERS[word] for word in classified if word in _CLASSIFIERS), "")


def needed() -> set[str]:
    """The packages that the project itself asks for."""
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    return {re.split(r"[^\w.-]", line)[0] for line in asked}


def sbom() -> str:
    """A CycloneDX document of all that runs beside our own code."""
    own = Component(name="unanswered", version=__version__, type=ComponentType.APPLICATION)
    factory, direct = LicenseFactory(), needed()
    found = []
    for each in locked():
        licence, purl = licence_of(each.name), PackageURL("pypi", None, each.name, each.version)
        found.append(
            Component(
                name=each.name,
                version=each.version,
                bom_ref=str(purl),
                purl=purl,
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in each.hashes],
                licenses=[factory.make_from_string(licence)] if licence else (),
            )
        )
    bom = Bom(components=found)
    bom.metadata.component = own
    bom.register_dependency(own, [one for one in found if one.name in direct])
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)


def licences() -> Iterator[str]:
    """A table of the packages and their licences."""
    yield "| package | version | licence |\n|---|---|---|"
    for each in locked():
        licence = licence_of(each.name)
        yield f"| {each.name} | {each.version} | {licence or 'not installed on this system'} |"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "sbom.cdx.json").write_text(sbom() + "\n", encoding="utf-8")
    (FOLDER / "licences.md").write_text("\n".join(licences()) + "\n", encoding="utf-8")
    sys.stdout.write(f"Wrote {FOLDER.name}/sbom.cdx.json and {FOLDER.name}/licences.md\n")
