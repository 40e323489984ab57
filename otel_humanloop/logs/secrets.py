"""What `redact` knows by name, and how each is recognised. Every expression is bounded: none is slow on any text.

| Set | Recognised by |
|---|---|
| `api_keys` | the forms providers give their keys, private keys, passwords in addresses; keys called so |
| `bearer` | `Bearer` and `Basic` with what follows, JSON web tokens; keys called `authorization` or `cookie` |
| `email` | an address with a domain |
| `phone` | 8 to 15 digits (E.164) written as a number is: with a plus, brackets, or in groups |
| `card` | 13 to 19 digits that begin as a card's and satisfy its checksum (ISO/IEC 7812, Luhn) |
| `iban` | a country, two digits and an account that satisfy the checksum (ISO 13616, modulo 97) |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

_SEPARATOR = " -."


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of thing to redact.

    Attributes:
        keys: A value whose key this is found in is redacted whole.
        values: Where it may stand in a text.
        length: How many characters of what `values` found really are one, 0 for none.
    """

    keys: re.Pattern[str] | None = None
    values: re.Pattern[str] | None = None
    length: Callable[[str], int] = len


def _shortened(text: str) -> Iterator[str]:
    """The text, and what remains of it as its last groups are left out: a number may be followed by another."""
    while text:
        yield text
        text = text[: max(text.rfind(separator) for separator in _SEPARATOR)] if _separated(text) else ""


def _separated(text: str) -> bool:
    return any(separator in text for separator in _SEPARATOR)


def _phone(text: str) -> int:
    digits = sum(char.isdecimal() for char in text)
    grouped = text.startswith(("+", "(", "00")) or len(re.findall(r"\d+", text)) >= 3
    return len(text) if 8 <= digits <= 15 and grouped and not _is_date(text) else 0


def _is_date(text: str) -> bool:
    return re.match(r"\d{4}[-.]\d{1,2}[-.]\d{1,2}(?!\d)|\d{1,3}(\.\d{1,3}){3}$", text) is not None


def _card(text: str) -> int:
    for part in _shortened(text):
        digits = [int(char) for char in part if char.isdecimal()]
        if not 13 <= len(digits) <= 19 or digits[0] not in (2, 3, 4, 5, 6):
            continue
        doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
        if (sum(doubled) + sum(digits[-1::-2])) % 10 == 0:
            return len(part)
    return 0


def _iban(text: str) -> int:
    for part in _shortened(text):
        account = part.replace(" ", "").upper()
        if not 15 <= len(account) <= 34:
            continue
        if int("".join(str(int(char, 36)) for char in account[4:] + account[:4])) % 97 == 1:
            return len(part)
    return 0


SECRETS: dict[str, Secret] = {
    "api_keys": Secret(
        keys=re.compile(
            r"(?:^|[._\- ])(?:api[_\- ]?key|x-api-key|password|passwd|passphrase|secret|client[_-]?secret|token"
            r"|access[_-]?(?:key|token)|refresh[_-]?token|auth[_-]?token|private[_-]?key|credentials?)$",
            re.IGNORECASE,
        ),
        values=re.compile(
            r"\b(?:sk|pk|rk|hl|hl_sk|gsk|xai|pplx|r8|lsv2|sess)[-_](?:[A-Za-z0-9]{1,16}[-_]){0,4}[A-Za-z0-9_-]{16,400}"
            r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
            r"|\bAIza[A-Za-z0-9_-]{35}"
            r"|\bgh[pousr]_[A-Za-z0-9]{30,255}|\bgithub_pat_[A-Za-z0-9_]{22,255}|\bglpat-[A-Za-z0-9_-]{20,255}"
            r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,255}|\bhf_[A-Za-z0-9]{30,255}|\bnpm_[A-Za-z0-9]{36}"
            r"|\bpypi-[A-Za-z0-9_-]{50,255}|\bya29\.[A-Za-z0-9_-]{20,400}|\bSG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"
            r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
            r"|(?<=://)[^\s/:@\"']{1,256}:[^\s/@\"']{1,256}(?=@)"
        ),
    ),
    "bearer": Secret(
        keys=re.compile(r"(?:^|[._-])(?:proxy-)?(?:authorization|(?:set-)?cookie)$", re.IGNORECASE),
        values=re.compile(
            r"\b(?:bearer|basic)\s{1,8}[A-Za-z0-9._~+/=-]{8,8000}"
            r"|\beyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{0,2000}",
            re.IGNORECASE,
        ),
    ),
    "email": Secret(values=re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_][\w-]{1,62}")),
    "phone": Secret(values=re.compile(r"(?<![\w.+-])(?:\+|00)?\(?\d[\d ().\-/]{6,24}\d(?![\w])"), length=_phone),
    "card": Secret(values=re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,22}(?!\d)"), length=_card),
    "iban": Secret(
        values=re.compile(
            r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,38}(?![A-Za-z0-9])",
            re.IGNORECASE,
        ),
        length=_iban,
    ),
}
"""By the name `values.REDACTION_SETS` gives it."""
