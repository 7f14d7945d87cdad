# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every command of README.md and of the pages in docs is run, in its order, and prints what the page shows."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import rules
from tests.docs.blocks import PAGES, Block, Command, all_blocks, blocks_of, commands
from tests.docs.galaxy import Galaxy, build, build_dependencies
from tests.docs.reader import Reader, clone_source
from tests.standin import StandIn

BY_PAGE = {path.stem: blocks_of(path) for path in PAGES}
# The longest page first, so that it is not the last one of a worker.
WITH_COMMANDS = sorted(
    (page for page, blocks in BY_PAGE.items() if any(block.language == "console" for block in blocks)),
    key=lambda page: page != "getting_started",
)


@pytest.fixture(scope="session")
def repository() -> Iterator[Path]:
    """A repository that can be cloned."""
    folder = Path(tempfile.mkdtemp(prefix="docs-"))
    yield clone_source(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def galaxy(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that has the collection as a release, and those that it needs."""
    folder = tmp_path_factory.mktemp("galaxy")
    with Galaxy([build(repository, folder), *build_dependencies(repository / "galaxy.yml", folder)]) as server:
        yield server.url


@pytest.fixture(name="folder")
def open_folder() -> Iterator[Path]:
    """A folder that the install user can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="reader-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_the_commands_of_a_page_work_and_print_what_it_shows(
    page: str, folder: Path, repository: Path, galaxy: str
) -> None:
    given = [
        block
        for block in BY_PAGE.get(rules.INVENTORY_FROM.get(page, ""), ())
        if block.kind == "inventory" and block.file == "inventory.yml"
    ]
    inventories = [block for block in BY_PAGE[page] if block.file and block.kind == "inventory"]
    foreign = [block for block in inventories if (page, block.file) in rules.FOREIGN_VARIABLES]
    with StandIn(allocators=2, install_seconds=0.5, connect_seconds=0.5) as ece:
        for known in ece.platform.current_allocators():  # as the pages' inventories declare them
            ece.platform.set_metadata(known.allocator_id, [("ssd", "true")], None)
            ece.platform.set_settings(known.allocator_id, {"capacity": 204800}, None)
        reader = Reader(page, folder, ece, repository, galaxy)
        reader.prepare([*given, *(block for block in inventories if block not in foreign)], given)
        typed = reader.read(BY_PAGE[page])
        assert typed
        for block, command, output in typed:
            assert reader.shows(command, output), f"{block.place}: {command.text} printed\n{output}"


def test_a_reader_sees_whether_an_output_is_another_one() -> None:
    with StandIn() as ece:
        reader = Reader("page", Path("/nowhere"), ece, Path("/nowhere"))
        shown = Command("x", ("...", "  0:07  3/3 connected", "...", "token: valid 35 min"))
        assert reader.shows(shown, "first\n\n 0:12   3/3 connected\nmore\ntoken: valid 35 min\n")
        assert not reader.shows(shown, "first\n 0:12  2/3 connected\nmore\ntoken: valid 35 min\n")
        assert not reader.shows(shown, "first\n 0:12  3/3 connected\nmore\n")
        assert not reader.shows(shown, "first\n 0:12  3/3 connected\ntoken: valid 35 min\nmore\n")


@pytest.mark.parametrize(
    "page, beginning",
    [*rules.NOT_RUN, *rules.ONLY_CHECKED, *((p, b) for p, some in rules.OTHER_TERMINALS.items() for b in some)],
)
def test_each_exception_is_for_a_command_that_there_is(page: str, beginning: str) -> None:
    typed = [command for block in BY_PAGE[page] if block.language == "console" for command in commands(block)]
    assert any(command.text.startswith(beginning) for command in typed)


@pytest.mark.parametrize("example", rules.SUBSTITUTIONS)
def test_each_substitution_is_for_a_text_that_there_is(example: str) -> None:
    assert any(example in block.text for block in all_blocks())


def test_a_command_hides_in_no_other_block() -> None:
    def hidden(block: Block) -> bool:
        return any(
            line.lstrip().startswith(("$ ", "# ansible", "ansible-", "make ")) for line in block.text.splitlines()
        )

    assert not [block.place for block in all_blocks() if block.language != "console" and hidden(block)]
