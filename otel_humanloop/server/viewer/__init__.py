"""Sessions as pages, rendered on the server; scripts add to them, and no page needs one.

`pages.py` is the table of routes. What a page shows is gathered by the module named after it (`session_view`, `drawer`,
`logview`, `project_view`, `comparing`) from `entries` (logs as the viewer needs them) and `finding` (the list), and
written by a template. `showing.py` says what a page may load: this server's own files, and nothing else.
"""
