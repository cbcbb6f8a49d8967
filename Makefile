# The menu. Each line calls a script that also works without make.
.PHONY: help demo check build asan lint format bench fuzz

help:    ## this list
	@grep -E '^[a-z]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+): .*## (.*)/  make \1\t\2/' | expand -t 16

demo:    ## build, start the simulated clouds and the service, and show the main job
	@script/demo

check:   ## install what is missing, build, run every test
	@script/check

build:   ## leave a release binary at build/entrabridge
	@script/install && script/build

asan:    ## every test under AddressSanitizer and UBSan
	@script/install && script/asan

lint:    ## clang-tidy, cppcheck, gcc -fanalyzer, shellcheck
	@script/install gates && script/lint

format:  ## show where the code differs from .clang-format (FIX=1 mends it)
	@script/install format && script/format

bench:   ## measure beside the floor and a script, memory over a million operations, the synchronization (an hour)
	@script/install contract && script/build && bench/run && bench/run --long && bench/sync

fuzz:    ## fuzz each parser for SECONDS (default 60)
	@script/install fuzz && script/fuzz $(or $(SECONDS),60)
