"""Writes what becomes of the corpus: `PYTHONPATH=tests python -m corpus.refresh`. Review the difference."""

from __future__ import annotations

from corpus import captures


def main() -> None:
    for path in captures.files():
        for golden, value in captures.goldens(path).items():
            golden.write_text(captures.written(value), encoding="utf-8")


if __name__ == "__main__":
    main()
