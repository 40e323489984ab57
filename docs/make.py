"""Writes the pages that are made of the program's own tables: `python docs/make.py` (or `make docs`)."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from otel_humanloop.reading import conventions
from otel_humanloop.reading.convention import Convention, Counting, Fields, Rank, Reader, discover

FOLDER = Path(__file__).parent

_MADE = "<!-- Made by `make docs` of the convention tables: change those. -->\n\n"

_RANKS = {
    Rank.EXPLICIT: "What the program itself says to Humanloop",
    Rank.FRAMEWORK: "Frameworks and products, in dialects of their own",
    Rank.STRUCTURED: "OpenTelemetry GenAI",
    Rank.OPENINFERENCE: "OpenInference",
    Rank.INDEXED: "Flat families of keys",
    Rank.BLOB: "Input and output, each as one value",
    Rank.BARE: "Keys anyone may have written",
}


def pages() -> dict[Path, str]:
    """The text of every page, by where it stands."""
    found = discover(conventions)
    return {FOLDER / "conventions.md": _conventions(found), FOLDER / "tokens.md": _tokens(found)}


def _conventions(found: tuple[Convention, ...]) -> str:
    lines = [
        "# Conventions",
        "",
        _MADE.strip(),
        "",
        "What is read of a span, by whom, and from which attributes. For each field of an operation, the first"
        " convention that says something is heard, from the top of this page to its end; parameters, tokens, costs and"
        " metadata are completed by those below. A key that ends in a dot stands for all keys that begin so. What no"
        " convention reads is kept in the log's metadata. `otel-humanloop explain FILE` shows which key gave what.",
        "",
    ]
    for rank in Rank:
        lines += [f"## {_RANKS[rank]}", ""]
        for convention in found:
            if convention.rank is rank:
                lines += _convention(convention)
    return "\n".join(lines).rstrip() + "\n"


def _convention(convention: Convention) -> list[str]:
    module = import_module(f"{conventions.__name__}.{convention.name}")
    noticed = [
        *(["in the scopes " + _codes(convention.scopes)] if convention.scopes else []),
        *(["by the keys " + _codes(convention.keys)] if convention.keys else []),
        *(["by the events " + _codes(convention.events)] if convention.events else []),
    ]
    return [
        f"### {convention.name}",
        "",
        (module.__doc__ or "").strip(),
        "",
        f"Noticed {', '.join(noticed)}.",
        "",
        "| Field | Read from |",
        "|---|---|",
        *(f"| `{field}` | {_sources(reader)} |" for field, reader in _readers(convention)),
        "",
    ]


def _readers(convention: Convention) -> Iterable[tuple[str, Reader[object]]]:
    if convention.presumed_kind is not None and convention.fields.kind is None:
        yield "kind", convention.presumed_kind
    for field in Fields.__struct_fields__:
        reader = getattr(convention.fields, field)
        if reader is not None:
            yield field, reader


def _sources(reader: Reader[object]) -> str:
    events = [f"event `{name}`" for name in reader.events]
    return ", ".join([*(f"`{key}`" for key in reader.keys), *events]) or "the span itself"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _tokens(found: tuple[Convention, ...]) -> str:
    lines = [
        "# Tokens and costs",
        "",
        _MADE.strip(),
        "",
        "A log's `prompt_tokens` are all input tokens, those read from and written to a cache included; its"
        " `output_tokens` are all generated tokens, reasoning included: as OpenTelemetry counts. The parts stand in"
        " `metadata.usage`. Conventions that count otherwise are converted:",
        "",
        "| Convention | Its input includes cached tokens | Its output includes reasoning | |",
        "|---|---|---|---|",
        *(
            f"| `{convention.name}` | {_word(convention.counting.prompt_includes_cache)}"
            f" | {_word(convention.counting.output_includes_reasoning)} | {_note(convention.counting)} |"
            for convention in found
            if convention.counting is not None
        ),
        "",
        "A span that sums up its descendants (an agent's run, the outer span of a Vercel AI call) does not carry their"
        " tokens and costs again. One call of a model that two spans tell of is one log.",
        "",
        "A cost is what the span states. Where it states none, the extra `prices` (`pip install"
        ' "otel-humanloop[prices]"`) prices calls of known models by [genai-prices](https://pypi.org/project/genai-prices/),'
        " and `metadata.priced_by` says so; `HUMANLOOP_PRICES=none` turns that off. Otherwise there is none: a cost is"
        " never guessed.",
    ]
    return "\n".join(lines) + "\n"


def _word(answer: bool | None) -> str:
    return {True: "yes", False: "no", None: "names none"}[answer]


def _note(counting: Counting) -> str:
    return counting.note or " "


def main() -> None:
    """Writes the pages."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
