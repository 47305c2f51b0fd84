"""Cores and memory that trainings may use here: the machine's, or its container's."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cores", "free_memory_bytes", "memory_bytes"]

CGROUP = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")


def cores() -> int:
    """Cores that this process may use: of its affinity and of its container's share."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota, _, period = _text(CGROUP / "cpu.max").partition(" ")
    limit = int(quota) // int(period) if quota.isdigit() else there
    return max(1, min(there or 1, limit or 1))


def memory_bytes() -> float:
    """All memory that processes here may use; infinite where the system does not say."""
    return min(_meminfo("MemTotal"), _number(CGROUP / "memory.max"))


def free_memory_bytes() -> float:
    """Memory that nobody uses now; infinite where the system does not say."""
    limit, used = _number(CGROUP / "memory.max"), _number(CGROUP / "memory.current")
    return min(_meminfo("MemAvailable"), limit - used if limit < float("inf") else limit)


def _meminfo(key: str) -> float:
    """Bytes of a line such as ``MemAvailable:  23058240 kB``."""
    for line in _text(MEMINFO).splitlines():
        name, _, rest = line.partition(":")
        if name == key:
            return 1024.0 * int(rest.split()[0])
    return float("inf")


def _number(path: Path) -> float:
    text = _text(path)
    return float(text) if text.isdigit() else float("inf")


def _text(path: Path) -> str:
    """What the kernel says there; empty where this system has no such file."""
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
