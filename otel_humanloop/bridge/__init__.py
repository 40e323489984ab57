"""Beside a Collector: OTLP in, Humanloop's logs out, for programs in any language.

```
 receivers/http.py ──┐                                   ┌─► answer, once what was sent is kept
 receivers/grpc.py ──┼─► door.py ──► keeper.py ──► spool ─┘
 receivers/kafka.py ─┘   (bytes to       │
                          spans)         └──► pipeline.py ──► Humanloop v4
```
`service.py` starts all of it and ends it; `addresses.py` reads the URLs a user types; `metrics.py` tells what goes on.

Receivers answer in an event loop; decoding and keeping happen on threads of `door.py`, delivery on the pipeline's own.
Needs the extra `bridge`; the Kafka receiver the extra `kafka`.
"""
