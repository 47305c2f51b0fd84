"""The command line: one verb a file, each parses and prints; the work is in its room.

Exit codes: 0 done (some images may have failed; they are counted); 1 done, and the answer is no;
2 the call or its input was wrong; 3 disk, memory or network failed; 130 interrupted, resumable.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (what the console script exits with)."""
    from .application import run

    return run(list(sys.argv[1:] if arguments is None else arguments))
