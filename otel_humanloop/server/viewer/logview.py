"""One log in full, as the drawer shows it, a tab at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from markupsafe import Markup, escape
from sqlalchemy import Connection, select

from otel_humanloop import v4
from otel_humanloop.server.configs import PARAMETERS
from otel_humanloop.server.lines import as_text, shown
from otel_humanloop.server.store import attachments
from otel_humanloop.server.store.schema import configs, projects
from otel_humanloop.server.viewer import diff
from otel_humanloop.server.viewer.chat import Conversation, conversation
from otel_humanloop.server.viewer.folding import Fold, fold
from otel_humanloop.server.viewer.jsonview import laid_out
from otel_humanloop.server.viewer.shapes import array_of, object_of

TABS = ("messages", "io", "config", "metadata", "origin", "raw")

_MOST_FACTS = 2_000
"""Lines of metadata that are shown."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """Another version of a log's project."""

    id: str
    name: str
    logs: int


class ConfigView(msgspec.Struct, frozen=True, kw_only=True):
    """What made the log.

    Attributes:
        parameters: Name and value, those that are set.
        template: Role ("" where there is one text) and the text, its variables marked.
        tools: Name, description and parameters (laid out) of each tool offered.
        rest: What else the config says.
        others: Other versions of the project, the most used first.
        against: The one it is compared with, and the lines that differ.
    """

    id: str
    name: str
    type: str
    description: str | None
    parameters: list[tuple[str, str]]
    template: list[tuple[str, Markup]]
    tools: list[tuple[str, str, Fold]]
    rest: Fold | None
    others: list[Version]
    against: Version | None
    changes: list[diff.Line]


class LogView(msgspec.Struct, frozen=True, kw_only=True):
    """A log with the tab that is open; the other tabs' fields are empty.

    Attributes:
        tabs: Those that have something to show.
        facts: Dotted name and value, of the metadata.
        sources: Field, convention and key.
    """

    log: v4.LogResponse
    tab: str
    tabs: list[str]
    chat: Conversation | None = None
    inputs: list[tuple[str, Fold]] = []
    output: Fold | None = None
    error: Fold | None = None
    extra: list[tuple[str, Fold]] = []
    config: ConfigView | None = None
    facts: list[tuple[str, str]] = []
    sources: list[tuple[str, str, str]] = []
    origin: list[tuple[str, str]] = []
    raw: Fold | None = None


def log_view(
    tx: Connection, log: v4.LogResponse, *, tab: str | None, against: str | None = None, start: int | None = None
) -> LogView:
    """A log with one tab open: `tab`, or else the one that says most.

    Args:
        against: The id of a version its config is compared with.
        start: The message a page of messages begins with.
    """
    metadata = object_of(_value(log.metadata))
    talks = log.messages is not msgspec.UNSET or log.output_message is not msgspec.UNSET
    has = {"messages": talks, "metadata": bool(metadata), "origin": bool(object_of(metadata.get("otel")))}
    tabs = [name for name in TABS if has.get(name, True)]
    open_tab = tab if tab in tabs else tabs[0]
    view = LogView(log=log, tab=open_tab, tabs=tabs)
    fields: dict[str, Any] = {"error": _fold(log.error, plain=True)}
    if open_tab == "messages":
        fields["chat"] = conversation(
            array_of(_value(log.messages)),
            _value(log.output_message),
            metadata,
            start=start,
            kept=attachments.of_log(tx, log.id),
        )
        if log.output_message is msgspec.UNSET:
            fields["output"] = _fold(log.output)
    elif open_tab == "io":
        fields["inputs"] = [(shown(name), fold(value)) for name, value in object_of(_value(log.inputs)).items()]
        fields["output"] = _fold(log.output)
        fields["extra"] = [
            (name.replace("_", " "), text)
            for name in ("judgment", "stdout", "provider_request", "provider_response")
            if (text := _fold(getattr(log, name))) is not None
        ]
    elif open_tab == "config":
        fields["config"] = _config(tx, log, against)
    elif open_tab == "metadata":
        fields["facts"] = facts_of({name: value for name, value in metadata.items() if name != "otel"})
    elif open_tab == "origin":
        fields.update(_origin(object_of(metadata["otel"])))
    else:
        fields["raw"] = fold(msgspec.json.decode(msgspec.json.encode(log)))
    return msgspec.structs.replace(view, **fields)


def facts_of(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    """Nested objects as dotted names with values, in order; walked without recursion."""
    facts: list[tuple[str, str]] = []
    todo: list[tuple[str, Any]] = [(name, value) for name, value in reversed(metadata.items())]
    while todo and len(facts) < _MOST_FACTS:
        name, value = todo.pop()
        inside = object_of(value)
        if inside:
            todo.extend((f"{name}.{key}", below) for key, below in reversed(inside.items()))
        else:
            text = as_text(value)
            facts.append((shown(name), shown(text[:2_000]) + ("…" if len(text) > 2_000 else "")))
    return facts


def _origin(otel: dict[str, Any]) -> dict[str, Any]:
    rows: list[tuple[str, str, str]] = []
    for field, source in object_of(otel.get("sources")).items():
        convention, _, key = as_text(source).partition(": ")
        rows.append((shown(field), shown(convention), shown(key)))
    return {"sources": rows, "origin": facts_of({name: value for name, value in otel.items() if name != "sources"})}


def _config(tx: Connection, log: v4.LogResponse, against: str | None) -> ConfigView:
    config: dict[str, Any] = msgspec.json.decode(log.config)
    rest = dict(config)
    for name in ("id", "name", "type", "description"):
        rest.pop(name, None)
    parameters = [(name, line) for name in PARAMETERS if (line := _parameter(name, rest.pop(name, None))) is not None]
    inputs = object_of(_value(log.inputs))
    template = list(_template(rest.pop("prompt_template", None), rest.pop("chat_template", None), inputs))
    tools = array_of(rest.pop("tools", None))
    rest = {name: value for name, value in rest.items() if value not in (None, {}, [])}
    others, other, changes = _compared(tx, log, config, against)
    return ConfigView(
        id=log.config_id,
        name=shown(as_text(config.get("name") or "")),
        type=str(config.get("type")),
        description=None if config.get("description") is None else shown(as_text(config["description"])),
        parameters=parameters,
        template=template,
        tools=[_tool(tool) for tool in tools],
        rest=fold(rest) if rest else None,
        others=others,
        against=other,
        changes=changes,
    )


def _parameter(name: str, value: Any) -> str | None:
    if value is None or (name == "max_tokens" and value == -1):
        return None
    return shown(as_text(value))


def _tool(tool: Any) -> tuple[str, str, Fold]:
    fields = object_of(tool) or {"parameters": tool}
    return (
        shown(as_text(fields.get("name") or "")),
        shown(as_text(fields.get("description") or "")),
        fold(fields.get("parameters")),
    )


def _template(prompt: Any, chat: Any, inputs: dict[str, Any]) -> Iterator[tuple[str, Markup]]:
    if isinstance(prompt, str):
        yield "", _marked(prompt, inputs)
    for message in array_of(chat):
        said = object_of(message) or {"content": message}
        content = said.get("content")
        yield as_text(said.get("role", "")), _marked("" if content is None else as_text(content), inputs)


def _marked(text: str, inputs: dict[str, Any]) -> Markup:
    """A template with each `{{variable}}` marked, and the value it had as the mark's title."""
    parts = text[:20_000].split("{{")
    marked = escape(shown(parts[0]))
    for part in parts[1:]:
        name, closed, rest = part.partition("}}")
        if not closed:
            marked += escape(shown("{{" + part))
            continue
        variable = name.strip()
        value = shown(as_text(inputs[variable])[:500]) if variable in inputs else "no value was given"
        kind = "filled" if variable in inputs else "unfilled"
        marked += Markup('<mark class="{}" title="{}">{{{{{}}}}}</mark>').format(kind, value, shown(variable))
        marked += escape(shown(rest))
    return marked


def _compared(
    tx: Connection, log: v4.LogResponse, config: dict[str, Any], against: str | None
) -> tuple[list[Version], Version | None, list[diff.Line]]:
    rows = tx.execute(
        select(configs.c.id, configs.c.name, configs.c.logs)
        .join(projects, projects.c.key == configs.c.project)
        .where(projects.c.id == log.project_id, configs.c.id != log.config_id)
        .order_by(configs.c.logs.desc(), configs.c.key.desc())
        .limit(100)
    )
    others = [Version(id=row.id, name=shown(row.name), logs=row.logs) for row in rows]
    other = next((version for version in others if version.id == against), None)
    if other is None:
        return others, None, []
    body = tx.execute(select(configs.c.body).where(configs.c.id == other.id)).scalar_one()
    then: dict[str, Any] = msgspec.json.decode(body)
    changes = diff.lines(laid_out(_comparable(then)), laid_out(_comparable(config)))
    return others, other, changes


def _comparable(config: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sorted(config.items()) if name != "id" and value not in (None, {}, [])}


def _value(raw: msgspec.Raw | msgspec.UnsetType) -> Any:
    return None if raw is msgspec.UNSET else msgspec.json.decode(raw)


def _fold(raw: msgspec.Raw | msgspec.UnsetType, *, plain: bool = False) -> Fold | None:
    return None if raw is msgspec.UNSET else fold(_value(raw), plain=plain)
