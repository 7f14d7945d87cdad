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
OTHERS := $(CURDIR)/build/others
SOURCES := $(shell git ls-files -co --exclude-standard -- plugins roles playbooks meta docs changelogs tests extensions examples LICENSES galaxy.yml '*.md' '*.rst' '*.toml' LICENSE bindep.txt requirements.txt 2>/dev/null)

# Molecule runs beside it, waits most of the time, and should not wait for the processor as well.
PYTEST := nice -n 10 $(BIN)/python -m pytest -q

export PATH := $(BIN):$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS)
export ECE_COLLECTIONS_PATH := $(COLLECTIONS)
export ANSIBLE_HOME := $(CURDIR)/build/ansible

.PHONY: help install demo standin test check unit fuzz integration examples awx eda molecule machine ee sanity lint ansible-lint docs commands galaxy release packages bench tables matrix clean

help:  ## print this list
	@sed -n 's/^\([a-z]*\):.*## */\1\t/p' $(MAKEFILE_LIST)

install: $(INSTALLED)/MANIFEST.json  ## build the collection and install it in build/collections

demo: $(VENV)/demo.done $(INSTALLED)/MANIFEST.json  ## show how 4 new hosts join a stand-in platform of 120
	$(BIN)/python -m tests.demo

standin: $(VENV)/demo.done $(INSTALLED)/MANIFEST.json  ## start the stand-in and print an inventory for it
	$(BIN)/python -m tests.standin --new-hosts 4 --allocators 120

# These look at all files of the checkout, so nothing else may write there.
CHECKS := lint docs galaxy
# Two of these run at a time, in this order, because what they need is made before, and none has a prerequisite that always runs. Hosts that boot leave the processor idle, and so does the wait for installers.
RUNS := integration molecule sanity ee commands unit awx eda fuzz examples

test: packages $(VENV)/test.done $(VENV)/oldest.done $(VENV)/eda.done $(OTHERS)/done  ## run all tests but matrix and machine; as root this installs missing packages
	$(MAKE) $(CHECKS)
	$(MAKE) --jobs 2 --output-sync=target $(RUNS)

check: lint unit  ## run the quick tests, for daily use

unit: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## run the unit tests
	tests/packages.sh ip unshare
	$(PYTEST) -rs -n 2 tests/unit

fuzz: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## test 10,000 generated replies and 20,000 sets of options
	$(PYTEST) tests/fuzz

integration: $(VENV)/test.done $(VENV)/oldest.done $(OTHERS)/done $(INSTALLED)/MANIFEST.json  ## run playbooks against the stand-in
	tests/packages.sh ssh ssh-keygen sshpass
	$(PYTEST) -n 4 tests/integration

examples: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## follow the README of examples/, against the stand-in
	$(PYTEST) -n 2 tests/examples

eda: $(VENV)/test.done $(VENV)/eda.done $(INSTALLED)/MANIFEST.json  ## run the rulebooks with ansible-rulebook
	tests/packages.sh curl java
	$(PYTEST) -n 2 tests/eda

awx: $(VENV)/test.done $(VENV)/oldest.done $(OTHERS)/done $(INSTALLED)/MANIFEST.json  ## set up a fake of AWX, and check the objects for it
	$(PYTEST) -n 2 tests/awx

molecule: $(VENV)/test.done $(OTHERS)/done $(INSTALLED)/MANIFEST.json  ## run playbooks on hosts that boot; needs root
	tests/packages.sh
	ANSIBLE_COLLECTIONS_PATH=$(COLLECTIONS):$(OTHERS) $(BIN)/molecule test --all --exclude preparation_kernel

# Without KVM the processor is emulated, which takes too long for `make test`.
machine: $(VENV)/test.done $(OTHERS)/done $(INSTALLED)/MANIFEST.json  ## prepare a virtual machine with a kernel of its own; needs root
	tests/packages.sh
	ANSIBLE_COLLECTIONS_PATH=$(COLLECTIONS):$(OTHERS) $(BIN)/molecule test --scenario-name preparation_kernel

ee: $(VENV)/test.done $(OTHERS)/done $(INSTALLED)/MANIFEST.json  ## build an execution environment and join hosts from inside it; needs root
	tests/packages.sh
	$(PYTEST) tests/ee

sanity: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## run ansible-test sanity, without an ignore file
	$(BIN)/python -m tests.sanity.run $(INSTALLED) build/home

lint: ansible-lint  ## run ansible-lint (production profile), ruff and mypy (strict)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --config-file .config/mypy.ini

# Also a hook of pre-commit. With the other collections it checks the arguments of their modules, too.
ansible-lint: export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS):$(OTHERS)
ansible-lint: $(VENV)/test.done $(OTHERS)/done $(INSTALLED)/MANIFEST.json
	$(BIN)/ansible-lint --offline

docs: $(VENV)/test.done $(VENV)/docs.done $(INSTALLED)/MANIFEST.json  ## check documentation and changelog, and build the site in build/docs/html
	$(BIN)/antsibull-changelog lint
	rm -rf build/docs
	mkdir -p -m 0700 build/docs/rst
	export PATH=$(VENV)/docs/bin:$$PATH && \
	antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self . && \
	antsibull-docs collection --use-current --squash-hierarchy --fail-on-error --dest-dir build/docs/rst ece.platform && \
	sphinx-build -b html -c docs -W -n --keep-going --quiet build/docs/rst build/docs/html

commands: $(VENV)/test.done $(OTHERS)/done $(INSTALLED)/MANIFEST.json  ## run the commands of the documentation, and read its examples
	tests/packages.sh curl
	$(PYTEST) -n 2 tests/docs

# ansible-lint, which is a hook, too, is part of `make lint`.
galaxy: $(VENV)/test.done $(VENV)/galaxy.done $(INSTALLED)/MANIFEST.json  ## check licenses, hooks and workflows, import the tarball as Galaxy does, try a release
	$(VENV)/galaxy/bin/reuse lint --lines
	SKIP=ansible-lint PRE_COMMIT_HOME=build/pre-commit $(VENV)/galaxy/bin/pre-commit run --all-files
	$(VENV)/galaxy/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(PYTEST) tests/galaxy

release: $(VENV)/test.done  ## make the release VERSION: notes, commit, tag and tarball; publishes nothing
	@$(BIN)/python -m tests.release '$(VERSION)'

tables: $(VENV)/test.done $(INSTALLED)/MANIFEST.json  ## write the pages on checks (rules for hosts) and on faults (tested faults)
	$(BIN)/python -m tests.faults_table
	PYTHONPATH=$(COLLECTIONS) $(BIN)/python -m tests.checks_table

# The sections with SSH need root and system packages. Without them they are skipped with a message.
bench: export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS):$(OTHERS)
bench: $(VENV)/test.done $(OTHERS)/done $(INSTALLED)/MANIFEST.json  ## measure a platform of FLEET joined hosts, and write the page on performance
	-tests/packages.sh
	$(BIN)/python -m tests.bench --fleet $(FLEET) --write docs/docsite/rst/performance.rst

# NOX has options of nox, such as --session units, or --error-on-missing-interpreters.
matrix: $(VENV)/nox.done $(INSTALLED)/MANIFEST.json  ## run tests with each supported ansible-core and Python that is found
	$(VENV)/nox/bin/python -m tests.matrix $(NOX)

packages:  ## install the system packages that tests need
	tests/packages.sh

# All tests run against the collection that is installed from the tarball.
$(INSTALLED)/MANIFEST.json: $(SOURCES) $(VENV)/demo.done
	rm -rf build/collections build/tarball
	$(BIN)/ansible-galaxy collection build --force --output-path build/tarball .
	$(BIN)/ansible-galaxy collection install --force --no-deps -p $(COLLECTIONS) build/tarball/ece-platform-*.tar.gz
	touch $@

$(VENV)/demo.done: tests/requirements-demo.txt tests/requirements-standin.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements-demo.txt
	touch $@

$(VENV)/test.done: tests/requirements.txt tests/requirements-units.txt $(VENV)/demo.done
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

# The oldest ansible-core that meta/runtime.yml supports, which runs on Python 3.10 to 3.12.
$(VENV)/oldest.done: tests/requirements-oldest.txt $(VENV)/demo.done
	python=$$($(BIN)/python -m tests.interpreters 3.11 3.12 3.10) && $$python -m venv --clear $(VENV)/oldest
	$(VENV)/oldest/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements-oldest.txt
	touch $@

# Tools that pin other versions than the tests: docs, eda, galaxy, nox.
$(VENV)/%.done: tests/requirements-%.txt $(VENV)/demo.done
	$(PYTHON) -m venv $(VENV)/$*
	$(VENV)/$*/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(OTHERS)/done: tests/requirements-collections.txt tests/other_collections.py $(VENV)/demo.done
	rm -rf $(OTHERS)
	$(BIN)/python -m tests.other_collections $(OTHERS)
	touch $@

clean:  ## remove .venv and build
	rm -rf .venv build
