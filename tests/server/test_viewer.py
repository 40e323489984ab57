"""The pages."""

from __future__ import annotations

from html.parser import HTMLParser

from starlette.testclient import TestClient
from support_server import MODEL, TOOL, Api


class Outline(HTMLParser):
    """The logs of a page, each with how deep it is nested; and every address the page asks a browser to load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.logs: list[tuple[int, str]] = []
        self.loads: list[str] = []
        self.tags: set[str] = set()
        self._depth = 0
        self.feed(html)
        assert self._depth == 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.add(tag)
        if tag == "details":
            self.logs.append((self._depth, values["id"] or ""))
            self._depth += 1
        if tag in ("link", "script", "img"):
            self.loads.append(values.get("href") or values.get("src") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "details":
            self._depth -= 1


def page(api: Api, path: str) -> str:
    answer = api.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    return answer.text


def test_a_session_is_shown_as_a_tree(api: Api) -> None:
    def posted(name: str, second: int, parent: str | None = None) -> str:
        at = f"2024-06-01T12:00:{second:02}Z"
        return api.log(
            session_reference_id="s", reference_id=name, parent_reference_id=parent, created_at=at, project=f"of {name}"
        )["id"]

    late, root, leaf, middle = posted("d", 9), posted("a", 1), posted("c", 3, "b"), posted("b", 2, "a")
    html = page(api, f"/sessions/{api.session('s')['id']}")
    assert Outline(html).logs == [(0, root), (1, middle), (2, leaf), (0, late)]
    assert "of c" in html
    assert html.count('class="nested"') == 2


def test_a_log_is_shown_with_what_it_says(api: Api) -> None:
    api.log(
        session_reference_id="s", config=TOOL, inputs={"q": "why", "n": {"a": 1}, "e": ""}, output="because",
        error="boom", duration=1.507, parent_reference_id="elsewhere",
    )  # fmt: skip
    html = page(api, f"/sessions/{api.session('s')['id']}")
    for shown in (
        "<b>q</b> why",
        "{&#34;a&#34;:1}",
        "<b>e</b>",
        "because",
        "boom",
        "1.51 s",
        "has not arrived",
        "tool",
    ):
        assert shown in html


def test_what_logs_hold_is_never_markup(api: Api) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    api.log(project=evil, session_reference_id=evil, inputs={evil: evil}, output=evil, error=evil, config=MODEL)
    for path in ("/", f"/sessions/{api.session(evil)['id']}"):
        outline = Outline(page(api, path))
        assert not {"script", "img"} & outline.tags
        assert outline.loads == ["/viewer.css"]


def test_the_newest_sessions_are_listed_with_links(api: Api) -> None:
    assert "None yet" in page(api, "/")
    for day in (1, 2):
        api.log(session_reference_id=str(day), output=f"said on day {day}", created_at=f"2024-06-0{day}T12:00:00Z")
    html = page(api, "/")
    assert html.index("said on day 2") < html.index("said on day 1")
    assert f'href="/sessions/{api.session("1")["id"]}"' in html


def test_a_page_that_is_not_there_is_not_found(api: Api) -> None:
    assert api.http.get("/sessions/sesh_x").status_code == 404


def test_a_session_nested_deeper_than_pythons_stack_is_shown(api: Api) -> None:
    first = {"project": "p", "config": MODEL, "session_reference_id": "s", "reference_id": "0"}
    chain = [{**first, "reference_id": str(n), "parent_reference_id": str(n - 1)} for n in range(1, 1000)]
    api.ask("POST", "logs", json=[first, *chain])
    assert Outline(page(api, f"/sessions/{api.session('s')['id']}")).logs[-1][0] == 999


def test_the_stylesheet_is_served(api: Api) -> None:
    client: TestClient = api.http
    assert client.get("/viewer.css").headers["content-type"].startswith("text/css")
