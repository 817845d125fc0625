import tempfile
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

import closs


class BuildExt(build_ext):
    """With OpenMP, for prange, where the compiler has it; without it those loops are serial."""

    def build_extensions(self):
        flags = ["/openmp" if self.compiler.compiler_type == "msvc" else "-fopenmp"]
        if self.accepts(flags):
            for extension in self.extensions:
                extension.extra_compile_args += flags
                extension.extra_link_args += flags
        super().build_extensions()

    def accepts(self, flags):
        with tempfile.TemporaryDirectory() as folder:
            probe = Path(folder, "probe.c")
            probe.write_text("#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n")
            try:
                objects = self.compiler.compile([str(probe)], output_dir=folder, extra_postargs=flags)
                self.compiler.link_executable(objects, "probe", output_dir=folder, extra_postargs=flags)
            except Exception:  # each compiler class raises its own
                return False
        return True


setup(
    ext_modules=cythonize(
        Extension(
            "closs_rows._rows",
            ["src/closs_rows/_rows.pyx"],
            include_dirs=[closs.get_include()],
            # For functions of the C API; what takes memoryviews needs nothing linked. No runtime_library_dirs:
            # __init__.py says why.
            libraries=["closs"],
            library_dirs=[closs.get_library_dir()],
        )
    ),
    cmdclass={"build_ext": BuildExt},
)
