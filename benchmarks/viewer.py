"""How long the viewer's pages take with many logs: `python -m benchmarks.viewer`.

A million logs in 200,000 sessions, and one session of 1,000 logs. The list, in every order and with every filter, and
that session are to answer within 50 ms of server time. Told are the median and the slowest of 30 answers, after one
that is not counted, and the median of what they took of the processor, which a busy machine does not change.

    python -m benchmarks.viewer --logs 20000          # only see that it runs
    python -m benchmarks.viewer --database big.db     # keep what was made, and use it again
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from sqlalchemy import func, select
from starlette.testclient import TestClient

from otel_humanloop.server.app import create_app
from otel_humanloop.server.configs import config_draft
from otel_humanloop.server.store import Store, open_store
from otel_humanloop.server.store.posting import post
from otel_humanloop.server.store.records import Content, LogDraft
from otel_humanloop.server.store.schema import logs

ROUNDS = 30
TARGET_MS = 50
_BATCH = 2_000
_START = 1_700_000_000_000_000
_LARGE = "large"
"""The reference of the session of 1,000 logs."""

_WORDS = (
    "order",
    "return",
    "invoice",
    "refund",
    "language",
    "plan",
    "export",
    "ship",
    "cancel",
    "data",
    "account",
    "carrier",
)


def drafts(number: int) -> Iterator[LogDraft]:
    """That many logs: sessions of five, then one session of a thousand."""
    choose = random.Random(1)
    models = [config_draft({"model": name}, ()) for name in ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4")]
    rare = config_draft({"model": "rare-model"}, ())
    tool = config_draft({"type": "tool", "name": "search"}, ())
    for index in range(number):
        session, place = divmod(index, 5)
        large = index >= number - 1_000
        reference = f"{_LARGE}-{index}" if large else f"{session:x}-{place}"
        above = f"{_LARGE}-{max(number - 1_000, index - 7)}" if large else f"{session:x}-{place - 1}"
        question = " ".join(choose.choices(_WORDS, k=6))
        yield LogDraft(
            project=f"project-{choose.randrange(20)}",
            session_reference_id=_LARGE if large else f"{session:032x}",
            reference_id=reference,
            parent_reference_id=above if place and above != reference else None,
            created_at=_START + (session if not large else number) * 3_000_000 + place * 400_000 + index,
            duration=choose.random() * 2,
            prompt_tokens=choose.randrange(2_000),
            output_tokens=choose.randrange(300),
            prompt_cost=choose.random() / 100,
            config=rare if index % 50_000 == 0 else choose.choice(models) if place % 2 == 0 else tool,
            content=Content(
                inputs=_json({"question": question, "number": index}),
                messages=_json([{"role": "user", "content": f"{question} " * 12}]),
                output=_json(f"{question} " * 20),
                metadata=_json({"user": f"user-{choose.randrange(5_000)}"}),
                **({"error": _json("TimeoutError: too slow")} if choose.random() < 0.005 else {}),
            ),
        )


def fill(store: Store, number: int) -> None:
    """Brings a store to that many logs, as a client's posts would."""
    there = store.read(lambda tx: tx.execute(select(func.count()).select_from(logs)).scalar_one())
    if there >= number:
        return
    made = drafts(number)
    done = 0
    while batch := list(islice(made, _BATCH)):
        store.write(partial(post, drafts=batch, now=time.time_ns() // 1000, strict_parents=False, single=False))
        done += len(batch)
        if done % 50_000 < _BATCH:
            sys.stderr.write(f"\r{done:,} logs")
    sys.stderr.write("\n")


def measure(store: Store) -> bool:
    """Asks for each page, prints what it took, and tells whether all of them were in time."""
    client = TestClient(create_app(store), base_url="http://127.0.0.1")
    sessions = client.get("/v4/sessions", params={"reference_id": _LARGE}).json()["records"]
    projects = client.get("/v4/projects", params={"size": 1}).json()["records"]
    deep = client.get("/").text
    for _ in range(20):
        deep = client.get(deep.rsplit('rel="next" href="', 1)[1].partition('"')[0].replace("&amp;", "&")).text
    further = deep.rsplit('rel="next" href="', 1)[1].partition('"')[0].replace("&amp;", "&")
    pages = {
        "the list": "/",
        "the list, page 22": further,
        "of a project": f"/?project={projects[0]['id']}",
        **{f"by {sort}": f"/?sort={sort}" for sort in ("duration", "logs", "tokens", "cost")},
        "errors only": "/?errors=1",
        "longer than 3 s": "/?min_duration=3",
        "dearer than 4 cents": "/?min_cost=0.04",
        "of a common model": "/?model=gpt-4o",
        "of a rare model": "/?model=rare-model",
        "of a user": "/?user=user-77",
        "searched for words": "/?q=refund+carrier+plan",
        "searched for an id": f"/?q={sessions[0]['id']}",
        "projects": "/projects",
        "a session of 1,000 logs": f"/sessions/{sessions[0]['id']}",
    }
    in_time = True
    for name, path in pages.items():
        took: list[float] = []
        worked: list[float] = []
        for _ in range(ROUNDS + 1):
            began, before = time.perf_counter(), time.process_time()
            answer = client.get(path)
            took.append((time.perf_counter() - began) * 1000)
            worked.append((time.process_time() - before) * 1000)
            answer.raise_for_status()
        median, slowest = statistics.median(took[1:]), max(took[1:])
        work = statistics.median(worked[1:])
        in_time &= work <= TARGET_MS
        size = len(answer.content) // 1024
        print(f"{name:28} {median:8.1f} ms {slowest:8.1f} ms {work:8.1f} ms CPU {size:6} KiB")  # noqa: T201
    return in_time


def main() -> int:
    """Fills a database and measures; ends with 1 where a median is above the target."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.viewer", description=__doc__)
    parser.add_argument("--logs", type=int, default=1_000_000)
    parser.add_argument("--database", type=Path)
    arguments = parser.parse_args()
    with TemporaryDirectory() as directory:
        path = (arguments.database or Path(directory) / "viewer.db").absolute()
        with open_store(f"sqlite:///{path}") as store:
            fill(store, arguments.logs)
            return 0 if measure(store) else 1


def _json(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


if __name__ == "__main__":
    sys.exit(main())
