# Checks of the C code, each a target of its own; the Makefile includes this file. `make quality` runs those whose tools
# are here.

GATES := header static-analysis sanitize-c $(if $(shell command -v valgrind),valgrind) $(if $(TSAN_WORKS),tsan)
QUALITY := $(GATES) coverage sanitize-python
C_OPTIONS := -std=c11 -Iinclude -Isrc/closs/core -DCLOSS_BASELINE_ONLY

.PHONY: gates quality header static-analysis valgrind coverage
quality: $(QUALITY)

# Those that take two minutes together, for every change; coverage runs the whole suite once more.
gates: $(GATES)

# closs.h alone, in every language that it promises.
header:
	for std in c99 c11; do $(CC) -std=$$std -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c include/closs/closs.h || exit 1; done
	for std in c++17 c++20; do $(CXX) -std=$$std -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ include/closs/closs.h || exit 1; done
	$(CC) -std=c11 -Iinclude -fsyntax-only tests/c/abi.c

static-analysis: $(VENV)/linters
	$(BIN)/clang-tidy --quiet $(CORE) -- $(C_OPTIONS)
	if command -v cppcheck; then cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	  --suppress=missingIncludeSystem --suppress=invalidPointerCast --error-exitcode=1 -D__x86_64__ -D__GNUC__ \
	  $(filter -I% -D%,$(C_OPTIONS)) $(CORE); fi

# Reads of memory that was never set, and leaks. Without OpenMP, whose runtime keeps its threads' memory.
valgrind:
	$(MAKE) BUILD=build/valgrind CFLAGS_EXTRA="-g -O1" $(addprefix build/valgrind/,test_closs test_rows test_ctc)
	for test in test_closs test_rows test_ctc; do \
	  valgrind --quiet --error-exitcode=1 --leak-check=full --show-leak-kinds=all build/valgrind/$$test || exit 1; done

# Lines of the core that the C tests and the Python tests run, every instruction set of this machine together.
COVERAGE := build/coverage
coverage: $(VENV)/built
	$(BIN)/python -m pip install --quiet gcovr
	rm -rf $(COVERAGE) && mkdir -p $(COVERAGE)/c
	CC="gcc --coverage -fprofile-update=atomic" $(BIN)/python setup.py --quiet build_ext --build-lib $(COVERAGE)/lib --build-temp $(COVERAGE)/temp
	cp -r $(filter-out %.so %/lib %/include %/core %/_bindings,$(wildcard src/closs/*)) $(COVERAGE)/lib/closs/
	for test in test_closs test_rows test_ctc; do $(CC) $(CFLAGS_C) tests/c/$$test.c -L$(COVERAGE)/lib/closs/lib -lcloss -lm \
	  -Wl,-rpath,$$PWD/$(COVERAGE)/lib/closs/lib -o $(COVERAGE)/$$test && $(COVERAGE)/$$test || exit 1; done
	PYTHONPATH=$$PWD/$(COVERAGE)/lib $(BIN)/python -m pytest -q --ignore=tests/test_api.py --ignore=tests/test_embed.py --ignore=tests/test_tour.py
	$(BIN)/gcovr --root . --filter src/closs/core --merge-lines --gcov-suspicious-hits-threshold 0 --fail-under-line 95 $(COVERAGE)/temp
