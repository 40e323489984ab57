"""Prompt templates, with `{{name}}` for a variable as Humanloop has it, whichever braces the program uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from otel_humanloop.operation import Template
from otel_humanloop.reading.convention import Found, Reader, reads
from otel_humanloop.spans import Span

Variables = Mapping[str, Any]


def template(
    text: Reader[str],
    variables: Reader[Variables],
    *,
    name: Reader[str] | None = None,
    version: Reader[str] | None = None,
) -> Reader[Template]:
    """A reader of a template that is one text, with what a registry of prompts knows of it.

    Single braces are a variable only around the name of one, so that a template about JSON stays what it is. The
    variables are read to know their names; they are not used up.
    """

    readers = {"text": text, "name": name, "version": version}
    known_readers = {field: reader for field, reader in readers.items() if reader is not None}

    @reads(*known_readers.values())
    def read(span: Span) -> Found[Template] | None:
        said = {field: found for field, reader in known_readers.items() if (found := reader(span)) is not None}
        if "text" not in said and "name" not in said:
            return None
        known = {field: found.value for field, found in said.items()}
        names = variables(span)
        written = known.get("text")
        if written is not None and names is not None:
            written = doubled(written, names.value)
        return Found(
            Template(text=written, name=known.get("name"), version=known.get("version")),
            ", ".join(found.key for found in said.values()),
            tuple(key for found in said.values() for key in found.taken),
        )

    return read


def doubled(text: str, variables: Variables) -> str:
    """The template with `{name}` as `{{name}}` for each of the variables; what is doubled already stays."""
    if not variables:
        return text
    names = "|".join(re.escape(name) for name in variables)
    return re.sub(rf"(?<!\{{)\{{({names})\}}(?!\}})", r"{{\1}}", text)
