# Everything a developer runs. A virtual environment of its own in .venv; PYTHON chooses the interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BUILD := build/make
CC ?= cc
CFLAGS_C := -std=c11 -O3 -fno-math-errno -fno-trapping-math -ffp-contract=off -Wall -Wextra \
  -I$(CURDIR)/include -I$(CURDIR)/src/closs/core
CORE := $(filter-out %_avx2.c %_avx512.c,$(wildcard src/closs/core/*.c src/closs/core/cpu/*.c))
HEADERS := $(wildcard include/closs/*.h tests/c/*.h src/closs/core/*.h src/closs/core/*.def src/closs/core/*/*.h)
SOURCES := setup.py pyproject.toml $(HEADERS) \
  $(wildcard cmake/*.in src/closs/*.pxd src/closs/_bindings/*.p?? src/closs/core/*.c src/closs/core/*/*.c)

.PHONY: demo test test-c test-isas exhaustive lint bench sanitize sanitize-c sanitize-python tsan fuzz clean install-c

# The main job: every loss with its gradient on real data.
demo: $(VENV)/built
	$(BIN)/python -m closs tour

test: $(VENV)/built test-c
	$(BIN)/python -m pytest

$(VENV)/created: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip "setuptools>=77" "cython>=3.1" numpy
	touch $@

# EXTRAS=test,tour,embed: with Numba and scikit-learn, whose tests are left out otherwise.
EXTRAS ?= test,tour
$(VENV)/built: $(VENV)/created $(SOURCES)
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable ".[$(EXTRAS)]"
	touch $@

$(VENV)/linters: $(VENV)/built
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable ".[lint]"
	touch $@

# The Python tests once more for each lower instruction set that this machine has. Left out is what meets no kernel,
# what chooses the instruction set itself, and arrays of 8 GB, whose offsets are the drivers'.
ELSEWHERE := $(patsubst %,--ignore=tests/test_%.py,api capi embed errors install kernels threads tour)
test-isas: $(VENV)/built
	for isa in $$($(BIN)/python -c "import closs; print(*closs.config()['isas'][:-1])"); do \
	  echo "CLOSS_ISA=$$isa"; CLOSS_ISA=$$isa $(BIN)/python -m pytest -q $(ELSEWHERE) -k "not bits_of_elements and \
	  not without_fma and not recorded_hashes and not with_fma_agree and not baseline_is_as_exact" || exit 1; done

# ---- The C core without Python: the portable instruction set alone is enough to test drivers and checks.

# With threads where the compiler has them; the checks below set their own flags.
PROBE := echo 'int main(void) { return 0; }' |
OPENMP_FLAG := $(shell $(PROBE) $(CC) -fopenmp -x c - -o /dev/null 2>/dev/null && echo -fopenmp)
CFLAGS_EXTRA ?= $(OPENMP_FLAG)

$(BUILD)/core.a: $(CORE) $(HEADERS)
	rm -rf $(BUILD)/core && mkdir -p $(BUILD)/core
	cd $(BUILD)/core && $(CC) $(CFLAGS_C) -DCLOSS_BASELINE_ONLY $(CFLAGS_EXTRA) -c $(abspath $(CORE))
	$(AR) rcs $@ $(BUILD)/core/*.o

$(BUILD)/%: tests/c/%.c $(BUILD)/core.a
	$(CC) $(CFLAGS_C) -DCLOSS_BASELINE_ONLY $(CFLAGS_EXTRA) $< $(BUILD)/core.a -o $@ -lm -lpthread

test-c: $(BUILD)/test_exact $(BUILD)/test_closs $(BUILD)/test_rows $(BUILD)/test_ctc $(BUILD)/fuzz_ctc $(BUILD)/ulp
	$(BUILD)/test_exact
	$(BUILD)/test_closs
	$(BUILD)/test_rows
	$(BUILD)/test_ctc
	$(BUILD)/fuzz_ctc 20000
	$(BUILD)/ulp

# The C library, its header, pkg-config and CMake files, without Python. CMAKE_FLAGS=-DBUILD_SHARED_LIBS=OFF: an archive.
# Configured afresh, for CMake would keep the options of the time before; with the prefix, which closs.pc has where a
# folder is absolute.
PREFIX ?= /usr/local
BUILD_C := build/c
install-c:
	rm -rf "$(BUILD_C)"
	cmake -S . -B "$(BUILD_C)" -DCMAKE_INSTALL_PREFIX="$(PREFIX)" $(CMAKE_FLAGS)
	cmake --build "$(BUILD_C)" --parallel
	cmake --install "$(BUILD_C)"

# All 2^32 floats: of exp, log and the logistic function in minutes, of every loss in hours.
exhaustive: $(VENV)/built $(BUILD)/ulp
	$(BUILD)/ulp 1
	$(BIN)/python -m pytest -m exhaustive

# ---- Checks

lint: $(VENV)/linters
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror $(shell git ls-files '*.c' '*.h')
	$(BIN)/mypy
	PATH="$(abspath $(BIN)):$$PATH" cython-lint --max-line-length=120 $(shell git ls-files '*.pyx' '*.pxi' '*.pxd')

# C tests (and no warning in them) and Python tests under AddressSanitizer and UndefinedBehaviorSanitizer; without the
# tests of files, of other packages, and one that runs a whole file anew within two minutes.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
sanitize: sanitize-c sanitize-python
sanitize-c:
	$(MAKE) BUILD=build/sanitize CFLAGS_EXTRA="-g -O1 -Werror $(SANITIZE) $(OPENMP_FLAG)" $(addprefix build/sanitize/,test_exact test_closs test_rows test_ctc fuzz_ctc)
	build/sanitize/test_exact
	build/sanitize/test_closs
	build/sanitize/test_rows
	build/sanitize/test_ctc
	build/sanitize/fuzz_ctc 20000
sanitize-python: $(VENV)/built
	CC=gcc CFLAGS="-g $(SANITIZE)" LDFLAGS="$(SANITIZE)" $(BIN)/python setup.py --quiet build_ext --build-lib build/sanitize/lib --build-temp build/sanitize/temp
	cp -r src/closs/*.py src/closs/*.pyi src/closs/py.typed src/closs/data src/closs/losses build/sanitize/lib/closs/
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" ASAN_OPTIONS=detect_leaks=0 \
	PYTHONMALLOC=malloc PYTHONPATH=$$PWD/build/sanitize/lib $(BIN)/python -m pytest -s -q --ignore=tests/test_api.py --ignore=tests/test_embed.py --ignore=tests/test_tour.py \
	  -k "not subprocess and not accuracy_without_fma and not tour and not header and not kernel_object"

# Races: clang and its OpenMP runtime, whose synchronisation the thread sanitizer understands.
TSAN_CC ?= $(firstword $(notdir $(wildcard /usr/bin/clang /usr/bin/clang-[1-9]*)) clang)
TSAN_WORKS := $(shell $(PROBE) $(TSAN_CC) -fopenmp -fsanitize=thread -x c - -o /dev/null 2>/dev/null && echo yes)
tsan:
	$(MAKE) CC=$(TSAN_CC) BUILD=build/tsan CFLAGS_EXTRA="-g -Werror -fsanitize=thread -fopenmp" $(addprefix build/tsan/,test_closs test_rows test_ctc)
	for test in test_closs test_rows test_ctc; do TSAN_OPTIONS=ignore_noninstrumented_modules=1 build/tsan/$$test || exit 1; done

# CTC with arbitrary arguments, for FUZZ_SECONDS: libFuzzer if there is a clang, else a program that makes its inputs.
FUZZ_SECONDS ?= 60
fuzz:
ifneq ($(shell command -v $(TSAN_CC)),)
	$(MAKE) CC=$(TSAN_CC) BUILD=build/fuzz CFLAGS_EXTRA="-g -O1 -DCLOSS_LIBFUZZER -fsanitize=fuzzer $(SANITIZE)" build/fuzz/fuzz_ctc
	mkdir -p build/fuzz/corpus
	build/fuzz/fuzz_ctc -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -artifact_prefix=build/fuzz/ build/fuzz/corpus
else
	$(MAKE) BUILD=build/sanitize CFLAGS_EXTRA="-g -O1 $(SANITIZE) $(OPENMP_FLAG)" build/sanitize/fuzz_ctc
	build/sanitize/fuzz_ctc 1000000
endif

include tools/quality.mk

# asv's benchmarks once over in this environment, then the table against the peers that are installed.
bench: $(VENV)/built
	$(BIN)/python -m pip install --quiet asv
	cd asv_bench && ../$(BIN)/asv machine --yes && ../$(BIN)/asv run --python=same --quick --show-stderr
	$(BIN)/python asv_bench/peers/compare.py

clean:
	rm -rf build $(VENV) src/*.egg-info src/closs/_core*.so src/closs/lib src/closs/include src/closs/_bindings/core.c closs-losses.png
