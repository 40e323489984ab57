"""`python -m fuzz` with `tests/` on the path: the doors, tried for long. See `doors.py`, and `make fuzz`."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import logging
import subprocess
import sys
import time
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description="Tries doors with bytes they may not be ready for.")
    parser.add_argument("doors", nargs="*", metavar="DOOR", help="which; all by default, one after the other")
    parser.add_argument("--seconds", type=int, default=60, help="how long each is tried")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**31, help="where chance begins; CI begins at 1")
    parser.add_argument("--mutants", action="store_true", help="mutants of the corpus alone, without atheris")
    arguments = parser.parse_args()
    logging.disable()  # what a door complains of is no news here
    guided = importlib.util.find_spec("atheris") is not None and not arguments.mutants
    if guided and len(arguments.doors) == 1:
        return _with_atheris(arguments.doors[0], arguments.seconds, arguments.seed)
    from fuzz.doors import DOORS, corpus
    from fuzz.mutants import try_mutants

    unknown = set(arguments.doors) - set(DOORS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(DOORS)}")
    found = 0
    for name in arguments.doors or DOORS:
        sys.stdout.write(f"{name}: {arguments.seconds} s {'guided by coverage' if guided else 'of mutants'}\n")
        sys.stdout.flush()
        if guided:
            # libFuzzer ends its process, and instruments what is imported in it.
            options = ["--seconds", str(arguments.seconds), "--seed", str(arguments.seed)]
            command = [sys.executable, "-m", "fuzz", name, *options]
            found += subprocess.run(command, check=False).returncode != 0
        else:
            tries = try_mutants(name, DOORS[name], corpus(name), seconds=arguments.seconds, seed=arguments.seed)
            sys.stdout.write(f"  {tries} tries\n")
    return int(bool(found))


def _with_atheris(name: str, seconds: int, seed: int) -> int:
    """Until the time is over or something is found, which is then in `findings/`. Does not return."""
    import atheris  # pyright: ignore[reportMissingImports]

    with atheris.instrument_imports(include=["otel_humanloop", "fuzz"]):
        from fuzz.doors import DOORS, FINDINGS, corpus

        door = DOORS[name]
        known = corpus(name)
    seeds = Path("build/fuzz") / name
    seeds.mkdir(parents=True, exist_ok=True)
    for data in known:
        (seeds / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)
    FINDINGS.mkdir(exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-seed={seed}", "-max_len=20000", "-timeout=30"]
    options.append(f"-artifact_prefix={FINDINGS}/{name}-")
    atheris.Setup([sys.argv[0], *options, str(seeds)], door.enter)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
