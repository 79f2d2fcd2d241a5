"""`python3 run.py bench NAME`: runs one measurement and prints what it found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from benchmarks import sse

BENCHES: dict[str, Callable[[Sequence[str]], int]] = {"sse": sse.main}


def main(arguments: Sequence[str]) -> int:
    name = arguments[0] if arguments else ""
    if name not in BENCHES:
        print(f"Which one? There are: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    return BENCHES[name](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
