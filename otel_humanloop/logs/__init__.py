"""Stage 3: what a span did, as a log, in its place.

`draft.py` says of each span what order needs to know of it, `order.py` decides when its log may leave and where it
hangs, `build.py` writes the log itself.
"""
