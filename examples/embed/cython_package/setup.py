from Cython.Build import cythonize
from setuptools import Extension, setup

import closs

library = closs.get_library_dir()
setup(
    ext_modules=cythonize(
        Extension(
            "closs_rows._rows",
            ["src/closs_rows/_rows.pyx"],
            include_dirs=[closs.get_include()],
            # The rest is for prange, and for functions of the C API; what takes memoryviews needs nothing linked.
            libraries=["closs"],
            library_dirs=[library],
            runtime_library_dirs=[library],
            extra_compile_args=["-fopenmp"],
            extra_link_args=["-fopenmp"],
        )
    )
)
