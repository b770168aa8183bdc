# make setup           install the Debian packages that are missing
# make build           build the commands (release)
# make serve           build the server, too, whose libraries take minutes (release)
# make demo            the main job on a bundled example: import, validate, score, metrics, table
# make demo-checkpoint trains the model of the demo from random weights (6 minutes) and measures it
# make test            lint, all tests, the C code under sanitizers, and the kernels for instructions
#                      that this CPU lacks on an emulated one
# make test-fast       the tests of the modules only
# make test-emulated   the AVX-512 kernels on an emulated CPU, whatever this one has (2 minutes)
# make test-cluster    shards on a real Slurm of one node (as root; installs Slurm)
# make test-openapi    holds the server against /openapi.json with schemathesis (from PyPI)
# make test-reference  all tests, with the large reference files of $ROC_REFERENCE
# make lint            swift format, strict
# make format          formats the sources
# make docs            writes docs/commands.md from the commands' help
# make bench           measures this machine; results go to Benchmarks/Results
# make fuzz            fuzzes every reader of foreign files, a minute each (SECONDS=600 for ten)
# make golden          recomputes the test fixtures that scipy makes
# make size            lines of code in each module
# make clean           removes everything that was built

SWIFT_SOURCES = Sources Tests Benchmarks/Package.swift Benchmarks/Sources Package.swift
# C code is compiled with -O2 also in debug builds: kernels without it take 13 times as long.
TEST_FLAGS = --scratch-path .build-test -Xcc -O2
# A module that imports what Package.swift does not grant it does not build.
WALLS = --explicit-target-dependency-import-check error

.PHONY: setup setup-tests build serve demo demo-checkpoint test test-fast test-emulated test-cluster test-openapi test-reference lint format docs bench fuzz golden size clean

setup:
	@Scripts/setup.sh

setup-tests:
	@Scripts/setup.sh tests

build: setup
	swift build -c release $(WALLS)

serve: setup
	ROC_SERVE=1 swift build -c release $(WALLS)

demo: build
	@Scripts/demo.sh .build/release demo-output

demo-checkpoint: build
	@Scripts/demo-checkpoint.sh .build/release demo-checkpoint-output

test: setup-tests lint
	Scripts/sanitize.sh .build-sanitize
	Scripts/emulate.sh .build-emulator if-needed
	swift build --package-path Benchmarks
	ROC_SERVE=1 swift build --build-tests $(WALLS) $(TEST_FLAGS)
	ROC_SERVE=1 swift test --skip-build --disable-xctest $(TEST_FLAGS)

test-fast: setup-tests
	swift build --build-tests $(WALLS) $(TEST_FLAGS)
	swift test --skip-build --disable-xctest $(TEST_FLAGS) --skip ToolTests

test-emulated:
	Scripts/emulate.sh .build-emulator

test-cluster: build
	Tests/Cluster/slurm.sh .build/release

test-openapi: serve
	Scripts/openapi.sh

test-reference:
	@test -d "$$ROC_REFERENCE" || { echo "Set ROC_REFERENCE to the folder with small-f16 and photos."; exit 1; }
	$(MAKE) test

lint:
	swift format lint --strict --parallel --recursive $(SWIFT_SOURCES)

format:
	swift format --in-place --parallel --recursive $(SWIFT_SOURCES)

docs: serve
	make -s demo 2>&1 | Scripts/demo-picture.sh > docs/demo.svg
	Scripts/commands.sh .build/release

bench: setup
	swift run -c release --package-path Benchmarks roc-bench

fuzz: setup
	Scripts/fuzz.sh $(or $(SECONDS),60)

golden:
	python3 Tests/RocMetricsTests/make_metrics.py

size:
	@for module in Sources/* Sources/Tools/*; do \
	  printf '%6d %s\n' "$$(find $$module -name '*.swift' -o -name '*.[ch]' -o -name '*.inc' | xargs cat | wc -l)" "$$module"; \
	done

clean:
	rm -rf .build .build-test .build-sanitize .build-emulator .build-fuzz Benchmarks/.build demo-output demo-checkpoint-output
