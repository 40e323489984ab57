"""What a write asks SQLite costs the same however many logs there are: no table of logs or sessions is gone through."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, event
from support_server import TOOL, Api

from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import open_store

LARGE = ("logs", "sessions", "contents", "session_projects")


def test_no_write_goes_through_all_that_is_there() -> None:
    asked: list[tuple[str, Any]] = []

    def executed(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        asked.append((statement, parameters[0] if many else parameters))

    def wave(names: str, above: str | None) -> list[dict[str, Any]]:
        return [
            {
                "project": "p",
                "config": TOOL,
                "session_reference_id": f"s{number}",
                "reference_id": f"{names}{number}",
                **({} if above is None else {"parent_reference_id": f"{above}{number}"}),
            }
            for number in range(10)
        ]

    def plans(tx: Connection) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for statement, parameters in asked:
            if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
                rows = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                found[statement] = [row[3] for row in rows]
        return found

    with open_store("sqlite://") as store:
        api = Api(create_app(store))
        api.ask("POST", "logs", json=wave("root", None))
        event.listen(Engine, "before_cursor_execute", executed)
        try:
            posted = api.ask("POST", "logs", json=wave("child", "root"))
            api.ask("PATCH", f"logs/{posted[0]['id']}", json={"output": "done"})
            api.ask("DELETE", "logs", params={"id": posted[1]["id"]}, status=204)
        finally:
            event.remove(Engine, "before_cursor_execute", executed)
        kept = store.write(plans)
    assert len(kept) > 10
    for statement, plan in kept.items():
        through = [
            step for step in plan for name in LARGE if step == f"SCAN {name}" or step.startswith(f"SCAN {name} ")
        ]
        newest = "max(" in statement  # the highest key is the last of the table
        assert newest or through == [], statement
