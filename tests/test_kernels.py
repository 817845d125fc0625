"""The objects of the kernels: compiled once an instruction set, they must not mix when they are linked."""

import ast
import platform
import shutil
import subprocess

import pytest
from helpers import ROOT

CORE = ROOT / "src" / "closs" / "core"


def of_setup(name: str):
    """A constant of setup.py, which cannot be imported without building."""
    for statement in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(statement, ast.Assign) and [getattr(target, "id", "") for target in statement.targets] == [name]:
            return ast.literal_eval(statement.value)
    raise LookupError(name)


KERNELS = sorted(path.relative_to(CORE).as_posix() for path in CORE.glob("cpu/kernels_*.c"))


@pytest.mark.skipif(not (shutil.which("cc") and shutil.which("nm")), reason="no cc or no nm")
@pytest.mark.parametrize("source", KERNELS)
def test_a_kernel_object_exports_its_table_alone(source, tmp_path):
    """The linker could replace any other symbol by that of another object: AVX-512 code where there is no AVX-512."""
    own_flags, _ = of_setup("ISA_FLAGS").get(source, ([], []))
    if own_flags and platform.machine().lower() not in of_setup("X86_64"):
        pytest.skip("instruction sets of x86-64")
    compiled = tmp_path / "kernels.o"
    flags = [*of_setup("UNIX_FLAGS"), *own_flags, "-O0"]  # in seconds; what is exported does not depend on it
    subprocess.run(["cc", *flags, f"-I{ROOT / 'include'}", "-c", CORE / source, "-o", compiled], check=True)
    listed = subprocess.run(["nm", "-g", compiled], capture_output=True, text=True, check=True).stdout
    defined = {line.split()[-1].removeprefix("_") for line in listed.splitlines() if line.split()[-2] != "U"}
    table = "closs_" + source.removeprefix("cpu/").removesuffix(".c")
    assert defined == {table}
