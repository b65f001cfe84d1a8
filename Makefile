# Entry points for people: `make`, `make run`, `make test`. Each does all of its own set-up on a bare
# Debian 12 and is quick when there is nothing left to do. CMakePresets.json has the rest.

BUILD := build
CMAKE := cmake -S . -B $(BUILD) -G Ninja
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
SERVE ?= --port 8080

.PHONY: all run serve train test test-fast install clean help

all: $(BUILD)/build.ninja  ## build build/openclip
	@cmake --build $(BUILD) -j $(JOBS) --target openclip

run: all  ## name the sample pictures in English and Chinese
	@tools/run_samples.py $(BUILD)/openclip

serve: all  ## index the sample pictures and serve them: HTTP API and web page
	@tools/serve_samples.sh $(BUILD)/openclip $(SERVE)

train: setup-test  ## build build/openclip-train (fetches libtorch)
	@tools/setup/configure_tests.sh $(BUILD) --need-train
	@cmake --build $(BUILD) -j $(JOBS) --target openclip-train

test: setup-test  ## build everything and run all tests
	@tools/setup/configure_tests.sh $(BUILD)
	@cmake --build $(BUILD) -j $(JOBS)
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

install: all  ## install program, library, headers and default model into PREFIX (/usr/local)
	@cmake --build $(BUILD) -j $(JOBS) --target openclip openclip_shared openclip_static
	@cmake --install $(BUILD) --prefix $(PREFIX)

clean:  ## remove what was built
	rm -rf $(BUILD)

help:
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 18

.PHONY: setup-test
setup-test:
	@tools/setup/packages.sh build test
	@tools/setup/fetch_vocab.sh

$(BUILD)/build.ninja:
	@tools/setup/packages.sh build
	@tools/setup/fetch_vocab.sh
	@$(CMAKE) -DCMAKE_BUILD_TYPE=Release -DOPENCLIP_BUILD_TESTS=OFF
