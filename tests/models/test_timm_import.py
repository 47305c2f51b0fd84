"""timm imports in a fresh interpreter, whether or not its torchvision matches torch."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

pytestmark = pytest.mark.skipif(find_spec("timm") is None, reason="the extra train is needed")

ONCE_AND_AGAIN = """
from leukoscope.models.timm_import import import_timm
timm = import_timm()
assert import_timm() is timm
assert timm.create_model("mobilenetv2_100", num_classes=0) is not None
"""

# A pair that does not match, made on any machine: the operator is undefined when torchvision asks.
MISMATCHED = """
import sys, types
from leukoscope.models import timm_import

calls = []
def failing():
    calls.append(1)
    if len(calls) == 1:
        sys.modules["torchvision.half"] = types.ModuleType("torchvision.half")
        raise RuntimeError("operator torchvision::nms does not exist")
    assert "torchvision.half" not in sys.modules
    assert timm_import._declared
    return types.ModuleType("timm")

timm_import._import = failing
timm_import._declare_operators = lambda: timm_import._declared.append(None)
assert timm_import.import_timm().__name__ == "timm"
assert len(calls) == 2
"""

OTHER_FAULT = """
from leukoscope.errors import ExperimentError
from leukoscope.models import timm_import

def failing():
    raise RuntimeError("another fault")

timm_import._import = failing
try:
    timm_import.import_timm()
except ExperimentError as error:
    assert "another fault" in str(error)
else:
    raise AssertionError("passed over")
"""


@pytest.mark.parametrize("code", [ONCE_AND_AGAIN, MISMATCHED, OTHER_FAULT])
def test_in_a_fresh_interpreter(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
