"""The demo: Humanloop's guide as a stranger first sees it, with no key and no server to be had.

```
run.py ──starts──► otel_humanloop.server          on a free port
       ──starts──► model_server, with guide.py    what the offline model says
       ──runs────► examples/chain.py              by opentelemetry-instrument, as a user would
       ──reads───► the session                    and shows it
```
"""

from otel_humanloop.demo.run import run_demo

__all__ = ["run_demo"]
