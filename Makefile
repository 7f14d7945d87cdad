# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# `make demo` and `make test` need no set-up. All files that make writes are in .venv and build.

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

.PHONY: help install demo standin test check unit fuzz integration molecule sanity lint docs commands packages bench tables clean

help:  ## print this list
	@sed -n 's/^\([a-z]*\):.*## */\1\t/p' $(MAKEFILE_LIST)

install: $(INSTALLED)/MANIFEST.json  ## build the collection and install it in build/collections

demo: $(VENV)/demo.done $(INSTALLED)/MANIFEST.json  ## show how 4 new hosts join a stand-in platform of 120
	$(BIN)/python -m tests.demo

standin: $(VENV)/demo.done $(INSTALLED)/MANIFEST.json  ## start the stand-in and print an inventory for it
	$(BIN)/python -m tests.standin --new-hosts 4 --allocators 120

test: packages sanity lint docs commands unit fuzz integration molecule  ## run all tests; as root this installs missing system packages

check: lint unit  ## run the quick tests, for daily use

unit: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## run the unit tests
	$(BIN)/python -m pytest -q -n 2 tests/unit

fuzz: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## test 10,000 generated replies and 20,000 sets of options
	$(BIN)/python -m pytest -q tests/fuzz

integration: $(VENV)/test.done $(VENV)/oldest.done $(INSTALLED)/MANIFEST.json  ## run playbooks against the stand-in
	$(BIN)/python -m pytest -q -n 3 tests/integration

molecule: packages $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## run playbooks on hosts that boot; needs root
	$(BIN)/molecule test --all

sanity: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## run ansible-test sanity, without an ignore file
	$(BIN)/python tests/sanity/run.py $(INSTALLED) build/home

lint: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## run ansible-lint (production profile), ruff and mypy (strict)
	$(BIN)/ansible-lint --offline
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --config-file .config/mypy.ini

docs: $(VENV)/docs.done $(INSTALLED)/MANIFEST.json  ## check documentation and changelog, and build the site in build/docs/html
	$(VENV)/docs/bin/antsibull-changelog lint
	rm -rf build/docs
	mkdir -p -m 0700 build/docs/rst
	export PATH=$(VENV)/docs/bin:$$PATH && \
	antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self . && \
	antsibull-docs collection --use-current --squash-hierarchy --fail-on-error --dest-dir build/docs/rst ece.platform && \
	sphinx-build -b html -c docs -W -n --keep-going --quiet build/docs/rst build/docs/html

commands: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## run the commands of the documentation, and read its examples
	$(BIN)/python -m pytest -q -n 2 tests/docs

tables: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## write the pages on checks (rules for hosts) and on faults (tested faults)
	$(BIN)/python -m tests.faults_table
	PYTHONPATH=$(COLLECTIONS) $(BIN)/python -m tests.checks_table

# The section with SSH needs root and system packages. Without them it is skipped with a message.
bench: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## measure a platform of FLEET joined hosts, and write the page on performance
	-tests/packages.sh
	$(BIN)/python -m tests.bench --fleet $(FLEET) --write docs/docsite/rst/performance.rst

packages:  ## install the system packages of the Molecule scenarios
	tests/packages.sh

# All tests run against the collection that is installed from the tarball.
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

# The oldest ansible-core that meta/runtime.yml supports.
$(VENV)/oldest.done: tests/requirements-oldest.txt $(VENV)/demo.done
	$(PYTHON) -m venv $(VENV)/oldest
	$(VENV)/oldest/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements-oldest.txt
	touch $@

$(VENV)/docs.done: tests/requirements-docs.txt $(VENV)/demo.done
	$(PYTHON) -m venv $(VENV)/docs
	$(VENV)/docs/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements-docs.txt
	touch $@

clean:  ## remove .venv and build
	rm -rf .venv build
