"""A model server that needs no model: OpenAI's wire format, answered by rules.

```python
def capital(request: Request) -> Reply | None:
    return Reply(text="Paris") if "capital of France" in request.prompt else None

with ModelServer([capital]) as server:
    client = OpenAI(base_url=server.base_url, api_key="any")
```

The demo lets its chain talk to it, and so do the tests, each with rules of their own. It is a real server on a real
socket: chat, completions, embeddings and the Responses API, whole and streamed, with errors in OpenAI's shape. What it
says depends on the request alone; only ids and times differ from one run to the next.

```
Request ──► Rule ──► Reply ──► settle ──► Answer ──► chat · completions · responses
   exchange.py                     answer.py        (embeddings need no rule)
```
"""

from otel_humanloop.demo.model_server.answer import echo
from otel_humanloop.demo.model_server.exchange import Failure, Reply, Request, Rule, Tokens, ToolCall, Turn
from otel_humanloop.demo.model_server.service import ModelServer

__all__ = ["Failure", "ModelServer", "Reply", "Request", "Rule", "Tokens", "ToolCall", "Turn", "echo"]
