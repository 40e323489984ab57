"""LiveKit Agents.

https://docs.livekit.io/agents/build/metrics/

Calls of models also carry `otel_genai`'s keys. Newer versions mark what people said with `pii` in the key. Written from
the published keys; there is no capture of it here.
"""

from __future__ import annotations

from typing import Any, cast

from otel_humanloop.operation import Kind, Message
from otel_humanloop.reading import blobs, messages
from otel_humanloop.reading.convention import Convention, Fields, Found, Rank, reads
from otel_humanloop.reading.readers import (
    arguments,
    boolean,
    first,
    gathered,
    identifier,
    json_object,
    json_value,
    mapped,
    number,
    present,
    structure,
    text,
)
from otel_humanloop.reading.values import as_object
from otel_humanloop.spans import Span

_CONTEXT = ("lk.chat_ctx", "lk.pii.chat_ctx")
_ANSWER = ("lk.response.text", "lk.pii.response.text")
_CALLS = ("lk.response.function_calls", "lk.pii.response.function_calls")
_TOOL = "lk.function_tool.name"
_HEARD = ("lk.user_transcript", "lk.pii.user_transcript")
_SPOKEN = ("lk.input_text", "lk.pii.input_text")
_INPUT = ("lk.user_input", "lk.pii.user_input")

_answer = text(*_ANSWER)
_calls = json_value(*_CALLS)
_context = json_object(*_CONTEXT)


def _asked(context: dict[str, Any]) -> tuple[Message, ...] | None:
    items = context.get("items", context.get("messages"))
    return blobs.asked(items)


@reads(_answer, _calls, *_CONTEXT)
def _answered(span: Span) -> Found[tuple[Message, ...]] | None:
    """The text of an answer and its calls of tools, each of which is JSON text of its own."""
    if _context(span) is None:
        return None
    said, called = _answer(span), _calls(span)
    if said is None and called is None:
        return None
    listed = called.value if called is not None else None
    calls = [as_object(call) for call in cast("list[Any]", listed)] if isinstance(listed, list) else []
    told = {
        "role": "assistant",
        "content": said.value if said is not None and said.value else None,
        "tool_calls": [call for call in calls if call is not None],
    }
    taken = (*(said.taken if said is not None else ()), *(called.taken if called is not None else ()))
    return Found((messages.message(told, "assistant"),), ", ".join(taken), taken)


CONVENTION = Convention(
    name="livekit",
    rank=Rank.FRAMEWORK,
    scopes=("livekit-agents",),
    presumed_kind=first(
        present(Kind.TOOL, _TOOL),
        present(Kind.MODEL, *_CONTEXT),
        present(Kind.AGENT, "lk.agent_name", "lk.agent_label", "lk.instructions", "lk.pii.instructions"),
        present(Kind.CHAIN, *_HEARD, *_SPOKEN, *_INPUT, *_ANSWER),
    ),
    fields=Fields(
        name=identifier(_TOOL, "lk.agent_name", "lk.agent_label"),
        conversation=identifier("lk.room_name"),
        messages=mapped(_context, _asked),
        output_messages=_answered,
        inputs=first(
            arguments("lk.function_tool.arguments", "lk.pii.function_tool.arguments"),
            gathered({"user_input": text(*_INPUT), "text": text(*_SPOKEN)}),
        ),
        output=first(
            structure("lk.function_tool.output", "lk.pii.function_tool.output"),
            text(*_ANSWER, *_HEARD),
        ),
        tool_call_id=identifier("lk.function_tool.id"),
        time_to_first_token=number("lk.response.ttft"),
        streaming=boolean("lk.tts.streaming"),
    ),
)
