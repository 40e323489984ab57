"""How much of what captured calls of models hold arrives in Humanloop: `PYTHONPATH=tests python -m scorecard`.

What is right is known without the reader: the model server gave fixed answers and counts to fixed questions, so each
scenario's conversation is written down here by hand. What a span *holds* is whether those words and numbers stand
anywhere in what was captured for it, its log records included. Each field that is held must be in the log.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec
from corpus import captures
from scenarios import ASKED_OTHERWISE, ERRORS, SCENARIOS, WITHOUT_CALLS, Call

FIELDS = (
    *("model", "messages", "output", "tool calls", "prompt tokens", "output tokens"),
    *("finish reason", "error", "session", "user"),
)

# The names captured calls of models have, or begin with.
_CALL_NAMES = (
    *("openai.chat", "openai.completion", "openai.response", "chat ", "ChatCompletion", "Completion", "Response"),
    *("anthropic.chat", "anthropic.messages.create", "messages.create", "messages.stream", "ChatOpenAI"),
    *(
        "Message with",
        "groq.chat",
        "cohere.chat",
        "ollama.chat",
        "ollama.completion",
        "mistralai.chat",
        "bedrock.",
        "generate_content",
    ),
    *("GenerateContent", "MistralClient", "Chat.", "call_llm", "OpenAI-generation", "greet", "LM.__call__"),
    *("OpenAIServerModel", "OpenAIChat.", "OpenAIChatGenerator", "completion", "OpenAI.chat", "generation", "response"),
    *("OpenAIChatCompletionClient", "OpenAI Chat Completions", "OpenAI Completions", "OpenAI Responses"),
    *("Anthropic Messages", "together.chat", "vertexai.generate_content", "OpenAIChatModel", "ClientV2.chat"),
    *("openai/gpt-4o",),
    *("litellm_request", "raw_gen_ai_request", "Chat Completion with", "Responses API with", "streaming response from"),
)
_CALL_ENDINGS = (".doGenerate", ".doStream")


_MODELS = (
    *("gpt-4o", "o3-mini", "gpt-3.5-turbo-instruct", "claude-sonnet-4-20250514", "claude-3-5-sonnet-20240620"),
    *("meta-llama/Llama-3.3-70B-Instruct-Turbo",),
    *("llama-3.3-70b-versatile", "mistral-large-latest", "command-r-plus", "llama3.2", "gemini-2.5-flash"),
)


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One field of one call that its span holds, and whether the log has it."""

    instrumentation: str
    where: str
    field: str
    right: bool
    wanted: Any
    found: Any


def cells() -> Iterator[Cell]:
    """All of them, over the whole corpus."""
    for path in captures.files():
        name = captures.name_of(path)
        folder, _, scenario = name.rpartition("/")
        family = folder.partition("/")[0]
        product = family.rpartition("-")[0]
        calls = ASKED_OTHERWISE.get((product, scenario), SCENARIOS.get(scenario))
        if scenario in WITHOUT_CALLS or scenario in ("manual_genai", "chain"):
            continue
        if calls is None:
            raise LookupError(f"the scorecard does not know what was asked in {name}")
        yield from _of_file(name, family, calls)


def _of_file(name: str, family: str, calls: tuple[Call, ...]) -> Iterator[Cell]:
    raw = _spans(name)
    logs = {log["reference_id"]: log for wave in captures.sent(name) for log in wave}
    made = sorted((span for span in raw if _is_call(span)), key=lambda span: int(span["endTimeUnixNano"]))
    for group in _by_call(made):
        logged = [logs[span["spanId"]] for span in group if span["spanId"] in logs]
        number = len({id(one) for one in made if int(one["endTimeUnixNano"]) < int(group[0]["startTimeUnixNano"])})
        call = next((one for one in calls if one.number in (None, number)), calls[0] if calls else None)
        where = f"{name} {group[0]['name']}"
        if call is None:
            continue
        yield Cell(
            instrumentation=family, where=where, field="one log", right=len(logged) == 1, wanted=1, found=len(logged)
        )
        if logged:
            for field, wanted, found in _compared(call, group, logged[0]):
                right = all(one in found for one in wanted)
                yield Cell(instrumentation=family, where=where, field=field, right=right, wanted=wanted, found=found)


def _by_call(made: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The spans of one call: by the response's id, or a stream's opening and its end (Logfire), or by their failure."""
    groups: list[list[dict[str, Any]]] = []
    for span in made:
        ids = _values(span, ".response.id", ".openai.id") or _ids_in_answer(span)
        for group in groups:
            same = ids and ids & group[0].setdefault("ids", set())
            opened = span["name"].startswith("streaming response") and len(group) == 1
            if same or opened or (not ids and _failed_together(span, group[0])):
                group.append(span)
                break
        else:
            span["ids"] = ids
            groups.append([span])
    return groups


def _failed_together(span: dict[str, Any], other: dict[str, Any]) -> bool:
    """A client's span below an instrumentation's, of one call that failed."""
    related = span.get("parentSpanId") == other["spanId"] or other.get("parentSpanId") == span["spanId"]
    failed = all(one.get("status", {}).get("code") == 2 for one in (span, other))
    return related and failed and span["scope"] != other["scope"]


def _compared(call: Call, group: list[dict[str, Any]], log: dict[str, Any]) -> Iterator[tuple[str, list[Any], Any]]:
    """Of each field that is held: what is to be found, and where it is looked for."""
    held = " ".join(_text(span) for span in group)
    metadata = log.get("metadata", {})
    said = json.dumps(log.get("messages"), ensure_ascii=False)
    output = log.get("output") or ""
    for model in _MODELS:
        if model in held:
            yield "model", [model], log["config"]["model"]
    asked = [_json(text) for text in call.asked if _stands(text, group)]
    if asked:
        yield "messages", asked, said
    if call.answer is not None and _stands(call.answer, group):
        yield "output", [call.answer], output
    wanted = [
        word for name, word in call.calls if _stands(name, group) and _stands(word, group) for word in (name, word)
    ]
    if wanted and any(key in held for key in ("tool_calls", "toolCalls", "tool_call", "function_call")):
        yield "tool calls", wanted, json.dumps(log.get("output_message"), ensure_ascii=False)
    completion = log["config"]["model"] == "gpt-3.5-turbo-instruct"
    for field, key, counts in (
        ("prompt tokens", "prompt_tokens", {5} if completion else {1117}),
        ("output tokens", "output_tokens", {6} if completion else {46, 47}),
    ):
        stated = {number for span in group for number in _numbers(span)} & counts
        if stated:
            yield field, [True], [log.get(key) in stated]
    reasons = {reason for span in group for reason in _reasons(span)}
    if reasons:
        found = metadata.get("finish_reason")
        yield "finish reason", [True], [bool(reasons & set(found if isinstance(found, list) else [found]))]
    if any(span.get("status", {}).get("code") == 2 for span in group):
        told = [text for text in ERRORS if text in held] or sorted(_values_of(group, "error.type"))
        yield "error", told[:1], log.get("error") or ""
    for field, key, values in (
        ("user", "user", ("user-77", "user-1", "user-7")),
        ("session", "conversation", ("sess-1", "conv-123", "conv-1", "thread-8")),
    ):
        stated = {value for span in group for _, value in _leaves(span) if value in values}
        if stated:
            yield field, [True], [metadata.get(key) in stated]


def _spans(name: str) -> list[dict[str, Any]]:
    """The spans of a file as captured, each with the values of its attributes and of its log records by key."""
    request = json.loads((captures.FOLDER / f"{name}.json").read_bytes())
    spans = [
        {**span, "scope": scope["scope"].get("name", "")}
        for resource in request["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    logs = captures.FOLDER / f"{name}{captures.LOGS}"
    records = json.loads(logs.read_bytes())["resourceLogs"] if logs.exists() else []
    for span in spans:
        span["held"] = list(_plain(span.get("attributes", []), "")) + [
            leaf
            for event in span.get("events", [])
            for leaf in _plain(event.get("attributes", []), f"event {event['name']} ")
        ]
        for record in (one for resource in records for scope in resource["scopeLogs"] for one in scope["logRecords"]):
            if record.get("spanId") == span["spanId"]:
                prefix = f"record {record.get('eventName', '')} "
                span["held"].extend(_plain(record.get("attributes", []), prefix))
                span["held"].extend(_plain([{"key": "body", "value": record.get("body", {})}], prefix))
    return spans


def _plain(attributes: list[dict[str, Any]], prefix: str) -> Iterator[tuple[str, Any]]:
    """The leaves of OTLP attributes, by their dotted keys; JSON text is opened."""
    for attribute in attributes:
        yield from _opened(prefix + attribute["key"], _otlp(attribute["value"]))


def _otlp(value: dict[str, Any]) -> Any:
    [(kind, inner)] = value.items() or [("none", None)]
    if kind == "arrayValue":
        return [_otlp(one) for one in inner.get("values", [])]
    if kind == "kvlistValue":
        return {one["key"]: _otlp(one["value"]) for one in inner.get("values", [])}
    return int(inner) if kind == "intValue" else inner


def _opened(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, str) and value[:1] in "[{" and value[:1]:
        try:
            value = json.loads(value)
        except ValueError:
            yield key, value
            return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _opened(f"{key}.{name}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _opened(key, inner)
    else:
        yield key, value


def _leaves(span: dict[str, Any]) -> list[tuple[str, Any]]:
    return span["held"]


def _values(span: dict[str, Any], *endings: str) -> set[str]:
    return {value for key, value in _leaves(span) if key.endswith(endings) and isinstance(value, str)}


def _values_of(group: list[dict[str, Any]], ending: str) -> set[str]:
    return {value for span in group for value in _values(span, ending)}


def _ids_in_answer(span: dict[str, Any]) -> set[str]:
    return {value for key, value in _leaves(span) if key == "output.value.id" and isinstance(value, str)}


def _text(span: dict[str, Any]) -> str:
    status = span.get("status", {}).get("message", "")
    return " ".join([status, *(f"{key} {value}" for key, value in _leaves(span))])


def _stands(text: str, group: list[dict[str, Any]]) -> bool:
    """Whether those words stand among what the spans hold of a conversation (not in a name or a description)."""
    spoken = (
        "message",
        "prompt",
        "completion",
        "input",
        "output",
        "choice",
        "ai.",
        "llm.",
        "response",
        "body",
        "content",
    )
    passing = ("tool", "definitions", "functions", "schema", "exception")
    return any(
        text in str(value)
        for span in group
        for key, value in _leaves(span)
        if any(word in key for word in spoken) and (len(text) > 12 or not any(word in key for word in passing[1:]))
    )


def _numbers(span: dict[str, Any]) -> Iterator[int]:
    for key, value in _leaves(span):
        if ("usage" in key or "token" in key) and str(value).isdigit():
            yield int(value)


def _reasons(span: dict[str, Any]) -> Iterator[str]:
    for key, value in _leaves(span):
        ending = key.rpartition(".")[2]
        if ending in ("finish_reasons", "finish_reason", "finishReason", "stop_reason") and value and value != "error":
            yield str(value).strip('"')


def _is_call(span: dict[str, Any]) -> bool:
    name = span["name"]
    raw = any(key.startswith("gen_ai.output.messages") for key, _ in _leaves(span)) and span["scope"] == "my.app"
    return name == "Chat" or name.startswith(_CALL_NAMES) or name.endswith(_CALL_ENDINGS) or raw


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def main() -> int:
    """Prints the table, and below it each field that was lost. Ends with 1 where one was."""
    held: dict[str, Counter[str]] = defaultdict(Counter)
    right: dict[str, Counter[str]] = defaultdict(Counter)
    lost: list[Cell] = []
    columns = ("one log", *FIELDS)
    for cell in cells():
        held[cell.instrumentation][cell.field] += 1
        right[cell.instrumentation][cell.field] += cell.right
        if not cell.right:
            lost.append(cell)
    lines = [" " * 32 + "".join(f"{column:>15}" for column in columns)]
    for instrumentation in sorted(held):
        shares = (
            f"{right[instrumentation][column]}/{held[instrumentation][column]}"
            if held[instrumentation][column]
            else "-"
            for column in columns
        )
        lines.append(f"{instrumentation:<32}" + "".join(f"{share:>15}" for share in shares))
    total = sum(sum(counts.values()) for counts in held.values())
    lines.append(f"\n{total - len(lost)} of {total} fields that captured calls hold are in their logs")
    for cell in lost:
        lines.append(f"lost: {cell.field} of {cell.where}: {cell.wanted!r:.120} not in {cell.found!r:.160}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
