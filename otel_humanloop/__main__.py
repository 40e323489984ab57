"""`python -m otel_humanloop`: the same command line as `otel-humanloop`."""

from __future__ import annotations

import sys

from otel_humanloop.cli import main

if __name__ == "__main__":
    sys.exit(main())
