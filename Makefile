# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# `make demo` and `make test` do all of their own set-up. Everything lands in .venv and build.

PYTHON ?= python3
FLEET ?= 1000
VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin
COLLECTIONS := $(CURDIR)/build/collections
INSTALLED := $(COLLECTIONS)/ansible_collections/ece/platform
SOURCES := $(shell git ls-files -co --exclude-standard -- plugins roles playbooks meta docs changelogs tests galaxy.yml README.md LICENSE requirements.txt 2>/dev/null)

export PATH := $(BIN):$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS)
export ECE_COLLECTIONS_PATH := $(COLLECTIONS)
export ANSIBLE_HOME := $(CURDIR)/build/ansible

.PHONY: help demo standin test check unit fuzz integration molecule sanity lint docs packages bench faults checks clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## */\1\t/p' $(MAKEFILE_LIST)

demo: $(VENV)/demo.done $(INSTALLED)/MANIFEST.json  ## the main job against the stand-in: 4 new hosts join a platform of 120
	$(BIN)/python -m tests.demo

standin: $(VENV)/demo.done $(INSTALLED)/MANIFEST.json  ## start the stand-in alone and print an inventory for it
	$(BIN)/python -m tests.standin --new-hosts 4 --allocators 120

test: packages sanity lint docs unit fuzz integration molecule  ## everything; root installs missing system packages

check: lint unit  ## the quick part, for daily use

unit: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## unit tests, against the installed tarball
	$(BIN)/python -m pytest -q -n 2 tests/unit

fuzz: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## 10,000 replies and 10,000 option sets, generated
	$(BIN)/python -m pytest -q tests/fuzz

integration: $(VENV)/test.done $(VENV)/oldest.done $(INSTALLED)/MANIFEST.json  ## playbooks against the stand-in
	$(BIN)/python -m pytest -q -n 3 tests/integration

molecule: packages $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## playbooks on real hosts, for which it needs root
	$(BIN)/molecule test --all

sanity: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## ansible-test sanity, without an ignore file
	$(BIN)/python tests/sanity/run.py $(INSTALLED) build/home

lint: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## ansible-lint (production profile), ruff and mypy (strict)
	$(BIN)/ansible-lint --offline
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --config-file .config/mypy.ini

docs: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## documentation and changelog are complete
	$(BIN)/antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self .
	$(BIN)/antsibull-changelog lint

faults: $(VENV)/test.done  ## write docs/faults.md, the table of all faults that are tested
	$(BIN)/python -m tests.faults_table docs/faults.md

checks: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## write docs/checks.md, the table of all rules for hosts
	PYTHONPATH=$(COLLECTIONS) $(BIN)/python -m tests.checks_table docs/checks.md

# The hosts of its SSH part need root and system packages; where they cannot be had, that part is left out with a word.
bench: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## measure against the stand-in, with a platform of FLEET joined hosts; writes docs/performance.md
	-tests/packages.sh
	$(BIN)/python -m tests.bench --fleet $(FLEET) --write docs/performance.md

packages:  ## system packages of the Molecule scenarios
	tests/packages.sh

# The tarball holds what the source tree holds; its own tree is what all tests run against.
$(INSTALLED)/MANIFEST.json: $(SOURCES) $(VENV)/demo.done
	rm -rf build/collections build/tarball
	$(BIN)/ansible-galaxy collection build --force --output-path build/tarball .
	$(BIN)/ansible-galaxy collection install --force --no-deps -p $(COLLECTIONS) build/tarball/ece-platform-*.tar.gz
	touch $@

$(VENV)/demo.done: tests/requirements-demo.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements-demo.txt
	touch $@

$(VENV)/test.done: tests/requirements.txt $(VENV)/demo.done
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

# The oldest ansible-core that meta/runtime.yml promises to work with.
$(VENV)/oldest.done: tests/requirements-oldest.txt $(VENV)/demo.done
	$(PYTHON) -m venv $(VENV)/oldest
	$(VENV)/oldest/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements-oldest.txt
	touch $@

clean:  ## forget all that was built
	rm -rf .venv build
