"""Builds the C core, once an instruction set, as a library, and the one extension module over it.

Where the platform has sonames and $ORIGIN (Linux, FreeBSD) the library is shared, and the extension module links it as
everybody else does: one copy of the core and its thread setting in a process. Elsewhere, and with CLOSS_STATIC=1, it is
an archive, and the extension module has a copy of its own. Either way closs/lib and closs/include are laid out like an
installation prefix. Everything else: pyproject.toml.

Environment: CLOSS_NO_OPENMP=1 builds without OpenMP; CLOSS_REQUIRE_OPENMP=1 makes it an error if none is found, where
the build would be serial otherwise; CC, CFLAGS and LDFLAGS as usual, also for the search; CLOSS_WERROR=1 makes warnings
errors; CLOSS_BUNDLE_OPENMP=1, for wheels that travel, puts libgomp.so.1 beside the library, with a notice.
"""

import copy
import os
import platform
import re
import shlex
import shutil
import struct
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import PlatformError

CORE = Path("src/closs/core")
INCLUDE = Path("include")
HEADER = INCLUDE / "closs" / "closs.h"

# Contraction is off and every fused multiply-add is written, so that all builds with FMA give the same bits;
# -fno-trapping-math is what lets loops with selects vectorise (ARCHITECTURE.md tells why, with figures).
UNIX_FLAGS = ["-std=c11", "-O3", "-g0", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off",
              "-fvisibility=hidden", "-Wall", "-Wextra"]  # fmt: skip
# Where the compiler knows them. gcc on x86 of its own accord clears and copies arrays of 128 bytes or more with rep
# stosq and rep movsq, 40 cycles each (AVX2; the cosine loss of rows of 128 takes 1.3 times as long). Where a loop
# begins is luck that changes with every edit elsewhere (softmax of 1000 classes takes up to 1.05 times as long).
TUNING_FLAGS = [
    [f"-m{what}-strategy=vector_loop:512:noalign,libcall:-1:noalign" for what in ("memset", "memcpy")],
    ["-falign-loops=32"],
]
MSVC_FLAGS = ["/std:c11", "/experimental:c11atomics", "/O2", "/fp:precise", "/W3"]

X86_64 = {"x86_64", "amd64"}
ISA_FLAGS = {
    "cpu/kernels_avx2.c": (["-mavx2", "-mfma"], ["/arch:AVX2"]),
    "cpu/kernels_avx512.c": (
        ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma", "-mprefer-vector-width=512"],
        ["/arch:AVX512"],
    ),
}
COMMON_SOURCES = sorted(
    {p.relative_to(CORE).as_posix() for p in [*CORE.glob("*.c"), *CORE.glob("cpu/*.c")]} - {*ISA_FLAGS}
)

OPENMP_PROBE = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"
OPENMP_CANDIDATES = {  # compile flags, link flags
    "unix": [(["-fopenmp"], ["-fopenmp"]), (["-Xpreprocessor", "-fopenmp"], ["-lomp"])],
    "msvc": [(["/openmp"], [])],
}

IS_SHARED = sys.platform.startswith(("linux", "freebsd")) and os.environ.get("CLOSS_STATIC") != "1"
ABI = re.search(r"#define CLOSS_ABI_VERSION (\d+)", HEADER.read_text()).group(1)
SONAME = f"libcloss.so.{ABI}"
# nodelete: OpenMP's threads wait in the runtime for the next call, so unloading must not take it from under them.
SHARED_FLAGS = [f"-Wl,-soname,{SONAME}", "-Wl,-z,nodelete"]

# Where the builder's libpython is, which the library does not use: a folder of the builder's in everybody's programs.
INTERPRETER_RPATHS = re.findall(r"-Wl,(?:-rpath[,=]|-R)\S+", sysconfig.get_config_var("LDSHARED") or "")

EMBEDDING_TEMPLATES = {
    "closs.pc.in": "pkgconfig/closs.pc",
    "wheel-config.cmake.in": "cmake/closs/closs-config.cmake",
    "wheel-config-version.cmake.in": "cmake/closs/closs-config-version.cmake",
}


class BuildExt(build_ext):
    def build_extensions(self) -> None:
        kind = "msvc" if self.compiler.compiler_type == "msvc" else "unix"
        flags = MSVC_FLAGS if kind == "msvc" else UNIX_FLAGS
        if os.environ.get("CLOSS_WERROR") == "1":
            flags = [*flags, "/WX" if kind == "msvc" else "-Werror"]
        for tuning in TUNING_FLAGS if kind == "unix" else []:
            if self.find_flags("int main(void) { return 0; }\n", [(tuning, [])]):
                flags = [*flags, *tuning]
        openmp_compile, openmp_link = self.find_openmp(kind)

        def compile_core(item: tuple[str, list[str]]) -> list[str]:
            source, extra = item
            return self.compiler.compile(
                [str(CORE / source)],
                output_dir=self.build_temp,
                include_dirs=[str(INCLUDE)],
                macros=[] if IS_SHARED else [("CLOSS_EXPORT", "")],  # an extension with a copy exports nothing of it
                extra_postargs=[*flags, *extra, *openmp_compile],
            )

        sources = {source: [] for source in COMMON_SOURCES}
        targets = self.targets()
        if targets & X86_64:
            sources |= {source: options[kind == "msvc"] for source, options in ISA_FLAGS.items()}
        if len(targets) > 1:  # a universal object: the flags are for one half
            sources = {s: [w for flag in options for w in ("-Xarch_x86_64", flag)] for s, options in sources.items()}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            objects = [o for compiled in pool.map(compile_core, sources.items()) for o in compiled]
        library = self.build_library(objects, openmp_link)
        for extension in self.extensions:
            extension.extra_objects += [str(library)] if IS_SHARED else objects
            extension.extra_link_args += ["-Wl,-rpath,$ORIGIN/lib"] if IS_SHARED else openmp_link
            if kind == "unix":
                extension.extra_compile_args += ["-O2", "-g0", "-fvisibility=hidden"]
        super().build_extensions()

    def build_library(self, objects: list[str], openmp_link: list[str]) -> Path:
        """The core for embedders: library, header, pkg-config and CMake files, laid out like an installation prefix."""
        prefix = Path(self.build_lib, "closs")
        lib = prefix / "lib"
        shutil.rmtree(lib, ignore_errors=True)  # of another kind of build
        self.embedding = [prefix / "include" / "closs" / "closs.h"]
        _write(self.embedding[0], HEADER.read_text())
        if IS_SHARED:
            library = lib / SONAME
            flags = [*openmp_link, *SHARED_FLAGS, "-lm"]
            if os.environ.get("CLOSS_BUNDLE_OPENMP") == "1":
                # Under its own name, which auditwheel would change: a process in which another package has loaded
                # its libgomp.so.1, as torch does, then has one runtime and not two whose waiting threads get in each
                # other's way (docs/embedding.md has figures).
                found = self.ask_compiler("-print-file-name=libgomp.so.1")
                self.embedding.append(_write(lib / "libgomp.so.1", Path(found).read_bytes()))
                notice = Path("cmake", "libgomp-NOTICE.txt.in").read_text()
                notice = notice.replace("@COMPILER@", self.ask_compiler("--version").splitlines()[0])
                self.embedding.append(_write(lib / "libgomp-NOTICE.txt", notice))
                flags.append("-Wl,-rpath,$ORIGIN")
            linker = copy.copy(self.compiler)
            linker.linker_so = [word for word in linker.linker_so if word not in INTERPRETER_RPATHS]
            linker.link_shared_object(objects, str(library), extra_postargs=flags)
            # Wheels hold no symbolic links; a linker script is what -lcloss finds instead.
            self.embedding.append(_write(lib / "libcloss.so", f"INPUT({SONAME})\n"))
            link, private = ["-Wl,-rpath,${libdir}"], []
        else:
            self.compiler.create_static_lib(objects, "closs", output_dir=str(lib))
            library = Path(self.compiler.library_filename("closs", output_dir=str(lib)))
            private = [*openmp_link, "-lm"] if self.compiler.compiler_type != "msvc" else []
            if openmp_link:
                private.append("-lpthread")  # pthread_atfork
            link = private
        facts = {
            "PREFIX": "${pcfiledir}/../..",
            "LIBDIR": "${prefix}/lib",
            "INCLUDEDIR": "${prefix}/include",
            "VERSION": self.distribution.get_version(),
            "LIBRARY": library.name,
            "KIND": "SHARED" if IS_SHARED else "STATIC",
            "SONAME": SONAME,
            "LINK": " ".join(link),
            "PRIVATE": " ".join(private),
            "LIBRARIES": ";".join(private),
            "POINTER": str(struct.calcsize("P")),
        }
        for template, target in EMBEDDING_TEMPLATES.items():
            text = re.sub(r"@([A-Z]+)@", lambda match: facts[match.group(1)], Path("cmake", template).read_text())
            self.embedding.append(_write(lib / target, text))
        self.embedding.append(library)
        return library

    def ask_compiler(self, question: str) -> str:
        return subprocess.check_output([self.compiler.compiler[0], question], text=True).strip()

    # The files beside the extension module: setuptools asks for them when it installs in place.

    def get_outputs(self) -> list[str]:
        return [*super().get_outputs(), *map(str, getattr(self, "embedding", []))]

    def get_output_mapping(self) -> dict[str, str]:
        here = {str(p): str(self.in_source(p)) for p in getattr(self, "embedding", [])} if self.inplace else {}
        return {**super().get_output_mapping(), **here}

    def copy_extensions_to_source(self) -> None:
        super().copy_extensions_to_source()
        shutil.rmtree("src/closs/lib", ignore_errors=True)
        for path in self.embedding:
            _write(self.in_source(path), path.read_bytes())

    def in_source(self, path: Path) -> Path:
        return Path("src", path.relative_to(self.build_lib))

    def targets(self) -> set[str]:
        """The architectures to build for: on macOS ARCHFLAGS or the interpreter's flags may name another, or two."""
        if sys.platform != "darwin":
            return {platform.machine().lower()}
        named = os.environ.get("ARCHFLAGS") or shlex.join(self.compiler.compiler_so)
        return set(re.findall(r"-arch (\w+)", named)) or {platform.machine().lower()}

    def find_openmp(self, kind: str) -> tuple[list[str], list[str]]:
        """Flags with which a small OpenMP program compiles and links; none if there are none, or none are wanted."""
        candidates = [] if os.environ.get("CLOSS_NO_OPENMP") == "1" else OPENMP_CANDIDATES[kind]
        found = self.find_flags(OPENMP_PROBE, candidates)
        if found:
            return found
        if os.environ.get("CLOSS_REQUIRE_OPENMP") == "1":
            tried = ", ".join(shlex.join(dict.fromkeys(c + ln)) for c, ln in candidates) or "nothing, CLOSS_NO_OPENMP=1"
            raise PlatformError(f"CLOSS_REQUIRE_OPENMP=1, but no OpenMP was found; tried: {tried}")
        print("closs: building the serial library, " + ("no OpenMP found" if candidates else "CLOSS_NO_OPENMP=1"))
        return [], []

    def find_flags(
        self, program: str, candidates: list[tuple[list[str], list[str]]]
    ) -> tuple[list[str], list[str]] | None:
        """The first of these pairs, flags to compile and flags to link, with which a program can be built."""
        # setuptools links modules with these variables, but programs with the compiler's name alone. The probe is a
        # program all the same, because on macOS a module links with symbols that nobody defines.
        variables = [os.environ.get(name, "") for name in ("LDFLAGS", "CFLAGS")]
        link_first = [] if self.compiler.compiler_type == "msvc" else shlex.split(" ".join(variables))
        with tempfile.TemporaryDirectory() as folder:
            probe = Path(folder, "probe.c")
            probe.write_text(program)
            for compile_flags, link_flags in candidates:
                try:
                    objects = self.compiler.compile([str(probe)], output_dir=folder, extra_postargs=compile_flags)
                    self.compiler.link_executable(
                        objects, str(Path(folder, "probe")), extra_preargs=link_first, extra_postargs=link_flags
                    )
                except Exception:  # each compiler class raises its own
                    continue
                return compile_flags, link_flags
        return None


def _write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # a new file: a process may run the old library
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


core = Extension(
    "closs._core",
    ["src/closs/_bindings/core.pyx"],
    include_dirs=[str(INCLUDE), numpy.get_include()],
    define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION"), *([] if IS_SHARED else [("CLOSS_EXPORT", "")])],
    depends=[str(p) for folder in (CORE, INCLUDE, Path("src/closs/_bindings")) for p in folder.rglob("*")],
)

setup(
    ext_modules=cythonize([core], include_path=["src"]),
    cmdclass={"build_ext": BuildExt},
)
