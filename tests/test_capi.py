"""The function table and its capsule, closs.capi, and what is made from the header."""

import ctypes
import doctest
import os
import re
import shutil
import subprocess
import sys
from enum import IntEnum
from pathlib import Path

import numpy as np
import pytest

import closs
from closs import _c_types, _core, capi

ROOT = Path(__file__).resolve().parents[1]
HEADER = ROOT / "include" / "closs" / "closs.h"


def table():
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return capi.closs_api.from_address(get(_core.C_API, b"closs._core.C_API"))


def test_capsule_holds_the_table():
    api = table()
    assert api.size == ctypes.sizeof(capi.closs_api)
    assert api.abi == capi.ABI_VERSION
    assert api.version.decode() == closs.__version__
    entries = (capi.closs_api_entry * api.count).from_address(api.entries)
    assert {entry.name.decode(): entry.function for entry in entries} == capi.addresses()


def test_table_is_complete():
    assert set(capi.addresses()) == set(_c_types.SIGNATURES)
    find = capi.function("closs_find_function")
    assert all(find(name.encode()) == address for name, address in capi.addresses().items())
    assert find(b"closs_no_such_function") is None and find(None) is None


def test_versions_agree():
    text = HEADER.read_text()
    numbers = [re.search(rf"#define CLOSS_VERSION_{part} (\d+)", text)[1] for part in ("MAJOR", "MINOR", "PATCH")]
    assert ".".join(numbers) == closs.__version__ == re.search(r'VERSION_STRING "(.*)"', text)[1]
    assert capi.ABI_VERSION == int(re.search(r"#define CLOSS_ABI_VERSION (\d+)", text)[1])


def test_header_sends_nobody_to_files_that_are_not_installed():
    assert not re.findall(r"\b(?:src|docs|tests|core)/\S+", HEADER.read_text())


def test_what_is_made_from_the_header_is_up_to_date():
    pytest.importorskip("pycparser")
    result = subprocess.run([sys.executable, ROOT / "tools" / "make_api.py", "--check"], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_argument_struct_has_room_for_later_releases():
    arguments = [kind for name, kind in vars(_c_types).items() if hasattr(kind, "_fields_") and takes(name)]
    assert len(arguments) >= 2
    for kind in arguments:
        assert kind._fields_[-1] == ("reserved", ctypes.c_int64 * 4), kind


def takes(struct):
    return re.search(rf"const {struct} \*args\b", HEADER.read_text()) is not None


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_later_arguments_are_refused(kind):
    dtype = {"f32": np.float32, "f64": np.float64}[kind]
    pred, label, grad = np.ones(3, dtype), np.zeros(3, dtype), np.full(3, 7, dtype)
    args = getattr(capi, f"closs_elementwise_{kind}")(
        batch=3, inner=1, pred=pred.ctypes.data, label=label.ctypes.data, grad=grad.ctypes.data
    )
    call = capi.function(f"closs_l2_{kind}")
    for k in range(4):
        args.reserved[k] = 1
        assert call(ctypes.byref(args)) == capi.CLOSS_TOO_NEW
        args.reserved[k] = 0
    assert (grad == 7).all()
    assert call(ctypes.byref(args)) == capi.CLOSS_OK and (grad == 1).all()


def test_errors():
    with pytest.raises(ValueError, match="unknown reduction"):
        capi.check(capi.CLOSS_BAD_REDUCTION)
    with pytest.raises(KeyError):
        capi.function("closs_no_such_function")


def test_numpy_knows_the_structs():
    dtype = np.dtype(capi.closs_elementwise_f32)
    assert dtype.itemsize == ctypes.sizeof(capi.closs_elementwise_f32)
    assert dtype.fields["grad"][1] == capi.closs_elementwise_f32.grad.offset


def test_examples_in_the_docs():
    assert doctest.testmod(capi).failed == 0


@pytest.mark.skipif(not shutil.which("cc") or os.name != "posix", reason="no cc")
@pytest.mark.parametrize("language", ["c99", "c11", "c++17", "c++20"])
def test_header_compiles_alone(language, tmp_path):
    is_cpp = language.startswith("c++")
    program = tmp_path / ("alone.cpp" if is_cpp else "alone.c")
    program.write_text("#include <closs/closs.h>\n#include <closs/closs.h>\n")
    compiler = shutil.which("c++" if is_cpp else "cc") or pytest.skip("no C++ compiler")
    flags = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-fsyntax-only"]
    subprocess.run([compiler, f"-std={language}", *flags, "-I", closs.get_include(), program], check=True)


@pytest.mark.skipif(not shutil.which("cc") or ctypes.sizeof(ctypes.c_void_p) != 8, reason="needs cc, 64 bits")
def test_layout_is_that_of_the_first_release():
    command = ["cc", "-std=c11", "-I", closs.get_include(), ROOT / "tests" / "c" / "abi.c"]
    subprocess.run([*command, "-fsyntax-only"], check=True)
    frozen = re.sub(r"\s", "", subprocess.check_output([*command, "-E", "-P"], text=True))
    for name, kind in vars(_c_types).items():
        if issubclass(kind if isinstance(kind, type) else object, ctypes.Structure) and kind is not ctypes.Structure:
            assert f"sizeof({name})==({ctypes.sizeof(kind)})" in frozen
            for field, _ in kind._fields_:
                assert f"offsetof({name},{field})==({getattr(kind, field).offset})" in frozen, (name, field)
        elif isinstance(kind, IntEnum):
            assert f"({name})==({int(kind)})" in frozen
