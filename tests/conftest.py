"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("leukoscope", deadline=None)
settings.load_profile("leukoscope")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def _cache_apart(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the user's own cache."""
    monkeypatch.setenv("LEUKOSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The real images beside the project; absent only on a machine that was never given them."""
    folder = Path(os.environ.get("LEUKOSCOPE_REAL_DATA", SHARED))
    if not folder.is_dir():
        pytest.skip(f"no real images in {folder}")
    return folder


@pytest.fixture(scope="session")
def real_weights(real_data: Path) -> Path:
    """Pretrained weights beside the real images."""
    folder = real_data.parent / "weights"
    if not folder.is_dir():
        pytest.skip(f"no pretrained weights in {folder}")
    return folder
