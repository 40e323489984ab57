"""A Humanloop of your own: the v4 API kept in a database.

```
request ─► guard (who may) ─► requests (a bounded body) ─► logs · sessions · projects ─► store ─► answers
                                                                                           │
                                                              writer: one transaction for all that came together
```

`app.py` puts it together, `serve.py` runs it. It knows the contract (`v4.py`), the settings and the errors, and nothing
of the pipeline that sends to it.
"""
