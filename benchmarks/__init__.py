"""What otel-humanloop costs, side by side with its peers: `make bench`, which writes `RESULTS.md`.

`environments.py` makes an environment for each peer, `load.py` and `corpus.py` the spans, `sink.py` takes in what
exporters send. Everything that is measured runs in a process of its own: what is driven round by round (`contest.py`)
under `contestants/`, with the interpreter of its environment; what is a server as its users start it (`bridges.py`,
`peers.py`, `parts.py`). `measures/` has one file for each thing that is compared: it measures figures, which are kept
in `results.json` (`kept.py`), and says in words what they say. `report.py` writes these, with what `limits.md` says of
each; `capacity.py` writes the numbers of `docs/scale.md`.
"""
