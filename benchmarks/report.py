"""What a bench found: figures, and how they stand to the goals; for people and for machines."""

from __future__ import annotations

import json
import platform
import sqlite3
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from benchmarks.rounds import Ratio, Rounds

RESULTS = Path(__file__).parent / "results"
LIBRARIES = ("fastapi", "starlette", "sqlalchemy", "msgspec", "pydantic", "uvicorn", "httpx")


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure to stay below (`most`) or above (`least`)."""

    name: str
    what: str
    unit: str
    way: Literal["most", "least"]
    gate: float
    stretch: float

    def judge(self, found: Ratio) -> str:
        """`stretch`, `met` or `missed`; missed: by the median and by the best round too."""
        best = found.low if self.way == "most" else found.high
        if self._holds(found.median, self.stretch):
            return "stretch"
        return "met" if self._holds(best, self.gate) else "missed"

    def _holds(self, figure: float, bound: float) -> bool:
        return figure <= bound if self.way == "most" else figure >= bound


@cache
def goals() -> Mapping[str, Goal]:
    """What `goals.toml` says."""
    told = tomllib.loads((Path(__file__).parent / "goals.toml").read_text(encoding="utf-8"))
    found: dict[str, Goal] = {}
    for name, each in told.items():
        way: Literal["most", "least"] = "most" if "most" in each else "least"
        bounds = each[way]
        unit = each.get("unit", "times")
        found[name] = Goal(name, each["what"], unit, way, bounds["gate"], bounds["stretch"])
    return found


@dataclass(slots=True)
class Report:
    """The figures of one bench by variant, and what it found for each goal it is about."""

    bench: str
    about: dict[str, Any] = field(default_factory=dict)
    unit: str = "µs"
    figures: dict[str, Ratio] = field(default_factory=dict)
    found: dict[str, Ratio] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def take(self, rounds: Rounds, prefix: str = "") -> None:
        """The figures of rounds, each variant as its median with smallest and largest."""
        for name, figures in rounds.figures.items():
            self.figures[prefix + name] = Ratio.of(figures, [1.0] * len(figures))

    def add(self, name: str, figure: float) -> None:
        self.figures[name] = Ratio(figure, figure, figure)

    def goal(self, name: str, found: Ratio | float) -> None:
        ratio = found if isinstance(found, Ratio) else Ratio(found, found, found)
        assert name in goals(), name
        self.found[name] = ratio

    def missed(self) -> list[str]:
        return [n for n, found in self.found.items() if goals()[n].judge(found) == "missed"]

    def document(self) -> dict[str, Any]:
        """Everything, with the versions that were measured."""
        judged = {
            name: {**asdict(found), "judged": goals()[name].judge(found)}
            for name, found in self.found.items()
        }
        return {
            "bench": self.bench,
            "about": self.about,
            "unit": self.unit,
            "figures": {name: asdict(figure) for name, figure in self.figures.items()},
            "goals": judged,
            "notes": self.notes,
            "versions": versions(),
        }

    def show(self) -> None:
        """A table for people."""
        print(f"{self.bench}: {', '.join(f'{k} {v}' for k, v in self.about.items())}")
        width = max((len(name) for name in self.figures), default=0)
        for name, figure in self.figures.items():
            spread = (
                f"  [{figure.low:.4g} to {figure.high:.4g}]" if figure.low != figure.high else ""
            )
            print(f"  {name:{width}}  {figure.median:10.4g} {self.unit}{spread}")
        for name, found in self.found.items():
            goal = goals()[name]
            bound = f"{'at most' if goal.way == 'most' else 'at least'} {goal.gate:g}"
            print(f"  {name}: {found} {goal.unit}, {bound}: {goal.judge(found)}  ({goal.what})")
        for note in self.notes:
            print(f"  {note}")

    def keep(self, folder: Path = RESULTS) -> Path:
        """Writes the document where the results lie; a later run of the same bench replaces it."""
        folder.mkdir(exist_ok=True)
        parts = [self.bench, *(str(value) for value in self.about.values())]
        path = folder / f"{'-'.join(parts).replace(' ', '_').replace('/', '_')}.json"
        path.write_text(json.dumps(self.document(), indent=1) + "\n", encoding="utf-8")
        return path


def versions() -> dict[str, str]:
    """What was measured with what."""
    found = {name: version(name) for name in LIBRARIES}
    return {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "machine": f"{platform.system()} {platform.machine()}",
        **found,
    }
