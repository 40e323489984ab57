"""The index of words holds each log's words as they are now: none too few, and none of what was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from support_server import TOOL, Api

from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import Store, open_store, words
from otel_humanloop.server.store.indexer import SOON
from otel_humanloop.server.store.records import Content
from otel_humanloop.server.store.texts import LONGEST_WORD, texts_of, vocabulary_of, words_of

LETTERS = 'aBz09 _-.,"\\/\n\tn\u001bßéÉ\u0301ﬁ½日本ไทย\u2019—…😀\ue000\u017f'
TALK = st.text(alphabet=st.sampled_from(LETTERS), max_size=30)


def content(**said: object) -> Content:
    return Content(**{name: msgspec.Raw(msgspec.json.encode(value)) for name, value in said.items()})


def found(api: Api, project: str, **search: str) -> set[str | None]:
    page = api.ask("GET", "logs", params={"project_id": project, **search})
    return {log.get("reference_id") for log in page["records"]}


def indexed(store: Store) -> set[str]:
    """Every word of SQLite's index of contents that stands in a log."""

    def work(tx):  # type: ignore[no-untyped-def]
        tx.execute(text("CREATE VIRTUAL TABLE temp.seen USING fts5vocab('main', 'log_words', 'row')"))
        rows = tx.execute(text("SELECT term FROM temp.seen WHERE doc > 0")).scalars().all()
        tx.execute(text("DROP TABLE temp.seen"))
        return set(rows)

    return store.write(work)


@given(st.lists(TALK, max_size=4))
def test_sqlite_takes_texts_apart_as_a_question_is(said: list[str]) -> None:
    texts = texts_of(content(output="|".join(said)))
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE VIRTUAL TABLE x USING fts5(words, content='', detail=none, tokenize='ascii')")
        database.execute("INSERT INTO x (rowid, words) VALUES (1, ?)", (texts.content,))
        database.execute("CREATE VIRTUAL TABLE seen USING fts5vocab(x, 'row')")
        assert {term for (term,) in database.execute("SELECT term FROM seen")} == set(words_of("|".join(said)))


@given(TALK | st.text(st.characters(max_codepoint=0x7F)), st.integers(0, 2 * LONGEST_WORD))
def test_the_vocabulary_of_a_text_is_its_words_each_once(said: str, length: int) -> None:
    said = f"{said} {'Long1' * length} {said}"
    found = vocabulary_of(texts_of(content(output=said)).content).split()
    assert len(found) == len(set(found))
    assert set(found) == set(words_of(said))


@pytest.mark.parametrize("length", [LONGEST_WORD - 1, LONGEST_WORD, LONGEST_WORD + 1, 10 * LONGEST_WORD])
@pytest.mark.parametrize("before", [0, 1, LONGEST_WORD // 2 - 1, LONGEST_WORD // 2, LONGEST_WORD])
def test_a_long_word_is_cut_wherever_it_stands(before: int, length: int) -> None:
    said = " ".join(filter(None, ("a" * before, "b" * length, "c")))
    assert vocabulary_of(said).split() == [word[:LONGEST_WORD] for word in said.split()]


def test_the_output_is_read_once_where_the_message_says_it_again() -> None:
    same = texts_of(content(output="seldom", output_message={"role": "assistant", "content": "seldom"}))
    other = texts_of(content(output="seldom", output_message={"role": "assistant", "content": "often"}))
    assert (same.content.count("seldom"), other.content.count("seldom"), other.content.count("often")) == (1, 1, 1)


def test_where_a_log_came_from_is_no_word_of_it() -> None:
    texts = texts_of(content(metadata={"user": "ada", "plan": "pro", "otel": {"scope": "openinference"}}))
    assert ("pro" in texts.metadata, "openinference" in texts.metadata, texts.user) == (True, False, "ada")


@pytest.mark.parametrize("number", [2, words.MANY + 2])
def test_few_and_many_are_found_changed_and_forgotten(api: Api, number: int) -> None:
    body = [
        {"project": "p", "config": TOOL, "reference_id": str(n), "output": f"before{n} common", "metadata": {"n": n}}
        for n in range(number)
    ]
    posted = api.ask("POST", "logs", json=body)
    project = posted[0]["project_id"]
    assert found(api, project, search="common", size="1000") == {str(n) for n in range(number)}
    assert found(api, project, search="before0", metadata_search="0") == {"0"}
    api.ask("PATCH", f"logs/{posted[1]['id']}", json={"output": "after"})
    assert found(api, project, search="after") == {"1"}
    assert "1" not in found(api, project, search="before1")
    api.ask("PATCH", f"logs/{posted[1]['id']}", json={"output": "later"})
    assert (found(api, project, search="after"), found(api, project, search="later")) == (set(), {"1"})
    api.ask("DELETE", "logs", params={"id": posted[1]["id"]}, status=204)
    assert found(api, project, search="later") == set()
    assert found(api, project, search="before0") == {"0"}


def test_a_key_that_is_given_again_finds_none_of_the_words_it_had(api: Api) -> None:
    """Keys count on from the highest there is: the log that comes after the newest was deleted has its key."""
    first = api.log(output="first")
    found(api, first["project_id"], search="first")
    api.ask("DELETE", "logs", params={"id": first["id"]}, status=204)
    second = api.log(output="second", reference_id="second")
    assert found(api, second["project_id"], search="first") == set()
    assert found(api, second["project_id"], search="second") == {"second"}


@pytest.mark.parametrize("endings", [0, 3, 200])
def test_a_word_is_found_by_its_beginning_however_many_go_on_from_it(api: Api, endings: int) -> None:
    said = ["plan", *(f"plan{n}" for n in range(endings)), "pla", "plané", "planた", "qlan"]
    body = [{"project": "p", "config": TOOL, "reference_id": word, "output": word} for word in said]
    project = api.ask("POST", "logs", json=body)[0]["project_id"]
    assert found(api, project, search="plan", size="1000") == {word for word in said if word.startswith("plan")}
    assert found(api, project, search="PLANE") == set()
    assert found(api, project, search="た plan") == {"planた"}


def test_nothing_of_what_was_deleted_stays_in_the_index(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'x.db'}") as store:
        api = Api(create_app(store))
        body = [{"project": "p", "config": TOOL, "output": f"number{n} of many"} for n in range(words.MANY)]
        ids = [log["id"] for log in api.ask("POST", "logs", json=body)]
        project = api.log(project="p", output="one more")["project_id"]
        found(api, project, search="one")
        assert indexed(store) >= {"many", "number3", "more"}
        api.ask("DELETE", "logs", params={"id": ids}, status=204)
        assert indexed(store) == {"one", "more"}


def test_sqlite_is_told_how_many_pieces_of_the_index_it_puts_together(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with open_store(f"sqlite:///{path}"):
        pass
    with closing(sqlite3.connect(path)) as database:
        for name in ("log_words", "log_facts"):
            asked = f"SELECT v FROM {name}_config WHERE k = 'automerge'"
            assert database.execute(asked).fetchall() == [(8,)]


def test_a_search_says_how_many_logs_it_has_not_looked_into(api: Api, store: Store) -> None:
    project = api.log(output="found", reference_id="r")["project_id"]
    asked = {"project_id": project, "search": "found"}
    assert "Otel-Humanloop-Unread-Logs" not in api.http.get("/v4/logs", params=asked).headers
    # As a large import leaves it, of which the indexer, who sets out at once, has not read all before the next request.
    store.write(lambda tx: words.mark(tx, range(10_000, 10_000 + 10 * SOON)))
    answer = api.http.get("/v4/logs", params=asked)
    assert int(answer.headers["Otel-Humanloop-Unread-Logs"]) > 0
    assert [log["reference_id"] for log in answer.json()["records"]] == ["r"]
