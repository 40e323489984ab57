"""Builds the compiled modules of `otel_humanloop/native/`: into a wheel, where that is asked for, or in place.

A wheel is pure Python unless `HATCH_BUILD_HOOKS_ENABLE=1` is set; then it needs a C compiler, and is one for the
platform and the Python it was built with. `python hatch_build.py` (`make native`) builds beside the sources, for the
checkout that it stands in; it needs Cython and setuptools.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent
PACKAGE = "otel_humanloop/native"

# The server's installed size counts as well: no symbols, and no variants of a loop that is told nothing by them.
_COMPILE = ["-O3", "-g0", "-fvisibility=hidden"]
_LINK = ["-Wl,-s"] if sys.platform == "linux" else []


def build(into: Path) -> list[Path]:
    """Compiles every module, as far as it changed since.

    Args:
        into: A folder, below which they are put as they are in the package; what is made on the way stays in
            `build/native/`.

    Returns:
        The modules.
    """
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    os.chdir(ROOT)  # what setuptools and Cython note of a source is its path from here
    unix = os.name == "posix"
    extensions = [
        Extension(
            f"{PACKAGE.replace('/', '.')}.{source.stem}",
            [f"{PACKAGE}/{source.name}"],
            extra_compile_args=_COMPILE if unix else [],
            extra_link_args=_LINK,
        )
        for source in sorted(Path(PACKAGE).glob("*.pyx"))
    ]
    made = cythonize(
        extensions,
        build_dir="build/native/sources",
        language_level=3,
        compiler_directives={"embedsignature": False, "emit_code_comments": False},
        quiet=True,
    )
    command = build_ext(Distribution({"name": "otel_humanloop", "ext_modules": made}))
    command.build_lib = str(into)
    command.build_temp = f"build/native/objects-{sys.implementation.cache_tag}"
    command.ensure_finalized()
    command.run()
    return [Path(path) for path in command.get_outputs()]


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ModuleNotFoundError:  # built in place, without hatchling
    pass
else:

    class NativeBuildHook(BuildHookInterface[Any]):
        """What hatchling calls before it makes a wheel."""

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            """Builds the modules and adds them to the wheel; those of an editable one beside their sources."""
            if version == "editable":
                build(ROOT)
                return
            for path in build(ROOT / "build" / "native" / "modules"):
                build_data["force_include"][str(path)] = f"{PACKAGE}/{path.name}"
            build_data["pure_python"] = False
            build_data["infer_tag"] = True


if __name__ == "__main__":
    for path in build(ROOT):
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
