# SPDX-License-Identifier: MIT
#
# The everyday commands. CMake and its presets are the build; `make help` lists what is here.

PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60
SOAK_ROUNDS ?= 20
JOBS ?= $(shell nproc)

# AddressSanitizer and ThreadSanitizer of gcc 12 do not start where the kernel randomises more of the
# address space than they know of; run without randomisation where that is allowed.
STILL := $(shell setarch -R true 2>/dev/null && echo setarch -R)

all: build/build.ninja
	@cmake --build --preset default

build/build.ninja:
	@tools/deps --check build test
	@cmake --preset default

deps:
	@tools/deps build test

demo: deps all
	@build/hotstart verify --experiment

test: deps all
	@ctest --preset default -j $(JOBS) -LE heavy

# What needs heavy packages, on top of `test`. The checks run again: those that had no clang-format, say,
# skipped themselves before.
test-all: test
	@tools/deps all
	@ctest --preset default -L 'check|heavy'
	@$(MAKE) --no-print-directory clang asan tsan

clang:
	@cmake --preset clang
	@cmake --build --preset clang
	@ctest --preset clang -j $(JOBS) -L unit

asan:
	@cmake --preset asan
	@cmake --build --preset asan
	@$(STILL) ctest --preset asan -j $(JOBS) -L 'unit|system'

tsan:
	@cmake --preset tsan
	@cmake --build --preset tsan
	@$(STILL) ctest --preset tsan -j $(JOBS) -R http

soak: deps all
	@HOT_CHAOS_ROUNDS=200 ctest --preset default -L system --repeat until-fail:$(SOAK_ROUNDS)

bench: deps all
	@tools/deps bench
	@bench/inspect
	@bench/http/run || [ $$? -eq 77 ]
	@bench/restart/run

fuzz:
	@tools/deps build test heavy
	@cmake --preset fuzz
	@cmake --build --preset fuzz
	@tools/fuzz build-fuzz $(FUZZ_SECONDS)

tidy:
	@tools/deps build test heavy
	@$(MAKE) --no-print-directory all
	@tools/tidy build

format:
	@tools/deps heavy
	@find include src examples tests bench -name '*.[ch]' -exec clang-format -i {} +

install: all
	@DESTDIR="$(DESTDIR)" cmake --install build --prefix "$(PREFIX)"

uninstall: build/build.ninja
	@DESTDIR="$(DESTDIR)" tools/uninstall build "$(PREFIX)"

# build/deps stays: it is a download.
clean:
	@rm -rf build-asan build-clang build-fuzz build-tsan
	@if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name deps -exec rm -rf {} +; fi

help:
	@echo "make            build everything into build/; installs nothing"
	@echo "make demo       install what is missing, build, replay the experiment"
	@echo "make test       install what is missing, build, run every test that needs light packages"
	@echo "make test-all   as test, then with heavy packages: clang, sanitizers, every check"
	@echo "make soak       the system tests SOAK_ROUNDS=$(SOAK_ROUNDS) times over, until one fails"
	@echo "make bench      measurements side by side with peers"
	@echo "make clang asan tsan   build with clang or a sanitizer and test that"
	@echo "make fuzz       every fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)"
	@echo "make tidy       clang-tidy over the sources;  make format  clang-format in place"
	@echo "make install    into DESTDIR and PREFIX=$(PREFIX);  make uninstall  the reverse"
	@echo "make deps       install what is missing for demo and test"
	@echo "make clean      remove what was built, keep what was downloaded"

.PHONY: all deps demo test test-all clang asan tsan soak bench fuzz tidy format install uninstall \
	clean help
