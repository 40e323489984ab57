"""Writes what the corpus is understood to be: `PYTHONPATH=tests python -m corpus.refresh`. Review the difference."""

from __future__ import annotations

from corpus import captures


def main() -> None:
    for path in captures.files():
        captures.golden(path).write_text(captures.written(captures.name_of(path)), encoding="utf-8")


if __name__ == "__main__":
    main()
