from setuptools import Extension, setup

import closs

# The header alone: every function comes from the capsule, and nothing is linked.
setup(
    name="closs-capsule",
    version="0.1",
    ext_modules=[Extension("closs_capsule", ["closs_capsule.c"], include_dirs=[closs.get_include()])],
)
