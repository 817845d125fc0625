"""closs for others: every way in that docs/embedding.md shows, from a wheel in a fresh environment outside the sources.

The environment sees the packages of the one that runs the tests (NumPy, Cython, Numba ...), but not its closs.
"""

import os
import re
import shlex
import shutil
import struct
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


def refused(message, *command, **options):
    """The command fails, and says so in one line on stderr; no crash, no result."""
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, **options)
    assert result.returncode == 1 and not result.stdout and message in result.stderr, (command, result)
    assert result.stderr.count("\n") == 1


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
        self.site = Path(
            run(self.bin / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        )
        # Behind the environment's own packages; .pth files over there, such as an editable closs, are not followed.
        (self.site / "others.pth").write_text(
            sysconfig.get_path("purelib") + "\n" + sysconfig.get_path("platlib") + "\n"
        )
        self.variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "CLOSS_NUM_THREADS")}
        self.wheel = wheel
        self.pip("install", wheel)

    def pip(self, command, *arguments, **variables):
        run(sys.executable, "-m", "pip", "--python", self.bin / "python", command, "--quiet", "--no-index", "--no-deps",
            "--no-build-isolation", *arguments, env=self.variables | variables)  # fmt: skip

    def python(self, *arguments, cwd, **variables):
        return run(self.bin / "python", *arguments, cwd=cwd, env=self.variables | variables)

    def flags(self, *names):
        return shlex.split(self.python("-m", "closs", *names, cwd=self.bin))

    def folder(self, name):
        return self.python("-m", "closs", name, cwd=self.bin).removesuffix("\n")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """With a wheel as it travels: libgomp bundled, where the compiler has it."""
    folder = tmp_path_factory.mktemp("fresh")
    # A space in its name, which all flags have to bear.
    return Environment(
        folder / "an environment", build_wheel(folder, CLOSS_BUNDLE_OPENMP="1" if has_libgomp() else "0")
    )


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


def pkg_config(folder):
    variables = {**os.environ, "PKG_CONFIG_PATH": str(folder)}
    return shlex.split(run(tool("pkg-config"), "--cflags", "--libs", "closs", env=variables))


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


@pytest.fixture(scope="module")
def logistic(fresh, tmp_path_factory):
    program = tmp_path_factory.mktemp("logistic") / "logistic"
    run(tool("cc"), *fresh.flags("--cflags"), EXAMPLES / "c" / "logistic.c", *fresh.flags("--libs"), "-lm",
        "-o", program)  # fmt: skip
    return program


@pytest.mark.parametrize(
    "text, message",
    [
        (b"", "cannot read"),
        (b"a,class\n", "no line of numbers"),
        (b"a,class\n1,7\n", "neither 0 nor 1"),
        (b"a,class\n1,0.5\n", "neither 0 nor 1"),
        (b"a,class\n1,1,1\n", "does not fit"),
        (b"a,class\n1\n", "does not fit"),
        (b"a,class\n1,one\n", "does not fit"),
        (b"a,class\n1,1 x\n", "does not fit"),
        (b"a,class\nnan,1\n", "not finite"),
        (b"a,class\n1e999,1\n", "not finite"),
        (b"a,class\n1" + 5000 * b"0" + b",1\n", "too long"),
        (b"a" + 4090 * b"a" + b",class\n1,1\n", "too long"),
        (b"a,class\n1e308,1\n1e308,0\n", "mean or scale is not finite"),
        (b"a,class\n1e200,1\n-1e200,0\n", "mean or scale is not finite"),
        (b"a,class\n1e-160,1\n-1e-160,0\n", "mean or scale is not finite"),
    ],
)
def test_c_program_refuses(logistic, tmp_path, text, message):
    path = tmp_path / "bad.csv"
    path.write_bytes(text)
    refused(message, logistic, path)


def test_c_program_refuses_no_file_and_no_steps(logistic, classes_csv, tmp_path):
    refused("usage", logistic)
    refused("cannot read", logistic, tmp_path / "none.csv")
    for steps in "many", "10x", "1e3", "0", "-1", "", "99999999999", "99999999999999999999":
        refused("steps: expected a whole number", logistic, classes_csv[0], steps)


@pytest.mark.parametrize("change", ["crlf", "no end", "crlf, no end"])
def test_c_program_reads_any_line_end(logistic, classes_csv, tmp_path, change):
    path, least = classes_csv
    data = path.read_bytes()
    data = data.rstrip(b"\n") if "no end" in change else data
    (tmp_path / "data.csv").write_bytes(data.replace(b"\n", b"\r\n") if "crlf" in change else data)
    output = run(logistic, tmp_path / "data.csv")
    assert fitted(output) == pytest.approx(least, abs=1e-8) and " 500 rows," in output


def test_c_program_from_pkg_config(fresh, classes_csv, tmp_path):
    folder = fresh.folder("--pkgconfigdir")
    program = tmp_path / "logistic"
    run(tool("cc"), EXAMPLES / "c" / "logistic.c", *pkg_config(folder), "-lm", "-o", program)
    assert fitted(run(program, classes_csv[0])) == pytest.approx(classes_csv[1], abs=1e-8)


def test_c_program_from_cmake(fresh, classes_csv, tmp_path):
    folder = fresh.folder("--cmakedir")
    run(tool("cmake"), "-S", EXAMPLES / "c", "-B", tmp_path, f"-Dcloss_DIR={folder}")
    run("cmake", "--build", tmp_path)
    assert fitted(run(tmp_path / "logistic", classes_csv[0])) == pytest.approx(classes_csv[1], abs=1e-8)


def cmake_finds(requests, package, folder, pointer=""):
    """The find_package(closs REQUEST) that accept a package, for a project with pointers of that many bytes."""
    folder.mkdir()
    lines = ["cmake_minimum_required(VERSION 3.19)", "project(wants NONE)", f'set(CMAKE_SIZEOF_VOID_P "{pointer}")']
    for request in requests:
        lines += ["unset(closs_DIR CACHE)", f"find_package(closs {request} QUIET PATHS {package} NO_DEFAULT_PATH)",
                  f'if(closs_FOUND)\n  file(APPEND found "{request}\\n")\nendif()']  # fmt: skip
    (folder / "CMakeLists.txt").write_text("\n".join([*lines, ""]))
    run(tool("cmake"), "-S", folder, "-B", folder, cwd=folder)
    return (folder / "found").read_text().splitlines() if (folder / "found").exists() else []


CMAKE_VERSIONS = {  # before 1.0 a minor release may break, after it a major one
    "0.2.1": (
        "SameMinorVersion",
        ["", "0.2", "0.2.1", "0.2.1 EXACT", "0.2...0.2.1", "0.2...0.2.7", "0.2...<0.3", "0.2.1...<0.2.2"],
        ["0", "0.1", "0.2.2", "0.3", "1", "0.2 EXACT", "0.1...0.3", "0.1...<0.3", "0.2...0.3", "0.2...1", "0.2...0.2.0",
         "0.2...<0.2.1", "0.2...<0.3.1", "0.2.2...0.2.3"],
    ),
    "1.2.0": (
        "SameMajorVersion",
        ["", "1", "1.1", "1.2", "1.2.0", "1.2.0 EXACT", "1...1.9", "1.1...<2", "1.1...1.2"],
        ["0", "0.2", "1.2.1", "1.3", "2", "1.2 EXACT", "0.9...1.9", "1...2", "1...<2.1", "1...1.1", "1.1...<1.2"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("version", CMAKE_VERSIONS)
def test_cmake_versions(fresh, tmp_path, version):
    """The package's version file and the one that CMake writes for an installation accept the same."""
    rule, fit, unfit = CMAKE_VERSIONS[version]
    packages = {name: tmp_path / name for name in ("wheel", "cmake")}
    for package in packages.values():
        package.mkdir()
        (package / "closs-config.cmake").write_text("")
    folder = fresh.folder("--cmakedir")
    text = (Path(folder) / "closs-config-version.cmake").read_text()
    assert closs.__version__ in text
    (packages["wheel"] / "closs-config-version.cmake").write_text(text.replace(closs.__version__, version))
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18)\nproject(writes NONE)\nset(CMAKE_SIZEOF_VOID_P "
        f"{struct.calcsize('P')})\ninclude(CMakePackageConfigHelpers)\nwrite_basic_package_version_file("
        f"{packages['cmake']}/closs-config-version.cmake VERSION {version} COMPATIBILITY {rule})\n"
    )
    run(tool("cmake"), "-S", tmp_path, "-B", tmp_path / "build")
    for name, package in packages.items():
        assert cmake_finds(fit + unfit, package, tmp_path / f"{name} any") == fit, name
        assert cmake_finds(fit, package, tmp_path / f"{name} same", struct.calcsize("P")) == fit, name
        assert cmake_finds(fit, package, tmp_path / f"{name} other", 12 - struct.calcsize("P")) == [], name


def test_cpp_program(fresh, tmp_path):
    program = tmp_path / "robust_mean"
    run(tool("c++"), "-std=c++20", "-Wall", "-Wextra", "-Werror", *fresh.flags("--cflags"),
        EXAMPLES / "cpp" / "robust_mean.cpp", *fresh.flags("--libs"), "-o", program)  # fmt: skip
    assert run(program, input="1 2 3 1000").startswith("robust mean 2.5,")
    assert run(program, input="1\r\n2\r\n3 1e3").startswith("robust mean 2.5,")
    assert run(program, input="1000000 1000001 1000002").startswith("robust mean 1000001,")
    numbers = np.array([0, 0.1, 0.3, 0.9, 7, 8, 1e6, 1e6])
    place = float(re.match("robust mean (.*),", run(program, input=" ".join(map(str, numbers))))[1])
    assert abs(closs.HuberLoss(reduction="mean").grad(np.full(8, place), numbers).sum()) < 1e-9
    refused("no minimum found", program, input="100000000000000000 100000000000000016")
    refused("the loss is not finite", program, input="-1e308 1e308")
    refused("no numbers", program, input="")
    for word in ("three", "2x", "1e", "nan", "inf", "1e999"):
        refused(f"not a finite number: {word}", program, input=f"1 {word} 3")
    refused("not a finite number: 1e", program, input="1 1e")


@pytest.mark.parametrize("options", ["", "-DBUILD_SHARED_LIBS=OFF -DCMAKE_INSTALL_INCLUDEDIR=headers"])
def test_c_library_without_python(classes_csv, tmp_path, options):
    """By make install-c, in a folder that was configured with the other kind of library before."""
    build, prefix = tmp_path / "build", tmp_path / "prefix"
    run(tool("cmake"), "-S", ROOT, "-B", build, f"-DBUILD_SHARED_LIBS={'ON' if options else 'OFF'}")
    run(tool("make"), "install-c", f"BUILD_C={build}", f"PREFIX={prefix}", f"CMAKE_FLAGS={options}", cwd=ROOT)
    kinds = {path.name.split(".")[1] for path in (prefix / "lib").glob("libcloss.*")}
    assert kinds == ({"a"} if options else {"so"})
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
    package = prefix / "lib" / "cmake" / "closs"
    assert cmake_finds(["0.1", "0.2", "1"], package, tmp_path / "versions") == ["0.1"]
    flags = pkg_config(prefix / "lib" / "pkgconfig")
    run(tool("cc"), EXAMPLES / "c" / "logistic.c", *flags, "-lm", "-o", tmp_path / "logistic")
    output = run(tmp_path / "logistic", classes_csv[0], env={**os.environ, "LD_LIBRARY_PATH": str(prefix / "lib")})
    assert fitted(output) == pytest.approx(classes_csv[1], abs=1e-8)


def test_pkg_config_of_absolute_folders(tmp_path):
    options = {"PREFIX": tmp_path / "prefix", "LIBDIR": tmp_path / "libraries", "INCLUDEDIR": tmp_path / "headers"}
    for absolute in ["LIBDIR"], ["LIBDIR", "INCLUDEDIR"]:
        build = tmp_path / f"build{len(absolute)}"
        run(tool("cmake"), "-S", ROOT, "-B", build,
            *(f"-DCMAKE_INSTALL_{name}={options[name]}" for name in ["PREFIX", *absolute]))  # fmt: skip
        include = options["INCLUDEDIR"] if "INCLUDEDIR" in absolute else options["PREFIX"] / "include"
        assert pkg_config(build) == [f"-I{include}", f"-L{options['LIBDIR']}", "-lcloss"]


def test_part_of_another_cmake_project(tmp_path):
    """closs is linked, but the other project's libraries stay archives, and its installation has nothing of closs."""
    (tmp_path / "own.c").write_text("int own(void);\nint own(void) { return 0; }\n")
    (tmp_path / "main.c").write_text(
        "#include <closs/closs.h>\n#include <stdio.h>\nint own(void);\n"
        "int main(void) { return own() + (puts(closs_version()) < 0); }\n"
    )
    (tmp_path / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.18)\nproject(whole C)\nadd_subdirectory({ROOT} closs)\n"
        "add_library(own own.c)\nadd_executable(main main.c)\ntarget_link_libraries(main PRIVATE own closs::closs)\n"
        "install(TARGETS main RUNTIME DESTINATION bin)\n"
    )
    build, prefix = tmp_path / "build", tmp_path / "prefix"
    run(tool("cmake"), "-S", tmp_path, "-B", build)
    run("cmake", "--build", build, "--parallel", "2")
    assert (build / "libown.a").exists() and not list(build.rglob("*.so*"))
    run("cmake", "--install", build, "--prefix", prefix)
    assert [path.name for path in prefix.rglob("*") if path.is_file()] == ["main"]
    assert run(prefix / "bin" / "main").strip() == closs.__version__


# ---- Cython, Numba, ctypes


def build_cython_package(folder, wheel, **variables):
    """A wheel of the example, built beside a closs that is gone afterwards, as under pip's build isolation."""
    there = Environment(folder / "build", wheel)
    shutil.copytree(EXAMPLES / "cython_package", folder / "package")
    there.pip("wheel", "--wheel-dir", folder / "wheels", folder / "package", **variables)
    shutil.rmtree(folder / "build")
    (built,) = (folder / "wheels").glob("*.whl")
    return built


def test_cython_package(fresh, tmp_path):
    built = build_cython_package(tmp_path, fresh.wheel)
    fresh.pip("install", built)
    fresh.python("-c", "import closs_rows; closs_rows.library_threads()", cwd=tmp_path)
    fresh.python("-c", CYTHON_PROGRAM.replace("EXPECTED", "7" if IS_SHARED else "0"), cwd=tmp_path)
    # The same wheel beside the closs of these tests, which may be an editable one, with its library elsewhere.
    shutil.unpack_archive(built, tmp_path / "unpacked", "zip")
    assert uses_openmp(tmp_path / "unpacked") == closs.config()["openmp"]
    path = os.pathsep.join([str(tmp_path / "unpacked"), str(Path(closs.__file__).parents[1])])
    run(sys.executable, "-c", "import closs_rows; closs_rows.library_threads()", cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path})  # fmt: skip


def test_cython_package_without_openmp(fresh, tmp_path):
    """A compiler without OpenMP, as Apple's is, gives serial loops; one that has it is asked for it."""
    if not IS_SHARED or not closs.config()["openmp"]:
        pytest.skip("an archive needs OpenMP to link; there is none")
    compiler = tmp_path / "compiler"
    compiler.write_text(f'#!/bin/sh\ncase "$*" in *-fopenmp*) exit 1;; esac\nexec {tool("cc")} "$@"\n')
    compiler.chmod(0o755)
    built = build_cython_package(tmp_path, fresh.wheel, CC=str(compiler), LDSHARED=f"{compiler} -shared")
    shutil.unpack_archive(built, tmp_path / "unpacked", "zip")
    assert not uses_openmp(tmp_path / "unpacked")
    fresh.python("-c", CYTHON_PROGRAM.replace("EXPECTED", "7"), cwd=tmp_path, PYTHONPATH=str(tmp_path / "unpacked"))


def uses_openmp(folder):
    (extension,) = (folder / "closs_rows").glob("_rows*.so")
    return bool(re.search(rb"GOMP_parallel|__kmpc_fork_call", extension.read_bytes()))


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


def test_cython_memoryviews(fresh, tmp_path):
    """Every function that `cimport closs` declares, wrapped as it is, and nothing linked."""
    text = (ROOT / "src" / "closs" / "_core.pxd").read_text().replace("c_api.", "closs.")
    functions = re.findall(r"^cdef \w+ (\w+)\(([^()]+)\)", text, flags=re.MULTILINE)
    assert len(functions) == text.count("cdef ")
    lines = ["cimport closs", "from libc.stdint cimport int64_t"]
    for name, arguments in functions:
        names = ", ".join(re.findall(r"(\w+)(?:,\s|$)", re.sub(r"\[[^]]*\]", "", arguments)))
        lines += [f"def {name}({' '.join(arguments.split())}):", "    with nogil:",
                  f"        result = closs.{name}({names})", "    return result"]  # fmt: skip
    (tmp_path / "views.pyx").write_text("\n".join([*lines, ""]))
    (tmp_path / "setup.py").write_text(VIEWS_SETUP)
    fresh.python("setup.py", "-q", "build_ext", "--inplace", cwd=tmp_path, CFLAGS="-O0")
    fresh.python(ROOT / "tests" / "views_program.py", tmp_path, cwd=tmp_path)


VIEWS_SETUP = """
from Cython.Build import cythonize
from setuptools import Extension, setup
import closs
extension = Extension("views", ["views.pyx"], include_dirs=[closs.get_include()])
setup(name="views", ext_modules=cythonize(extension, language_level=3))
"""


@pytest.mark.peers
def test_numba_script(fresh, tmp_path):
    pytest.importorskip("numba", reason="numba is not installed")
    (tmp_path / "rows.py").write_text((EXAMPLES / "numba" / "rows.py").read_text())
    assert "1000 rows, sum " in fresh.python("-c", NUMBA_PROGRAM, cwd=tmp_path)


NUMBA_PROGRAM = """
import rows, closs, numpy as np
pred, sums, grad = rows.main()
for p, s, g in zip(pred, sums, grad):
    value, slope = closs.HuberLoss(reduction="sum").value_and_grad(p, 0 * p)
    assert value == s and (slope == g).all()
rest = np.float32(1), np.zeros(1000, rows.Args), sums, grad
wide, strided = pred.astype(float), np.repeat(pred, 2, axis=1)[:, ::2]
for error, bad, call in (
    (ValueError, "parameter", lambda: rows.main(rho=-1)),
    (ValueError, "one shape", lambda: rows.huber_of_rows(pred, pred[1:], *rest)),
    (TypeError, "No matching definition", lambda: rows.huber_of_rows(wide, wide, *rest)),
    (TypeError, "No matching definition", lambda: rows.huber_of_rows(pred, strided, *rest)),
):
    try:
        call()
    except error as raised:
        assert bad in str(raised), raised
    else:
        raise AssertionError(f"no error that says {bad}")
"""


def test_ctypes_script(fresh, tmp_path):
    output = fresh.python(EXAMPLES / "ctypes" / "huber.py", cwd=tmp_path)
    assert output == "value [1.3125, 0.5] grad [[0.25, 0.5], [-1.0, 0.0]]\n"


@pytest.mark.parametrize("others", ["sklearn", pytest.param("torch, sklearn", marks=pytest.mark.torch)])
@pytest.mark.parametrize("order", ["closs, {}", "{}, closs"])
@pytest.mark.peers
def test_beside_other_openmp_runtimes(fresh, tmp_path, others, order):
    """Large calls in turn, closs loaded first or last: right results, and no hang."""
    for name in others.split(", "):
        pytest.importorskip(name)
    program = f"import {order.format(others)}, numpy as np\n" + (
        "from sklearn.metrics import log_loss, pairwise_distances_argmin\n"
        "x = np.random.default_rng(0).normal(size=1 << 20).astype(np.float32)\n"
        "for _ in range(3):\n"
        "    value = closs.SigmoidBCELoss(reduction='mean')(x, x > 0)\n"
        "    assert abs(value - log_loss(x > 0, 1 / (1 + np.exp(-x.astype(float))))) < 1e-6\n"
        "    pairwise_distances_argmin(x[:12000].reshape(-1, 3), x[-12000:].reshape(-1, 3))  # in OpenMP\n"
    )
    if "torch" in others:
        program += (
            "    t = torch.tensor(x)\n"
            "    other = torch.nn.functional.binary_cross_entropy_with_logits(t, (t > 0).float())\n"
            "    assert abs(value - float(other)) < 1e-6\n"
        )
    fresh.python("-c", program, cwd=tmp_path)


def test_capsule_from_c(fresh, tmp_path):
    shutil.copytree(EXAMPLES / "capsule", tmp_path, dirs_exist_ok=True)
    fresh.python("setup.py", "-q", "build_ext", "--inplace", cwd=tmp_path, CFLAGS="-Wall -Wextra -Werror")
    fresh.python("-c", CAPSULE_PROGRAM, cwd=tmp_path)
    for change in "size = 8", f"abi = {closs.capi.ABI_VERSION + 1}":
        program = OTHER_CAPSULE_PROGRAM.replace("CHANGE", change)
        assert "of interface 0, got " in fresh.python("-c", program, cwd=tmp_path)


CAPSULE_PROGRAM = """
import closs, closs_capsule, numpy as np
pred, label = np.random.default_rng(0).normal(size=(2, 100))
assert closs_capsule.huber_sum(pred, label, 0.5) == closs.HuberLoss(rho=0.5, reduction="sum")(pred, label)
for kind, message, arguments in (
    (ValueError, "parameter", (pred, label, -1)),
    (ValueError, "does not fit", (pred, label[1:], 1)),
    (TypeError, "pred: expected elements of type d, got f", (pred.astype("f"), label, 1)),
    (TypeError, "label: expected elements of type d, got l", (pred, label.astype("l"), 1)),
    (ValueError, "not C-contiguous", (pred[::2], label[::2], 1)),
):
    try:
        closs_capsule.huber_sum(*arguments)
    except kind as error:
        assert message in str(error), error
    else:
        raise AssertionError(f"no error that says {message}")
"""

# A process whose closs has a smaller table, or another interface.
OTHER_CAPSULE_PROGRAM = """
import ctypes
from closs import _core, capi
name = b"closs._core.C_API"
get, new = ctypes.pythonapi.PyCapsule_GetPointer, ctypes.pythonapi.PyCapsule_New
get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
table = capi.closs_api.from_buffer_copy(capi.closs_api.from_address(get(_core.C_API, name)))
table.CHANGE
_core.C_API = new(ctypes.addressof(table), name, None)
try:
    import closs_capsule
except ImportError as error:
    print(error)
"""


@pytest.mark.skipif(not IS_SHARED, reason="the library is an archive")
def test_library_by_dlopen(fresh, tmp_path):
    program = (
        "import ctypes, sys\n"
        "find = ctypes.CDLL(sys.argv[1]).closs_find_function\n"
        "find.restype = ctypes.c_void_p\n"
        "assert find(b'closs_huber_f32') and not find(b'closs_no_such_function')\n"
    )
    library = fresh.flags("--libs")[0].removeprefix("-L") + "/libcloss.so"
    fresh.python("-c", program, f"{library}.{closs.capi.ABI_VERSION}", cwd=tmp_path)
    with pytest.raises(AssertionError, match="OSError"):  # a linker script, as docs/embedding.md says
        fresh.python("-c", program, library, cwd=tmp_path)


# ---- Other builds


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    """With the archive, as on macOS and Windows."""
    folder = tmp_path_factory.mktemp("static")
    return Environment(folder / "environment", build_wheel(folder, CLOSS_STATIC="1"))


def test_static_build(static, classes_csv, tmp_path):
    assert any("libcloss.a" in str(p) for p in Path(static.flags("--libs")[0].removeprefix("-L")).iterdir())
    program = tmp_path / "logistic"
    run(tool("cc"), *static.flags("--cflags"), EXAMPLES / "c" / "logistic.c", *static.flags("--libs"), "-o", program)
    assert fitted(run(program, classes_csv[0])) == pytest.approx(classes_csv[1], abs=1e-8)
    static.python(EXAMPLES / "ctypes" / "huber.py", cwd=tmp_path)
    folder = static.folder("--cmakedir")
    run(tool("cmake"), "-S", EXAMPLES / "c", "-B", tmp_path / "cmake", f"-Dcloss_DIR={folder}")
    run("cmake", "--build", tmp_path / "cmake")
    assert fitted(run(tmp_path / "cmake" / "logistic", classes_csv[0])) == pytest.approx(classes_csv[1], abs=1e-8)


def test_static_build_has_a_setting_of_its_own(static, tmp_path):
    static.pip("install", build_cython_package(tmp_path, static.wheel))
    static.python("-c", CYTHON_PROGRAM.replace("EXPECTED", "0"), cwd=tmp_path)


def test_static_extension_exports_nothing_of_its_copy(static):
    (core,) = static.site.glob("closs/_core*.so")
    exported = [line.split()[-1] for line in run(tool("nm"), "-D", "--defined-only", core).splitlines()]
    assert "PyInit__core" in exported and not [name for name in exported if name.startswith("closs_")]


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
