"""The demo: the guide's chain, auto-instrumented, with a server of its own and a model that needs no key."""
