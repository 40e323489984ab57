"""The names of the environment variables this package reads, as `opentelemetry_environment_variables` wants them.

What each means is said in `settings.SETTINGS`, and here for whoever reads these names; a test holds the two equal.
"""

HUMANLOOP_API_KEY = "HUMANLOOP_API_KEY"
"""
.. envvar:: HUMANLOOP_API_KEY

Sent as ``X-API-KEY``. A server of your own on loopback needs none.
Default: none
"""

HUMANLOOP_BASE_URL = "HUMANLOOP_BASE_URL"
"""
.. envvar:: HUMANLOOP_BASE_URL

Where Humanloop's v4 API is, ``/v4`` included.
Default: ``http://127.0.0.1:8484/v4``
"""

HUMANLOOP_PROJECT = "HUMANLOOP_PROJECT"
"""
.. envvar:: HUMANLOOP_PROJECT

The project of logs whose span names none. ``{key}`` is replaced by that resource attribute.
Default: ``{service.name}``
"""

HUMANLOOP_SPANS = "HUMANLOOP_SPANS"
"""
.. envvar:: HUMANLOOP_SPANS

``ai``: traces with an AI operation in them, without HTTP, database and RPC spans. ``all``: every span.
Default: ``ai``
"""

HUMANLOOP_SESSION = "HUMANLOOP_SESSION"
"""
.. envvar:: HUMANLOOP_SESSION

What makes a session: a ``trace``, or a ``conversation`` (several traces with one conversation id).
Default: ``trace``
"""

HUMANLOOP_HOLD = "HUMANLOOP_HOLD"
"""
.. envvar:: HUMANLOOP_HOLD

Seconds a log waits for a parent that has not ended, before the parent is logged as it stands.
Default: ``10``
"""

HUMANLOOP_SPOOL = "HUMANLOOP_SPOOL"
"""
.. envvar:: HUMANLOOP_SPOOL

Where accepted spans are kept until Humanloop has their logs.
Default: ``memory:``
"""

HUMANLOOP_MAX_SPANS = "HUMANLOOP_MAX_SPANS"
"""
.. envvar:: HUMANLOOP_MAX_SPANS

How many spans the spool keeps; when it is full the newest are dropped and counted.
Default: ``20000``
"""

HUMANLOOP_MAX_BYTES = "HUMANLOOP_MAX_BYTES"
"""
.. envvar:: HUMANLOOP_MAX_BYTES

How many bytes of spans the spool keeps; when it is full the newest are dropped and counted.
Default: ``268435456``
"""

HUMANLOOP_DELAY = "HUMANLOOP_DELAY"
"""
.. envvar:: HUMANLOOP_DELAY

Seconds ended spans gather before they are sent together.
Default: ``1``
"""

HUMANLOOP_TIMEOUT = "HUMANLOOP_TIMEOUT"
"""
.. envvar:: HUMANLOOP_TIMEOUT

Seconds one request may take.
Default: ``10``
"""

HUMANLOOP_SHUTDOWN_TIMEOUT = "HUMANLOOP_SHUTDOWN_TIMEOUT"
"""
.. envvar:: HUMANLOOP_SHUTDOWN_TIMEOUT

Seconds a program's exit may wait for logs that are not yet acknowledged.
Default: ``5``
"""

HUMANLOOP_COMPRESSION = "HUMANLOOP_COMPRESSION"
"""
.. envvar:: HUMANLOOP_COMPRESSION

``gzip``, ``none``, or ``auto``: none on this machine, zstd (extra ``zstd``) where the server takes it, else gzip, which
the extra ``gzip`` makes in a quarter of the time.
Default: ``auto``
"""

HUMANLOOP_REFERENCE_IDS = "HUMANLOOP_REFERENCE_IDS"
"""
.. envvar:: HUMANLOOP_REFERENCE_IDS

A log's ``reference_id``: the ``span`` id, or ``trace-span``: ``<trace id>-<span id>``.
Default: ``span``
"""

HUMANLOOP_PRICES = "HUMANLOOP_PRICES"
"""
.. envvar:: HUMANLOOP_PRICES

``auto``: calls whose span states no cost are priced, where the extra ``prices`` is installed. ``none``: not.
Default: ``auto``
"""

HUMANLOOP_CAPTURE_CONTENT = "HUMANLOOP_CAPTURE_CONTENT"
"""
.. envvar:: HUMANLOOP_CAPTURE_CONTENT

``false``: nothing of what was said, asked or answered is kept or sent; models, tokens, cost and times are.
Default: ``True``
"""

HUMANLOOP_REDACT = "HUMANLOOP_REDACT"
"""
.. envvar:: HUMANLOOP_REDACT

What is replaced before anything is kept or sent: names of sets (``api_keys,bearer,email,phone,card,iban``), and
regular expressions as ``key:...`` and ``value:...``, apart by spaces.
Default: none
"""
