"""What a search finds a log by: its content and its metadata as text, made ready to be taken apart into words.

A word is a run of letters and digits, without case and in Unicode's compatibility form. Where a script has no spaces,
each character is a word. JSON is mostly such text already: its names, brackets and quotes stand between words and make
no difference, so what is ASCII is handed on as it is, and the database's own tokenizer takes it apart. Only what is
not is brought into shape here, so that every database finds the same.

What is said here about a content is kept in the index and needed again when it is taken out. Whoever changes it makes a
migration that reads everything anew.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any

import msgspec

from otel_humanloop.native import compiled
from otel_humanloop.server.store.records import UNSET, Content, Json

LONGEST_WORD = 100
"""Characters of a word that are looked at."""

_HALF = LONGEST_WORD // 2
_MOST_CHARACTERS = 200_000
"""Of a log's content, and of its metadata; what stands behind is not found."""

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_ALONE = re.compile(rf"[{_UNSPACED}]")
_BETWEEN = re.compile(r"[\W_]+")
_PLAIN = bytes(
    byte if byte > 127 else ord(chr(byte).lower()) if chr(byte).isalnum() else ord(" ") for byte in range(256)
)
"""What each byte is in a word: a byte beyond ASCII is part of a letter."""
_CODE = re.compile(r"\\u[0-9a-fA-F]{4}")
_ESCAPED = ("\\n", "\\t", "\\r", "\\b", "\\f")

_SEARCHED = ("inputs", "messages", "error", "stdout")
"""Fields of the content, besides the output."""
_PROVENANCE = "otel"
"""The part of the metadata that says how a log came about: ids, scopes, and where each field was read."""


class Texts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one log is found by. `user` is whom it was made for; None where that is not said."""

    content: str
    metadata: str
    user: str | None


class _Metadata(msgspec.Struct, frozen=True):
    user: Any = None


_USER = msgspec.json.Decoder(_Metadata)
_NAMED = msgspec.json.Decoder(dict[str, msgspec.Raw])


def texts_of(content: Content) -> Texts:
    """A log's content as text."""
    said = [raw for field in _SEARCHED if (raw := getattr(content, field)) is not UNSET]
    said.extend(_outputs(content.output, content.output_message))
    metadata, user = _metadata(content.metadata)
    return Texts(content=_plain(said), metadata=_plain(metadata), user=user)


def words_of(text: str) -> list[str]:
    """The words of a text, in order."""
    plain = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return [word[:LONGEST_WORD] for word in _WORD.findall(plain)]


@compiled("words")
def each_once(text: str) -> str:
    """The words of a text as `Texts` has it, each once, in the order in which they first appear, a blank between two.

    They are those that SQLite's tokenizer finds in it, with all their characters.
    """
    return b" ".join(dict.fromkeys(text.encode().translate(_PLAIN).split())).decode()


IS_COMPILED = hasattr(each_once, "__wrapped__")
"""Is `each_once` faster than an index that is told a word again?"""


def vocabulary_of(text: str) -> str:
    """The words of `words_of`, each once with a blank between two, of a text as `Texts` has it."""
    words = each_once(text)
    # A word that is too long fills one of the pieces of half its length; as a rule there is none to be cut.
    if all(" " in words[at : at + _HALF] for at in range(0, len(words) - _HALF, _HALF)):
        return words
    return " ".join({word[:LONGEST_WORD]: None for word in words.split()})


def name_of_user(user: str) -> str:
    """A user as one word, so that they are found by the whole name and by nothing else."""
    return hashlib.sha256(user.encode()).hexdigest()[:32]


def _outputs(output: Json, message: Json) -> list[msgspec.Raw]:
    """The message mostly says the output again: once is enough."""
    if output is UNSET or message is UNSET:
        return [raw for raw in (output, message) if raw is not UNSET]
    said, told = bytes(output), bytes(message)
    # Most messages end with what they say, which is seen at once.
    again = len(said) > 2 and (told.endswith(said + b"}") or said in told)
    return [message] if again else [output, message]


def _metadata(raw: Json) -> tuple[list[msgspec.Raw], str | None]:
    if raw is UNSET:
        return [], None
    if not bytes(raw).startswith(b"{"):
        return [raw], None
    named = _NAMED.decode(raw)
    named.pop(_PROVENANCE, None)
    user: Any = _USER.decode(raw).user if "user" in named else None
    return [msgspec.Raw(msgspec.json.encode(named))], user if isinstance(user, str) else None


def _plain(said: list[msgspec.Raw]) -> str:
    """JSON values as text in which nothing stands within a word that does not belong to it."""
    text = " ".join(bytes(raw).decode() for raw in said)[:_MOST_CHARACTERS]
    if "\\" in text:
        text = _unescaped(text)
    if text.isascii():
        return text
    return _FOREIGN.sub(_apart, unicodedata.normalize("NFKC", text).casefold())


def _unescaped(text: str) -> str:
    text = text.replace("\\\\", " ")  # first: what follows an escaped backslash is no escape
    if "\\u" in text:
        text = _CODE.sub(_character, text)
    for escape in _ESCAPED:
        text = text.replace(escape, " ")
    return text


def _character(match: re.Match[str]) -> str:
    """Half of a pair beyond the first plane stands between words: none of the letters of such scripts is lost, for
    what is encoded here is written as it is."""
    code = int(match[0][2:], 16)
    return " " if code < 0x80 or 0xD800 <= code < 0xE000 else chr(code)


def _apart(run: re.Match[str]) -> str:
    """Characters beyond ASCII: what is no letter or digit stands between words."""
    return _ALONE.sub(r" \g<0> ", _BETWEEN.sub(" ", run[0]))
