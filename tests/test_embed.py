"""closs for others: every way in that docs/embedding.md shows, from a wheel in a fresh environment outside the sources.

The environment sees the packages of the one that runs the tests (NumPy, Cython, Numba ...), but not its closs.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import closs
import closs.capi

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples" / "embed"
IS_SHARED = Path(closs.get_library_dir(), "libcloss.so").exists()
pytestmark = pytest.mark.skipif(os.name != "posix", reason="builds with cc")


def run(*command, **options):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600, **options)
    assert result.returncode == 0, f"{shlex.join(map(str, command))}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def tool(name):
    return shutil.which(name) or pytest.skip(f"{name} is not here")


def build_wheel(folder, **environment):
    """A wheel with a build folder of its own: nothing of an earlier build gets in."""
    run(sys.executable, "setup.py", "-q", "egg_info", "--egg-base", folder, "build", "--build-base", folder / "build",
        "bdist_wheel", "--dist-dir", folder, "--bdist-dir", folder / "bdist",
        cwd=ROOT, env={**os.environ, **environment})  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    return wheel


class Environment:
    """A fresh virtual environment with a wheel in it."""

    def __init__(self, folder, wheel):
        run(sys.executable, "-m", "venv", "--without-pip", folder)
        self.bin = folder / "bin"
        site = Path(run(self.bin / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        # Behind the environment's own packages; .pth files over there, such as an editable closs, are not followed.
        (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n" + sysconfig.get_path("platlib") + "\n")
        self.variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "CLOSS_NUM_THREADS")}
        self.install(wheel)

    def install(self, what):
        run(sys.executable, "-m", "pip", "--python", self.bin / "python", "install", "--quiet", "--no-index",
            "--no-deps", "--no-build-isolation", what, env=self.variables)  # fmt: skip

    def python(self, *arguments, cwd):
        return run(self.bin / "python", *arguments, cwd=cwd, env=self.variables)

    def flags(self, *names):
        return shlex.split(self.python("-m", "closs", *names, cwd=self.bin))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """With a wheel as it travels: libgomp bundled, where the compiler has it."""
    folder = tmp_path_factory.mktemp("fresh")
    return Environment(folder / "environment", build_wheel(folder, CLOSS_BUNDLE_OPENMP="1" if has_libgomp() else "0"))


def has_libgomp():
    if not closs.config()["openmp"] or not sys.platform.startswith("linux") or not shutil.which("cc"):
        return False
    return Path(run("cc", "-print-file-name=libgomp.so.1").strip()).is_absolute()


@pytest.fixture(scope="module")
def classes_csv(tmp_path_factory):
    """A file to fit, and the least mean binary cross-entropy that a linear model has on it."""
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(500, 3)) * [1, 10, 0.1] + 5
    y = ((x - 5) / [1, 10, 0.1] @ [1.0, -2.0, 0.5] + rng.logistic(size=500) > 0).astype(float)
    path = tmp_path_factory.mktemp("data") / "classes.csv"
    np.savetxt(path, np.column_stack([x, y]), delimiter=",", header="a,b,c,class", comments="", fmt="%.17g")
    design = np.column_stack([(x - x.mean(0)) / x.std(0), np.ones(500)])
    loss = closs.SigmoidBCELoss(reduction="mean")

    def objective(w):
        value, grad = loss.value_and_grad(design @ w, y)
        return value, design.T @ grad

    return path, optimize.minimize(objective, np.zeros(4), jac=True, tol=1e-12).fun


def fitted(output):
    return float(re.search(r"loss ([0-9.]+) after", output)[1])


# ---- The wheel


def test_python_uses_the_wheel(fresh, tmp_path):
    where = fresh.python("-c", "import closs; print(closs.__file__)", cwd=tmp_path)
    assert str(fresh.bin.parent) in where
    fresh.python("-c", "import closs; closs.HuberLoss()([1.0], [2.0])", cwd=tmp_path)


def test_bundled_openmp(fresh, tmp_path):
    if not has_libgomp():
        pytest.skip("no libgomp.so.1")
    program = "import closs; closs.L1Loss()([1.0], [2.0]); print(open('/proc/self/maps').read())"
    assert "closs/lib/libgomp.so.1" in fresh.python("-c", program, cwd=tmp_path)
    notice = Path(fresh.flags("--libs")[0].removeprefix("-L"), "libgomp-NOTICE.txt").read_text()
    assert "GPL-3.0-or-later WITH GCC-exception-3.1" in notice and "@" not in notice


@pytest.mark.skipif(not IS_SHARED, reason="the library is an archive")
def test_only_the_functions_of_the_header_are_exported(fresh):
    nm = tool("nm")
    library = fresh.flags("--libs")[0].removeprefix("-L") + f"/libcloss.so.{closs.capi.ABI_VERSION}"
    exported = {line.split()[-1] for line in run(nm, "-D", "--defined-only", library).splitlines()}
    assert exported == set(closs.capi.addresses())
    header = (ROOT / "include" / "closs" / "closs.h").read_text()
    assert exported == set(re.findall(r"^CLOSS_EXPORT .*?\b(closs_\w+)\(", header, flags=re.MULTILINE))


@pytest.mark.skipif(not IS_SHARED, reason="the library is an archive")
def test_library_looks_for_others_only_beside_itself(fresh):
    if "rpath" in os.environ.get("LDFLAGS", ""):
        pytest.skip("LDFLAGS asks for a search path")
    (library,) = Path(fresh.flags("--libs")[0].removeprefix("-L")).glob("libcloss.so.*")
    paths = re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", run(tool("readelf"), "-d", "--wide", library))
    assert set(paths) <= {"$ORIGIN"}


# ---- C and C++


def test_c_program_from_flags(fresh, classes_csv, tmp_path):
    path, least = classes_csv
    program = tmp_path / "logistic"
    run(tool("cc"), "-O2", "-Wall", "-Wextra", "-Werror", *fresh.flags("--cflags"), EXAMPLES / "c" / "logistic.c",
        *fresh.flags("--libs"), "-lm", "-o", program)  # fmt: skip
    assert fitted(run(program, path)) == pytest.approx(least, abs=1e-8)


def test_c_program_from_pkg_config(fresh, classes_csv, tmp_path):
    (folder,) = fresh.flags("--pkgconfigdir")
    flags = run(tool("pkg-config"), "--cflags", "--libs", "closs", env={**os.environ, "PKG_CONFIG_PATH": folder})
    program = tmp_path / "logistic"
    run(tool("cc"), EXAMPLES / "c" / "logistic.c", *shlex.split(flags), "-lm", "-o", program)
    assert fitted(run(program, classes_csv[0])) == pytest.approx(classes_csv[1], abs=1e-8)


def test_c_program_from_cmake(fresh, classes_csv, tmp_path):
    (folder,) = fresh.flags("--cmakedir")
    run(tool("cmake"), "-S", EXAMPLES / "c", "-B", tmp_path, f"-Dcloss_DIR={folder}")
    run("cmake", "--build", tmp_path)
    assert fitted(run(tmp_path / "logistic", classes_csv[0])) == pytest.approx(classes_csv[1], abs=1e-8)


def cmake_finds(wanted, version, folder, tmp_path):
    """Whether find_package(closs wanted) accepts the version file in folder, made to say another version."""
    tmp_path = tmp_path / "versions"
    there = tmp_path / "package"
    there.mkdir(parents=True, exist_ok=True)
    text = (Path(folder) / "closs-config-version.cmake").read_text()
    (there / "closs-config-version.cmake").write_text(text.replace(closs.__version__, version))
    (there / "closs-config.cmake").write_text("")
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.15)\nproject(wants NONE)\n"
        f'find_package(closs {wanted})\nfile(WRITE ${{CMAKE_BINARY_DIR}}/found "${{closs_FOUND}}")\n'
    )
    run(tool("cmake"), "-S", tmp_path, "-B", tmp_path / "build", f"-Dcloss_DIR={there}")
    return (tmp_path / "build" / "found").read_text() == "1"


def test_cmake_versions(fresh, tmp_path):
    """Before 1.0 a minor release may break, after it a major one."""
    (folder,) = fresh.flags("--cmakedir")
    for version, fit, unfit in [
        ("0.2.1", ["", "0.2", "0.2.1"], ["0.1", "0.2.2", "0.3", "1"]),
        ("1.2.0", ["1", "1.1", "1.2"], ["0", "0.2", "1.3", "2"]),
    ]:
        found = {wanted: cmake_finds(wanted, version, folder, tmp_path) for wanted in fit + unfit}
        assert found == dict.fromkeys(fit, True) | dict.fromkeys(unfit, False), version


def test_cpp_program(fresh, tmp_path):
    program = tmp_path / "robust_mean"
    run(tool("c++"), "-std=c++20", "-Wall", "-Wextra", "-Werror", *fresh.flags("--cflags"),
        EXAMPLES / "cpp" / "robust_mean.cpp", *fresh.flags("--libs"), "-o", program)  # fmt: skip
    assert run(program, input="1 2 3 1000").startswith("robust mean 2.5,")


@pytest.mark.parametrize("shared", ["ON", "OFF"])
def test_c_library_without_python(classes_csv, tmp_path, shared):
    build, prefix = tmp_path / "build", tmp_path / "prefix"
    run(tool("cmake"), "-S", ROOT, "-B", build, f"-DBUILD_SHARED_LIBS={shared}")
    run("cmake", "--build", build, "--parallel", "2")
    run("cmake", "--install", build, "--prefix", prefix)
    prefix = prefix.rename(tmp_path / "moved")
    run("cmake", "-S", EXAMPLES / "c", "-B", tmp_path / "example", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", tmp_path / "example")
    assert fitted(run(tmp_path / "example" / "logistic", classes_csv[0])) == pytest.approx(classes_csv[1], abs=1e-8)
    in_cpp_alone = tmp_path / "cpp"
    in_cpp_alone.mkdir()
    (in_cpp_alone / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.15)\nproject(robust_mean CXX)\nfind_package(closs 0.1 REQUIRED)\n"
        f"add_executable(robust_mean {EXAMPLES / 'cpp' / 'robust_mean.cpp'})\n"
        "target_compile_features(robust_mean PRIVATE cxx_std_20)\n"
        "target_link_libraries(robust_mean PRIVATE closs::closs)\n"
    )
    run("cmake", "-S", in_cpp_alone, "-B", in_cpp_alone / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", in_cpp_alone / "build")
    assert run(in_cpp_alone / "build" / "robust_mean", input="1 2 3 1000").startswith("robust mean 2.5,")
    for wanted, fits in {"0.2": True, "0.1": False, "0.3": False}.items():
        assert cmake_finds(wanted, "0.2.1", prefix / "lib" / "cmake" / "closs", tmp_path) is fits
    flags = run(tool("pkg-config"), "--cflags", "--libs", "closs",
                env={**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")})  # fmt: skip
    run(tool("cc"), EXAMPLES / "c" / "logistic.c", *shlex.split(flags), "-lm", "-o", tmp_path / "logistic")
    output = run(tmp_path / "logistic", classes_csv[0], env={**os.environ, "LD_LIBRARY_PATH": str(prefix / "lib")})
    assert fitted(output) == pytest.approx(classes_csv[1], abs=1e-8)


# ---- Cython, Numba, ctypes


def test_cython_package(fresh, tmp_path):
    shutil.copytree(EXAMPLES / "cython_package", tmp_path / "package")
    fresh.install(tmp_path / "package")
    fresh.python("-c", CYTHON_PROGRAM.replace("EXPECTED", "7" if IS_SHARED else "0"), cwd=tmp_path)


CYTHON_PROGRAM = """
import closs.capi, closs_rows, numpy as np
rng = np.random.default_rng(0)
starts = np.concatenate([[0], np.cumsum(rng.integers(0, 40, 300))])
pred, label = rng.normal(size=(2, starts[-1])).astype(np.float32)
sums, grad = closs_rows.huber_of_rows(pred, label, starts, 0.5)
loss = closs.HuberLoss(rho=0.5, reduction="sum")
for k, (a, b) in enumerate(zip(starts, starts[1:])):
    value, slope = loss.value_and_grad(pred[a:b], label[a:b])
    assert value == sums[k] and (slope == grad[a:b]).all()
try:
    closs_rows.huber_of_rows(pred, label, starts, -1.0)
except ValueError as error:
    assert "parameter" in str(error)
else:
    raise AssertionError("rho = -1 was accepted")
assert abs(closs_rows.softplus_sum(np.zeros(4)) - 4 * np.log(2)) < 1e-15

logits, label = rng.normal(size=(9, 5)).astype(np.float32), rng.integers(0, 5, 9)
value, grad = closs_rows.cross_entropy(logits, label)
expected, slope = closs.SoftmaxCELoss(reduction="mean").value_and_grad(logits, label)
assert value == expected and (grad == slope).all()
label[3] = 5
try:
    closs_rows.cross_entropy(logits, label)
except ValueError as error:
    assert "label" in str(error)
else:
    raise AssertionError("label 5 of 5 was accepted")

# One copy of the library in the process, hence one setting; an archive is a copy of its own (docs/embedding.md).
closs.set_num_threads(7)
assert closs_rows.library_threads() == EXPECTED
assert closs.capi.function("closs_get_threads_setting")() == 7
"""


def test_numba_script(fresh, tmp_path):
    pytest.importorskip("numba", reason="numba is not installed")
    program = "import rows, closs, numpy as np; pred, sums, grad = rows.main()\n" + (
        "for p, s, g in zip(pred, sums, grad):\n"
        "    value, slope = closs.HuberLoss(reduction='sum').value_and_grad(p, 0 * p)\n"
        "    assert value == s and (slope == g).all()\n"
    )
    (tmp_path / "rows.py").write_text((EXAMPLES / "numba" / "rows.py").read_text())
    assert "1000 rows, 0 failed" in fresh.python("-c", program, cwd=tmp_path)


def test_ctypes_script(fresh, tmp_path):
    output = fresh.python(EXAMPLES / "ctypes" / "huber.py", cwd=tmp_path)
    assert output == "value [1.3125, 0.5] grad [[0.25, 0.5], [-1.0, 0.0]]\n"


@pytest.mark.parametrize("order", ["closs, torch, sklearn", "torch, sklearn, closs", "sklearn, closs, torch"])
def test_beside_torch_and_scikit_learn(fresh, tmp_path, order):
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    program = f"import {order}\n" + (
        "import numpy as np, sklearn.linear_model\n"
        "x = np.random.default_rng(0).normal(size=1 << 20).astype(np.float32)\n"
        "for _ in range(3):\n"
        "    value = closs.SigmoidBCELoss(reduction='mean')(x, x > 0)\n"
        "    t = torch.tensor(x)\n"
        "    other = torch.nn.functional.binary_cross_entropy_with_logits(t, (t > 0).float())\n"
        "    assert abs(value - float(other)) < 1e-6\n"
        "    sklearn.linear_model.LogisticRegression().fit(x[:3000].reshape(-1, 3), x[:1000] > 0)\n"
    )
    fresh.python("-c", program, cwd=tmp_path)


# ---- Other builds


def test_static_build(classes_csv, tmp_path):
    there = Environment(tmp_path / "environment", build_wheel(tmp_path, CLOSS_STATIC="1"))
    assert any("libcloss.a" in str(p) for p in Path(there.flags("--libs")[0].removeprefix("-L")).iterdir())
    program = tmp_path / "logistic"
    run(tool("cc"), *there.flags("--cflags"), EXAMPLES / "c" / "logistic.c", *there.flags("--libs"), "-o", program)
    assert fitted(run(program, classes_csv[0])) == pytest.approx(classes_csv[1], abs=1e-8)
    there.python(EXAMPLES / "ctypes" / "huber.py", cwd=tmp_path)
    (folder,) = there.flags("--cmakedir")
    run(tool("cmake"), "-S", EXAMPLES / "c", "-B", tmp_path / "cmake", f"-Dcloss_DIR={folder}")
    run("cmake", "--build", tmp_path / "cmake")
    assert fitted(run(tmp_path / "cmake" / "logistic", classes_csv[0])) == pytest.approx(classes_csv[1], abs=1e-8)


def test_serial_static_build_needs_no_openmp(tmp_path):
    there = Environment(tmp_path / "environment", build_wheel(tmp_path, CLOSS_STATIC="1", CLOSS_NO_OPENMP="1"))
    assert there.flags("--libs")[1:] == ["-lcloss", "-lm"]
    program = tmp_path / "robust_mean"
    run(tool("c++"), "-std=c++20", *there.flags("--cflags"), EXAMPLES / "cpp" / "robust_mean.cpp",
        *there.flags("--libs"), "-o", program)  # fmt: skip
    assert run(program, input="1 2 3 1000").startswith("robust mean 2.5,")


@pytest.fixture
def compiler_like_apple_s(tmp_path):
    """No -fopenmp, and a libomp that only LDFLAGS tells where it is."""
    if not has_libgomp():
        pytest.skip("no libgomp.so.1")
    script = tmp_path / "bin" / "cc"
    script.parent.mkdir()
    script.write_text(
        "#!/usr/bin/env bash\nwords=()\nwhile [ $# -gt 0 ]; do case $1 in\n"
        "-Xpreprocessor) words+=($2); shift ;;\n-fopenmp) exit 1 ;;\n*) words+=($1) ;;\nesac; shift; done\n"
        f'exec {tool("cc")} "${{words[@]}}"\n'
    )
    script.chmod(0o755)
    (tmp_path / "libomp.so").symlink_to(run("cc", "-print-file-name=libgomp.so.1").strip())
    return script


def test_openmp_is_searched_where_ldflags_says(compiler_like_apple_s, tmp_path):
    there = {"CC": str(compiler_like_apple_s), "LDFLAGS": f"-L{tmp_path}"}
    wheel = build_wheel(tmp_path, CLOSS_STATIC="1", CLOSS_REQUIRE_OPENMP="1", **there)
    flags = Environment(tmp_path / "environment", wheel).flags("--libs")
    assert flags[1:] == ["-lcloss", "-lomp", "-lm", "-lpthread"]


def test_openmp_required_but_not_there(compiler_like_apple_s, tmp_path):
    with pytest.raises(AssertionError, match="error: CLOSS_REQUIRE_OPENMP=1, but no OpenMP was found; tried: -fopenmp"):
        build_wheel(tmp_path, CLOSS_REQUIRE_OPENMP="1", CC=str(compiler_like_apple_s))
