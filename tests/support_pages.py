"""The viewer's pages, read as a browser without scripts reads them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from support_server import Api

VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta"})


class Node:
    """An element: its tag, its attributes, what is in it."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Node | str] = []

    @property
    def classes(self) -> set[str]:
        return set(self.attributes.get("class", "").split())

    @property
    def text(self) -> str:
        """The words in it, with single spaces between them."""
        return " ".join(self._words().split())

    def _words(self) -> str:
        return "".join(child if isinstance(child, str) else f" {child._words()} " for child in self.children)

    def all(self, tag: str | None = None, **wanted: str) -> list[Node]:
        """Elements in it, in order: by tag, by attributes, by a class given as `kind`."""
        kind = wanted.pop("kind", None)
        found: list[Node] = []
        todo = [child for child in reversed(self.children) if isinstance(child, Node)]
        while todo:
            node = todo.pop()
            todo.extend(child for child in reversed(node.children) if isinstance(child, Node))
            fits = all(node.attributes.get(name) == value for name, value in wanted.items())
            if (tag is None or node.tag == tag) and (kind is None or kind in node.classes) and fits:
                found.append(node)
        return found

    def one(self, tag: str | None = None, **wanted: str) -> Node:
        """The only such element."""
        (node,) = self.all(tag, **wanted)
        return node


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> ends <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse(html: str) -> Node:
    """A page. Every element must be closed where it was opened."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader._open == [reader.root]
    return reader.root


def page(api: Api, path: str, *, status: int = 200) -> Node:
    """The page at a path; asserts that it is one, and that it keeps to itself."""
    answer = api.http.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in policy
    return parse(answer.text)


def session_page(api: Api, reference: str = "s", query: str = "") -> Node:
    """The page of the session of that reference."""
    return page(api, f"/sessions/{api.session(reference)['id']}{query}")


def drawer(api: Api, log: str, tab: str, query: str = "") -> Node:
    """The drawer of a log, with a tab open."""
    found = api.get_log(log)
    where = f"/sessions/{found['session_id']}/logs/{log}" if "session_id" in found else f"/logs/{log}"
    return page(api, f"{where}?tab={tab}{query}").one("aside")


def tree(node: Node) -> list[tuple[int, str]]:
    """The rows of a session's page: depth and id."""
    return [(int(row.attributes["data-depth"]), row.attributes["id"]) for row in node.all("li", kind="row")]


def chips(node: Node, kind: str) -> list[str]:
    """The words of the chips of a kind."""
    return [chip.text for chip in node.all("span", kind="chip") if kind in chip.classes]


def dialogue(turns: int) -> list[dict[str, Any]]:
    """Messages of a conversation."""
    return [{"role": ("user", "assistant")[turn % 2], "content": f"word {turn}"} for turn in range(turns)]
