"""A server in a process of its own, to be killed: `python crashing.py DATABASE PORT`."""

from __future__ import annotations

import sys

from otel_humanloop.server.serve import Plan, listening

with listening(Plan(database=sys.argv[1]), port=int(sys.argv[2])) as server:
    server.run()
