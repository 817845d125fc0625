"""What an installation carries for other languages, without a compiler: the part that every wheel is tested for."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import closs
import closs.capi

LIBRARIES = {"libcloss.so", "libcloss.a", "closs.lib"}


def printed(option):
    command = [sys.executable, "-m", "closs", option]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_include_folder():
    assert printed("--cflags").strip("'\"") == f"-I{closs.get_include()}"
    text = Path(closs.get_include(), "closs", "closs.h").read_text()
    assert f"#define CLOSS_ABI_VERSION {closs.capi.ABI_VERSION}\n" in text
    assert f'"{closs.__version__}"' in text


def test_library_folder():
    folder = Path(closs.get_library_dir())
    assert re.sub("['\"]", "", printed("--libs")).startswith(f"-L{folder} -lcloss")
    assert any((folder / name).is_file() for name in LIBRARIES)
    if (folder / "libcloss.so").is_file():
        assert (folder / f"libcloss.so.{closs.capi.ABI_VERSION}").is_file()


def test_flags_together():
    both = [sys.executable, "-m", "closs", "--cflags", "--libs"]
    assert subprocess.run(both, capture_output=True, text=True, timeout=60, check=True).stdout.strip() == " ".join(
        [printed("--cflags"), printed("--libs")]
    )
    for options in (["--cflags", "--pkgconfigdir"], ["--pkgconfigdir", "--cmakedir"], ["--libs", "info"]):
        done = subprocess.run([*both[:3], *options], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2 and not done.stdout
        assert "expected --cflags and --libs, or one other option, or a command" in done.stderr


@pytest.mark.parametrize(
    "option, names",
    [("--pkgconfigdir", ["closs.pc"]), ("--cmakedir", ["closs-config.cmake", "closs-config-version.cmake"])],
)
def test_files_of_build_tools(option, names):
    for name in names:
        text = Path(printed(option), name).read_text()
        assert not re.search(r"@\w+@", text)
