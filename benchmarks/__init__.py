"""What otel-humanloop costs, side by side with its peers: `make bench`, which writes `RESULTS.md`.

`environments.py` makes an environment for each peer, `load.py` the spans, `sink.py` takes in what exporters send.
Everything that is measured runs in a process of its own under `contestants/`, with the interpreter of its environment,
and is driven round by round by `contest.py`. `measures/` has one file for each thing that is compared, `report.py`
writes what was found.
"""
