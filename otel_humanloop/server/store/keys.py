"""API keys: made, listed, revoked. Only their digests are kept, so a key is shown once, when it is made."""

from __future__ import annotations

import hashlib

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from otel_humanloop.server.failures import NotFound
from otel_humanloop.server.store.ids import new_id
from otel_humanloop.server.store.schema import api_keys


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key but for the key itself. Times in microseconds since the epoch."""

    id: str
    name: str
    created_at: int
    revoked_at: int | None


class Known(msgspec.Struct, frozen=True):
    """Digests of the keys that open the door, and whether any key was ever made: if so, the door needs one."""

    digests: list[str]
    any: bool


def digest(key: str) -> str:
    """What is kept of a key. It is random and long, so that nothing slower than SHA-256 is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def make(tx: Connection, name: str, *, now: int) -> tuple[ApiKey, str]:
    """A new key, and what its holder shows."""
    secret = new_id("hl_sk")
    last = tx.execute(select(func.coalesce(func.max(api_keys.c.key), 0))).scalar_one()
    made = ApiKey(id=new_id("key"), name=name, created_at=now, revoked_at=None)
    tx.execute(insert(api_keys).values(key=int(last) + 1, digest=digest(secret), **msgspec.structs.asdict(made)))
    return made, secret


def every(tx: Connection) -> list[ApiKey]:
    """All keys, revoked ones too, the oldest first."""
    columns = [api_keys.c[field] for field in ApiKey.__struct_fields__]
    return [ApiKey(**row) for row in tx.execute(select(*columns).order_by(api_keys.c.key)).mappings()]


def revoke(tx: Connection, id: str, *, now: int) -> None:
    """The key opens nothing any more. Revoking it again changes nothing.

    Raises:
        NotFound: There is no such key.
    """
    if tx.execute(select(api_keys.c.key).where(api_keys.c.id == id)).one_or_none() is None:
        raise NotFound("key", id)
    fresh = (api_keys.c.id == id) & api_keys.c.revoked_at.is_(None)
    tx.execute(update(api_keys).where(fresh).values(revoked_at=now))


def known(tx: Connection) -> Known:
    """What the door has to know."""
    rows = tx.execute(select(api_keys.c.digest, api_keys.c.revoked_at)).all()
    return Known([row.digest for row in rows if row.revoked_at is None], bool(rows))
