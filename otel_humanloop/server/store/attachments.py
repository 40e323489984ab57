"""Attachments in the store: each kept once, for as long as a log names it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, delete, exists, insert, select

from otel_humanloop.attachments import Attachment, named_in
from otel_humanloop.server.store.rows import chunks
from otel_humanloop.server.store.schema import attached, attachments, logs

SLICE = 100
"""Attachments that one write deletes at most."""

_unnamed = ~exists().where(attached.c.sha256 == attachments.c.sha256)


def keep(tx: Connection, attachment: Attachment, *, now: int) -> bool:
    """Keeps an attachment; returns whether it was new. `now` in microseconds since the epoch."""
    if is_kept(tx, attachment.sha256):
        return False
    tx.execute(
        insert(attachments).values(
            sha256=attachment.sha256,
            media_type=attachment.media_type,
            size=len(attachment.content),
            created_at=now,
            bytes=attachment.content,
        )
    )
    return True


def is_kept(tx: Connection, sha256: str) -> bool:
    """Is it here?"""
    return tx.execute(select(attachments.c.size).where(attachments.c.sha256 == sha256)).first() is not None


def find(tx: Connection, sha256: str) -> Attachment | None:
    """The attachment with that hash."""
    wanted = select(attachments.c.media_type, attachments.c.bytes).where(attachments.c.sha256 == sha256)
    row = tx.execute(wanted).first()
    return None if row is None else Attachment(sha256=sha256, media_type=row.media_type, content=row.bytes)


def hashes(tx: Connection) -> Sequence[str]:
    """The hashes of all that are here."""
    return tx.execute(select(attachments.c.sha256).order_by(attachments.c.created_at)).scalars().all()


def of_log(tx: Connection, id: str) -> set[str]:
    """The hashes of the attachments that a log names and that are here."""
    named = select(attached.c.sha256).join(logs, logs.c.key == attached.c.log).where(logs.c.id == id)
    return set(tx.execute(select(attachments.c.sha256).where(attachments.c.sha256.in_(named))).scalars())


def name(tx: Connection, contents: Mapping[int, bytes]) -> None:
    """Notes which attachments logs name: key of the log -> its content, as JSON."""
    named = {key: hashes for key, content in contents.items() if (hashes := named_in(content))}
    if not named:
        return
    known: set[tuple[int, str]] = set()
    for chunk in chunks(sorted(named)):
        rows = tx.execute(select(attached.c.log, attached.c.sha256).where(attached.c.log.in_(chunk)))
        known.update((row.log, row.sha256) for row in rows)
    new = [{"log": key, "sha256": sha256} for key in sorted(named) for sha256 in sorted(named[key])]
    if new := [row for row in new if (row["log"], row["sha256"]) not in known]:
        tx.execute(insert(attached), new)


def named_by(tx: Connection, keys: Sequence[int]) -> set[str]:
    """The hashes that the logs with these keys name."""
    found: set[str] = set()
    for chunk in chunks(keys):
        found.update(tx.execute(select(attached.c.sha256).where(attached.c.log.in_(chunk))).scalars())
    return found


def forget(tx: Connection, hashes: Collection[str]) -> None:
    """Deletes those of these attachments that no log names any longer."""
    for chunk in chunks(sorted(hashes)):
        tx.execute(delete(attachments).where(attachments.c.sha256.in_(chunk), _unnamed))


def delete_unnamed(tx: Connection, *, before: int) -> int:
    """Deletes attachments that came before that moment and whose log never did; returns how many, `SLICE` at most."""
    wanted = select(attachments.c.sha256).where(attachments.c.created_at < before, _unnamed).limit(SLICE)
    hashes = tx.execute(wanted).scalars().all()
    if hashes:
        tx.execute(delete(attachments).where(attachments.c.sha256.in_(hashes)))
    return len(hashes)
