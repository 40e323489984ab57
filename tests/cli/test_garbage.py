"""A service's own process is searched for garbage less often; what it takes to start is never searched again."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc
from otel_humanloop.cli import garbage
usual = gc.get_threshold()[0]
garbage.search_less()
assert gc.isenabled()
assert gc.get_threshold()[0] > 10 * usual
assert gc.get_freeze_count() > 1000
"""


def test_a_service_is_searched_less() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
