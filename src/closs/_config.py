"""What was built, what was found, what is in use."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

from closs import _core


def config() -> dict[str, Any]:
    """The configuration as a dictionary.

    Returns
    -------
    dict
        ``version``; ``isa``, the instruction set in use, and ``isas``, those that this machine could use, lowest first
        (CLOSS_ISA in the environment chooses a lower one); ``openmp``, whether the core was built with it; ``threads``,
        how many a call may use; ``cuda_built`` and ``cuda_device``, the name of the device or None.

    Examples
    --------
    >>> import closs
    >>> closs.config()["isa"] in closs.config()["isas"]
    True
    """
    return {
        "version": _core.version(),
        "isa": _core.isa(),
        "isas": _core.available_isas(),
        "openmp": _core.has_openmp(),
        "threads": _core.get_num_threads(),
        "cuda_built": False,
        "cuda_device": None,
    }


def _unheard(variable: str, in_use: object) -> str:
    """A remark on an environment variable that asks for something else: misspelt, impossible here, or too late."""
    text = os.environ.get(variable, "")
    return f"; {variable}={text!r} has no effect" if text and text.strip().lstrip("+0") != str(in_use) else ""


def show_config() -> None:
    """Print the configuration, one line each, as a bug report wants it."""
    now = config()
    unheard_isa = _unheard("CLOSS_ISA", now["isa"])
    unheard_threads = "" if _core.get_threads_setting() else _unheard("CLOSS_NUM_THREADS", now["threads"])
    print(f"closs {now['version']}")
    print(f"  instruction set: {now['isa']} (this machine could use: {', '.join(now['isas'])}){unheard_isa}")
    print(f"  OpenMP:          {'yes' if now['openmp'] else 'no, every call is serial'}")
    print(f"  threads:         {now['threads']}{unheard_threads}")
    print(f"  CUDA:            {'built, device: ' + str(now['cuda_device']) if now['cuda_built'] else 'not built'}")


def get_include() -> str:
    """The folder to compile with, so that ``#include <closs/closs.h>`` works.

    Examples
    --------
    >>> import closs, pathlib
    >>> (pathlib.Path(closs.get_include()) / "closs" / "closs.h").is_file()
    True
    """
    return str(Path(__file__).resolve().parent / "include")


def get_library_dir() -> str:
    """The folder that holds the library to link: ``libcloss.so``, or the archive ``libcloss.a`` where that is built.

    Examples
    --------
    >>> import closs, pathlib
    >>> any(pathlib.Path(closs.get_library_dir()).glob("*closs*"))
    True
    """
    return str(Path(__file__).resolve().parent / "lib")


def build_flags(*, cflags: bool = False, libs: bool = False) -> str:
    """What a compiler that understands gcc's options needs to compile (cflags) and link (libs), quoted for shells."""
    flags = [f"-I{get_include()}"] if cflags else []
    if libs:
        folder = Path(get_library_dir())
        for line in (folder / "pkgconfig" / "closs.pc").read_text().splitlines():  # setup.py wrote what it linked with
            if line.startswith("Libs:"):
                flags += [word.replace("${libdir}", str(folder)) for word in line.removeprefix("Libs:").split()]
    return subprocess.list2cmdline(flags) if os.name == "nt" else shlex.join(flags)
