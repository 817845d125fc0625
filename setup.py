"""Builds the C core, once an instruction set, and the one extension module over it. Everything else: pyproject.toml.

Environment: CLOSS_NO_OPENMP=1 builds without OpenMP; CC and CFLAGS as usual; CLOSS_WERROR=1 makes warnings errors.
"""

import os
import platform
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

CORE = Path("src/closs/core")
INCLUDE = Path("include")
IS_X86_64 = platform.machine().lower() in ("x86_64", "amd64")

# Contraction is off and every fused multiply-add is written, so that all builds with FMA give the same bits;
# -fno-trapping-math is what lets loops with selects vectorise (ARCHITECTURE.md tells why, with figures).
UNIX_FLAGS = ["-std=c11", "-O3", "-g0", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off",
              "-fvisibility=hidden", "-Wall", "-Wextra"]  # fmt: skip
MSVC_FLAGS = ["/std:c11", "/experimental:c11atomics", "/O2", "/fp:precise", "/W3"]

COMMON_SOURCES = ["cgroup.c", "dispatch.c", "status.c", "threads.c", "cpu/elementwise.c", "cpu/softmax.c", "cpu/vectors.c", "cpu/pairwise.c",
                  "cpu/ctc.c",                  "cpu/kernels_baseline.c"]
ISA_FLAGS = {
    "cpu/kernels_avx2.c": (["-mavx2", "-mfma"], ["/arch:AVX2"]),
    "cpu/kernels_avx512.c": (
        ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma", "-mprefer-vector-width=512"],
        ["/arch:AVX512"],
    ),
}

OPENMP_PROBE = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"
OPENMP_CANDIDATES = {  # compile flags, link flags
    "unix": [(["-fopenmp"], ["-fopenmp"]), (["-Xpreprocessor", "-fopenmp"], ["-lomp"])],
    "msvc": [(["/openmp"], [])],
}


class BuildExt(build_ext):
    def build_extensions(self) -> None:
        kind = "msvc" if self.compiler.compiler_type == "msvc" else "unix"
        flags = MSVC_FLAGS if kind == "msvc" else UNIX_FLAGS
        if os.environ.get("CLOSS_WERROR") == "1":
            flags = [*flags, "/WX" if kind == "msvc" else "-Werror"]
        openmp_compile, openmp_link = self.find_openmp(kind)

        def compile_core(item: tuple[str, list[str]]) -> list[str]:
            source, extra = item
            return self.compiler.compile(
                [str(CORE / source)],
                output_dir=self.build_temp,
                include_dirs=[str(INCLUDE)],
                macros=[("CLOSS_EXPORT", "")],  # linked into the extension, which exports nothing of it
                extra_postargs=[*flags, *extra, *openmp_compile],
            )

        sources = {source: [] for source in COMMON_SOURCES}
        if IS_X86_64:
            sources |= {source: options[kind == "msvc"] for source, options in ISA_FLAGS.items()}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            objects = [o for compiled in pool.map(compile_core, sources.items()) for o in compiled]
        for extension in self.extensions:
            extension.extra_objects += objects
            extension.extra_link_args += openmp_link
            if kind == "unix":
                extension.extra_compile_args += ["-O2", "-g0", "-fvisibility=hidden"]
        super().build_extensions()

    def find_openmp(self, kind: str) -> tuple[list[str], list[str]]:
        """Flags with which a small OpenMP program compiles and links; none if there are none, or none are wanted."""
        if os.environ.get("CLOSS_NO_OPENMP") == "1":
            return [], []
        folder = tempfile.mkdtemp()
        try:
            probe = Path(folder, "probe.c")
            probe.write_text(OPENMP_PROBE)
            for compile_flags, link_flags in OPENMP_CANDIDATES[kind]:
                try:
                    objects = self.compiler.compile([str(probe)], output_dir=folder, extra_postargs=compile_flags)
                    self.compiler.link_executable(objects, str(Path(folder, "probe")), extra_postargs=link_flags)
                except Exception:  # each compiler class raises its own
                    continue
                return compile_flags, link_flags
        finally:
            shutil.rmtree(folder)
        print("closs: no OpenMP found, building the serial library")
        return [], []


class BuildPy(build_py):
    """Copies the public header into the package, where an installed closs finds it."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib, "closs", "include", "closs")
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(INCLUDE / "closs" / "closs.h", target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        header = str(Path(self.build_lib, "closs", "include", "closs", "closs.h"))
        return [*super().get_outputs(include_bytecode), *([] if self.editable_mode else [header])]


core = Extension(
    "closs._core",
    ["src/closs/_bindings/core.pyx"],
    include_dirs=[str(INCLUDE), numpy.get_include()],
    define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION"), ("CLOSS_EXPORT", "")],
    depends=[str(p) for folder in (CORE, INCLUDE, Path("src/closs/_bindings")) for p in folder.rglob("*")],
)

setup(
    ext_modules=cythonize([core], include_path=["src"]),
    cmdclass={"build_ext": BuildExt, "build_py": BuildPy},
)
