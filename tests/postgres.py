"""A PostgreSQL of the tests' own: a cluster in a folder, on a socket in it and a free port of loopback.

`OTEL_HUMANLOOP_POSTGRES` names another server, `postgresql://...`, whose user may make databases.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

ELSEWHERE = "OTEL_HUMANLOOP_POSTGRES"


def program(name: str) -> str | None:
    """Where a program of PostgreSQL is; Debian keeps them off the path."""
    found = shutil.which(name)
    if found is not None:
        return str(Path(found).resolve())
    return next(map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None)


def available() -> bool:
    """Is there a PostgreSQL to be had?"""
    return ELSEWHERE in os.environ or program("initdb") is not None


@contextmanager
def cluster() -> Generator[str, None, None]:
    """A running server; gives the address of its first database."""
    if ELSEWHERE in os.environ:
        yield os.environ[ELSEWHERE]
        return
    # not among pytest's own folders: those are root's alone, where root runs the tests
    with tempfile.TemporaryDirectory(prefix="otel-humanloop-postgres-") as folder:
        Path(folder).chmod(0o755)
        with _running(Path(folder) / "cluster") as url:
            yield url


@contextmanager
def _running(data: Path) -> Generator[str, None, None]:
    data.mkdir()
    user = _unprivileged(data)
    initdb = program("initdb")
    control = program("pg_ctl")
    assert initdb is not None
    assert control is not None
    quick = ["--username=otel", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    _run([initdb, f"--pgdata={data}", *quick], user)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data} -c fsync=off"
    log = data / "log"
    _run([control, f"--pgdata={data}", f"--log={log}", "--wait", "start", f"--options={options}"], user)
    try:
        yield f"postgresql://otel@127.0.0.1:{port}/postgres"
    finally:
        _run([control, f"--pgdata={data}", "--wait", "--mode=immediate", "stop"], user)


@contextmanager
def database(server: str, name: str) -> Generator[str, None, None]:
    """An empty database of that server, gone afterwards."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[arg-type]


def _unprivileged(data: Path) -> str | None:
    """PostgreSQL refuses to run as root: then who owns its folder instead of root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        shutil.chown(data, name)
        return name
    raise AssertionError("there is no user to run PostgreSQL as")


def _run(command: list[str], user: str | None) -> None:
    done = subprocess.run(
        command, user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
