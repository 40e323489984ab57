"""The parts of a chat message, in every shape they are written, as the parts of `operation`.

Shapes come from OpenTelemetry GenAI, OpenAI (chat and Responses), Anthropic and OpenInference. They agree on `type`;
each type has one row in the table at the end. A part no row knows is kept whole, as `Other`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from otel_humanloop.operation import Media, Other, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from otel_humanloop.reading import jsontext
from otel_humanloop.reading.values import as_text
from otel_humanloop.reading.wrapped import typed

Fields = Mapping[str, Any]


def parts(value: Any) -> tuple[Part, ...]:
    """What a message says: text, one part, or a list of both. JSON text that is a list of parts is opened."""
    if isinstance(value, str):
        value = _opened(value)
    if isinstance(value, list):
        return tuple(part(item) for item in cast("list[Any]", value))
    return () if value is None else (part(value),)


def part(value: Any) -> Part:
    """One part."""
    if isinstance(value, str):
        return Text(text=value)
    if not isinstance(value, dict):
        return Other(value=value)
    fields = cast("dict[str, Any]", value)
    if len(fields) == 2 and fields.get("type") == "text" and isinstance(fields.get("content"), str):
        return Text(text=fields["content"])  # the shape of nearly all
    wrapped = fields.get("message_content")  # OpenInference
    if isinstance(wrapped, dict):
        call = fields.get("tool_call")  # beside it, of a call of a tool
        fields = cast("dict[str, Any]", {**wrapped, **call} if isinstance(call, dict) else wrapped)
    if "type" not in fields:
        fields = typed(fields) or fields
    make = _PARTS.get(fields["type"]) if isinstance(fields.get("type"), str) else _text
    made = make(fields) if make is not None else None
    return Other(value=fields) if made is None else made


def text_of(said: Iterable[Part]) -> str:
    """The text of a message's parts; of what is no text, as JSON."""
    return "\n".join(
        one.text if isinstance(one, (Text, Reasoning, Refusal, ToolResult)) else _written(one) for one in said
    )


def field(fields: Fields, *keys: str) -> str | None:
    """The first of the keys that holds text, and not the empty one."""
    for key in keys:
        value = fields.get(key)
        if isinstance(value, str) and value:
            return value
    return None


def tool_call(fields: Fields) -> ToolCall:
    """A call of a tool: flat, or under `function` as OpenAI has it."""
    function = fields.get("function")
    named: Fields = cast("Fields", function) if isinstance(function, dict) else fields
    arguments = next((named[key] for key in ("arguments", "input", "args") if named.get(key) is not None), "")
    return ToolCall(
        name=field(named, "name") or "",
        id=field(fields, "id", "call_id"),
        arguments=arguments if isinstance(arguments, str) else jsontext.write(arguments),
    )


def reasoning(value: Any) -> Reasoning | None:
    """Reasoning: text, or a list of summaries (also as JSON text) whose texts are lines of it."""
    if isinstance(value, str):
        value = _opened(value)
    if isinstance(value, str):
        return Reasoning(text=value)
    if not isinstance(value, list):
        return None
    return Reasoning(text=text_of(part(item) for item in cast("list[Any]", value)))


def _opened(text: str) -> Any:
    """JSON text that is a list of objects with a type, opened; any other text as it is."""
    if not text.startswith("[{"):
        return text
    value = jsontext.parse(text)
    if not isinstance(value, list):
        return text
    items = cast("list[Any]", value)
    typed = all(isinstance(item, dict) and isinstance(cast("Fields", item).get("type"), str) for item in items)
    return items if typed else text


def _written(one: Part) -> str:
    if isinstance(one, Other):
        return jsontext.write(one.value)
    if isinstance(one, Media):
        return one.url or one.file_id or one.modality
    return jsontext.write(one)


def _text(fields: Fields) -> Part | None:
    text = next((fields[key] for key in ("content", "text") if isinstance(fields.get(key), str)), None)
    if text is None and fields == {"type": "text"}:
        text = ""  # its content was left out on purpose: the part still stands
    return None if text is None else Text(text=text)


def _refusal(fields: Fields) -> Part | None:
    text = next((fields[key] for key in ("refusal", "content") if isinstance(fields.get(key), str)), None)
    return None if text is None else Refusal(text=text)


def _reasoning(fields: Fields) -> Part | None:
    for key in ("content", "text", "thinking", "summary"):
        if fields.get(key):
            return reasoning(fields[key])
    return Reasoning(text="")


def _tool_call(fields: Fields) -> Part | None:
    call = tool_call({**fields, "id": field(fields, "call_id", "id")})
    return call if call.name else None


def _tool_result(fields: Fields) -> Part | None:
    result = next((fields[key] for key in ("response", "result", "output", "content") if key in fields), "")
    text = result if isinstance(result, str) else None
    if text is None:
        inner = parts(result) if isinstance(result, list) else ()
        readable = bool(inner) and all(isinstance(one, Text) for one in inner)
        text = text_of(inner) if readable else jsontext.write(result)
    return ToolResult(text=text, id=field(fields, "id", "tool_call_id", "tool_use_id", "call_id"))


def _uri(fields: Fields) -> Part | None:
    return _media(fields, field(fields, "uri", "url"))


def _blob(fields: Fields) -> Part | None:
    data = field(fields, "content", "data")
    if data is None or data.startswith("data:"):
        return _media(fields, data)
    mime_type = field(fields, "mime_type") or "application/octet-stream"
    return _media(fields, f"data:{mime_type};base64,{data}")


def _media(fields: Fields, url: str | None) -> Media | None:
    file_id = field(fields, "file_id")
    if url is None and file_id is None:
        return None
    mime_type = field(fields, "mime_type")
    modality = field(fields, "modality") or (mime_type or "file").partition("/")[0]
    return Media(
        modality=modality if modality in ("image", "audio", "video") else "file",
        url=url,
        file_id=file_id,
        mime_type=mime_type,
    )


def _image(fields: Fields) -> Part | None:
    """OpenAI's `image_url` and `input_image`, OpenInference's `image`, Anthropic's `image` with its `source`."""
    source = fields.get("source")
    if isinstance(source, dict):
        return _sourced("image", cast("Fields", source))
    image = fields.get("image_url", fields.get("image"))
    detail = field(fields, "detail")
    while isinstance(image, dict):  # {"url": ...}, and OpenInference's {"image": {"url": ...}}
        inner = cast("Fields", image)
        detail = detail or field(inner, "detail")
        image = inner.get("url", inner.get("image"))
    file_id = field(fields, "file_id")
    if not isinstance(image, str) and file_id is None:
        return None
    return Media(modality="image", url=as_text(image), file_id=file_id, detail=detail)


def _sourced(modality: str, source: Fields) -> Part | None:
    mime_type = field(source, "media_type")
    data = field(source, "data")
    url = f"data:{mime_type or 'application/octet-stream'};base64,{data}" if data else field(source, "url")
    file_id = field(source, "file_id")
    if url is None and file_id is None:
        return None
    return Media(modality=modality, url=url, file_id=file_id, mime_type=mime_type)


def _document(fields: Fields) -> Part | None:
    source = fields.get("source")
    return _sourced("file", cast("Fields", source)) if isinstance(source, dict) else None


def _audio(fields: Fields) -> Part | None:
    """OpenAI's `input_audio` (data and format), and the `audio` of an answer (an id, and a transcript)."""
    audio = fields.get("input_audio", fields.get("audio"))
    if not isinstance(audio, dict):
        return None
    inner = cast("Fields", audio)
    data = field(inner, "data", "url")
    mime_type = f"audio/{field(inner, 'format') or 'wav'}"
    url = data if data is None or data.startswith(("http:", "https:", "data:")) else f"data:{mime_type};base64,{data}"
    file_id = field(inner, "id")
    return Media(modality="audio", url=url, file_id=file_id, mime_type=mime_type) if url or file_id else None


def _file(fields: Fields) -> Part | None:
    """OpenAI's `file` and `input_file`, GenAI's `file`."""
    nested = fields.get("file")
    inner: Fields = cast("Fields", nested) if isinstance(nested, dict) else fields
    return _media({**fields, **inner}, field(inner, "file_data", "file_url"))


_PARTS: Mapping[str, Callable[[Fields], Part | None]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "summary_text": _text,
    "reasoning_text": _text,
    "refusal": _refusal,
    "reasoning": _reasoning,
    "thinking": _reasoning,
    "tool_call": _tool_call,
    "tool_use": _tool_call,
    "function": _tool_call,
    "function_call": _tool_call,
    "tool_call_response": _tool_result,
    "tool_result": _tool_result,
    "function_call_output": _tool_result,
    "uri": _uri,
    "blob": _blob,
    "image": _image,
    "image_url": _image,
    "input_image": _image,
    "input_audio": _audio,
    "audio": _audio,
    "file": _file,
    "input_file": _file,
    "document": _document,
}
