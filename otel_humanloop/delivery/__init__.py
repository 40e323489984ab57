"""Stage 4: out, to Humanloop.

```
put ──► sender.Sender ──► client.Client ──► Humanloop v4
        packs, halves,    one request,       │
        waits (retry.py)  one verdict ◄──────┘ answers.py · failures.py
spools/ keep every accepted span (about size.py bytes of it) until the log made of it was acknowledged;
        what outlives the process is in file.py, as batches.py and encoding.py have it; presence.py tells whose it is
```

Nothing here starts a thread, sleeps, or reads a clock to decide when to try again: the pipeline passes `now` and owns
the loop. One thread at a time may use a client or a sender; a spool takes several.
"""
