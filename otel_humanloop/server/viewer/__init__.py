"""Sessions as pages: `/` lists the newest, `/sessions/{id}` shows one as a tree of its logs.

Rendered on the server, without a script. A page may load its own stylesheet and nothing else.
"""
