# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guards: what has to agree in several places does, and nothing is without its test and its documentation."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml
from ansible.module_utils import basic

from ansible_collections.ece.platform.plugins.module_utils import _module as shared
from ansible_collections.ece.platform.plugins.module_utils._ece import DEFAULT_ROLES, ROLES
from tests import faults_table

CHECKOUT = Path(__file__).resolve().parents[2]
COLLECTION = Path(shared.__file__).parents[2]
PACKAGE = "ansible_collections.ece.platform.plugins"
NAME = "ece.platform"

MODULES = sorted(path.stem for path in (COLLECTION / "plugins" / "modules").glob("*.py"))
ACTIONS = sorted(path.stem for path in (COLLECTION / "plugins" / "action").glob("*.py"))
FRAGMENTS = sorted(path.stem for path in (COLLECTION / "plugins" / "doc_fragments").glob("*.py"))
# An option without further fields.
PLAIN = {"type": "str", "elements": None, "choices": None, "default": None, "required": False, "aliases": None}
every_module = pytest.mark.parametrize("module", MODULES)


def load(kind, name):
    return importlib.import_module(f"{PACKAGE}.{kind}.{name}")


def documentation(module):
    """A module's documentation, with what it takes from fragments."""
    documented = yaml.safe_load(load("modules", module).DOCUMENTATION)
    options, attributes = dict(documented.get("options") or {}), {}
    for fragment in documented.get("extends_documentation_fragment", []):
        name, _, part = fragment.removeprefix(NAME + ".").partition(".")
        text = yaml.safe_load(getattr(load("doc_fragments", name).ModuleDocFragment, part.upper() or "DOCUMENTATION"))
        options.update(text.get("options") or {})
        for attribute, entry in (text.get("attributes") or {}).items():
            attributes.setdefault(attribute, {}).update(entry)
    for attribute, entry in (documented.get("attributes") or {}).items():
        attributes.setdefault(attribute, {}).update(entry)
    return {**documented, "options": options, "attributes": attributes}


class Built(Exception):
    """In place of a module that runs: its argument_spec."""


def argument_spec(module):
    """The spec that AnsibleModule is given, or that of the action behind a module that is documentation only."""
    if module in ACTIONS:
        return load("action", module).ActionModule.SPEC

    def stop(self, argument_spec, **_):
        raise Built(argument_spec)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(basic.AnsibleModule, "__init__", stop)
        with pytest.raises(Built) as built:
            load("modules", module).main()
    return built.value.args[0]


def connects(module):
    return set(shared.CONNECTION_SPEC) <= set(argument_spec(module))


def tasks(text):
    return [(key, value) for task in yaml.safe_load(text) for key, value in task.items() if key.startswith(NAME + ".")]


# -- tests -----------------------------------------------------------------------------------------------------------


@every_module
def test_every_module_has_a_test_file(module):
    assert list((CHECKOUT / "tests" / "unit").rglob(f"test_{module}.py")), (
        f"there is no tests/unit/modules/test_{module}.py"
    )


@pytest.mark.parametrize(
    "path", sorted((COLLECTION / "plugins" / "module_utils").glob("*.py")), ids=lambda path: path.stem
)
def test_every_module_util_has_a_test_file_or_is_named_in_one(path):
    tests = CHECKOUT / "tests" / "unit"
    assert (tests / "module_utils" / f"test_{path.stem.lstrip('_')}.py").exists() or any(
        re.search(rf"\b{path.stem}\b", test.read_text())
        for test in tests.rglob("test_*.py")
        if test.name != Path(__file__).name
    )


# -- documentation ---------------------------------------------------------------------------------------------------


@every_module
def test_a_modules_documentation_is_complete(module):
    documented = documentation(module)
    assert documented["module"] == module
    assert documented["short_description"] and not documented["short_description"].endswith(".")
    assert re.fullmatch(r"\d+\.\d+\.\d+", str(documented["version_added"]))
    assert documented["author"]
    assert documented["description"]
    for attribute in ("check_mode", "diff_mode", "idempotent"):
        entry = documented["attributes"][attribute]
        assert entry.get("support") in ("full", "partial", "none", "N/A"), attribute
        assert entry.get("description"), attribute
        if entry["support"] == "partial":
            assert entry.get("details"), f"{attribute} is partial: in which way?"
    for option, entry in documented["options"].items():
        assert entry.get("description"), option


def is_private(module):
    """Return whether a module is for a role or a playbook of the collection alone."""
    return documentation(module)["short_description"].endswith("(private)")


@pytest.mark.parametrize("module", [module for module in MODULES if not is_private(module)])
def test_a_module_names_what_else_to_look_at(module):
    assert all(
        entry.get("module", "").removeprefix(NAME + ".") in MODULES or entry.get("description")
        for entry in documentation(module)["seealso"]
    )


def unmarked(options, value):
    """Return the names of options that a text marks as code: O() would link them."""
    text = yaml.safe_dump(value, width=10**6)
    return [name for name in re.findall(r"C\((\w+)(?:=\w+)?\)", text) if name in options]


@every_module
def test_options_are_marked_as_options(module):
    documented = documentation(module)
    returned = yaml.safe_load(load("modules", module).RETURN)
    assert unmarked(documented["options"], [documented, returned]) == []


@pytest.mark.parametrize("text", ["Only with C(state=present).", "Password of C(state)."])
def test_the_search_for_unmarked_options_finds_them(text):
    assert unmarked({"state": {}}, {"description": [text]}) == ["state"]


@every_module
def test_examples_are_tasks_of_the_module_with_options_that_it_has(module):
    examples = tasks(load("modules", module).EXAMPLES)
    assert f"{NAME}.{module}" in [name for name, _ in examples]
    for name, options in examples:
        known = argument_spec(name.removeprefix(NAME + "."))
        assert set(options or {}) <= set(known)
        for option, entry in known.items():
            assert not entry.get("required") or option in (options or {}), f"{option} is required"


@every_module
def test_every_return_value_has_a_sample_of_its_type(module):
    kinds = {"str": str, "int": int, "float": (int, float), "bool": bool, "list": list, "dict": dict, "raw": object}
    returned = yaml.safe_load(load("modules", module).RETURN)
    assert returned
    for name, entry in returned.items():
        assert entry.get("description"), name
        assert entry.get("returned"), name
        assert "sample" in entry, name
        assert isinstance(entry["sample"], kinds[entry["type"]]), f"the sample of {name} is not a {entry['type']}"
        assert entry["type"] != "list" or entry.get("elements"), f"{name} is a list of what?"


# A dict without `contains` is free-form: either its keys are data, or it is passed through as the API has it. Its
# description says so.
FREE_FORM = re.compile(r"\bMapping of .+ to |in the format of the API \(C\(\w+\)\)")


def undocumented(name, entry):
    """Return what a RETURN entry leaves open: a description, a type, the fields of a dict, or a field in its sample."""
    problems = [f"{name} has no {part}" for part in ("description", "type") if not entry.get(part)]
    fields = entry.get("contains")
    if fields is None and "dict" in (entry.get("type"), entry.get("elements")):
        description = entry.get("description") or ""
        if not FREE_FORM.search(description if isinstance(description, str) else " ".join(description)):
            problems.append(f"{name} has neither `contains` nor the description of a free-form dict")
    for field, field_entry in (fields or {}).items():
        problems += undocumented(f"{name}.{field}", field_entry)
    return problems + undocumented_in_sample(name, entry, entry.get("sample"))


def undocumented_in_sample(name, entry, sample):
    """Return the fields of a sample that `contains` does not have, at any depth."""
    fields = entry.get("contains")
    problems = []
    for part in (sample if isinstance(sample, list) else [sample]) if fields else []:
        for field, value in (part or {}).items():
            # NAME stands for any key, as where the keys are names of hosts.
            documented = fields.get(field) or fields.get("NAME")
            if documented:
                problems += undocumented_in_sample(f"{name}.{field}", documented, value)
            else:
                problems.append(f"the sample of {name} has {field}, which is not documented")
    return problems


@every_module
def test_every_field_of_a_return_value_is_documented(module):
    returned = yaml.safe_load(load("modules", module).RETURN)
    assert [problem for name, entry in returned.items() for problem in undocumented(name, entry)] == []


DOCUMENTED_FIELD = {"a": {"description": "d", "type": "str"}}


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"description": "Facts.", "type": "dict"}, "r has neither `contains` nor"),
        ({"description": "Hosts.", "type": "list", "elements": "dict"}, "r has neither `contains` nor"),
        ({"description": "d", "type": "dict", "contains": {"a": {"type": "str"}}}, "r.a has no description"),
        ({"description": "d", "type": "dict", "contains": {"a": {"description": "d"}}}, "r.a has no type"),
        (
            {"description": "d", "type": "dict", "contains": DOCUMENTED_FIELD, "sample": {"b": 1}},
            "the sample of r has b, which is not documented",
        ),
        (
            {
                "description": "d",
                "type": "list",
                "elements": "dict",
                "contains": {"a": {"description": "d", "type": "dict", "contains": DOCUMENTED_FIELD}},
                "sample": [{"a": {"b": 1}}],
            },
            "the sample of r.a has b, which is not documented",
        ),
    ],
)
def test_the_search_for_undocumented_fields_finds_them(entry, problem):
    (found,) = undocumented("r", entry)
    assert problem in found


@every_module
def test_the_argument_spec_equals_the_documented_options(module):
    def compare(where, spec, options):
        assert set(spec) == set(options), where
        for name, entry in spec.items():
            meant = {key: entry.get(key, plain) for key, plain in PLAIN.items()}
            said = {key: options[name].get(key, plain) for key, plain in PLAIN.items()}
            assert meant == said, f"{where}{name}"
            compare(f"{where}{name}.", entry.get("options") or {}, options[name].get("suboptions") or {})

    compare("", argument_spec(module), documentation(module)["options"])


@every_module
def test_options_that_hold_a_secret_are_masked(module):
    for name, entry in argument_spec(module).items():
        if re.search("password|token|secret|api_key", name):
            assert "no_log" in entry, f"{name}: state no_log, whichever it is"
        if name in ("password", "api_key"):
            assert entry["no_log"] is True


def test_every_fallback_to_the_environment_is_documented():
    options = documentation("ece_platform_info")["options"]
    for name, entry in shared.CONNECTION_SPEC.items():
        for variable in entry.get("fallback", (None, []))[1]:
            assert f"E({variable})" in " ".join(options[name]["description"]), name


# -- action group ----------------------------------------------------------------------------------------------------


def test_the_action_group_is_what_takes_connection_options_and_nothing_else():
    group = yaml.safe_load((COLLECTION / "meta" / "runtime.yml").read_text())["action_groups"]["ece"]
    assert group == sorted(module for module in MODULES if connects(module))


@every_module
def test_a_module_is_documented_as_member_of_the_action_group_if_it_is_one(module):
    fragments = yaml.safe_load(load("modules", module).DOCUMENTATION).get("extends_documentation_fragment", [])
    assert (f"{NAME}.attributes.actiongroup_ece" in fragments) == connects(module)
    assert (f"{NAME}.connection" in fragments) == connects(module)


# -- role ------------------------------------------------------------------------------------------------------------

OUR_ROLES = sorted(path.name for path in (COLLECTION / "roles").iterdir() if path.is_dir())


def role(name, *path):
    return yaml.safe_load((COLLECTION / "roles" / name).joinpath(*path).read_text())


@pytest.mark.parametrize("name", OUR_ROLES)
def test_a_roles_defaults_are_those_of_its_argument_specs(name):
    documented = {}
    for entry in role(name, "meta", "argument_specs.yml")["argument_specs"].values():
        for option, option_entry in (entry.get("options") or {}).items():
            if "default" in option_entry:
                assert documented.setdefault(option, option_entry["default"]) == option_entry["default"], (
                    f"{option} has two defaults"
                )
    own = role(name, "defaults", "main.yml")
    # A role shares variables of another one by their names. That one has their defaults.
    shared_defaults = {option: value for option, value in documented.items() if not option.startswith(f"{name}_")}
    if name != "ece_host":
        assert shared_defaults.items() <= role("ece_host", "defaults", "main.yml").items()
        documented = {option: value for option, value in documented.items() if option not in shared_defaults}
    assert own == documented


@pytest.mark.parametrize("name", OUR_ROLES)
def test_a_roles_options_are_documented_and_used(name):
    folder = COLLECTION / "roles" / name
    text = "\n".join(
        path.read_text()
        for kind in ("roles", "playbooks", "plugins")
        for path in (COLLECTION / kind).rglob("*")
        if path.suffix in (".yml", ".py")
    )
    text = text.replace((folder / "meta" / "argument_specs.yml").read_text(), "").replace(
        (folder / "defaults" / "main.yml").read_text(), ""
    )
    for entry_point in role(name, "meta", "argument_specs.yml")["argument_specs"].values():
        assert all(entry_point[key] for key in ("short_description", "author", "version_added"))
        for option, option_entry in (entry_point.get("options") or {}).items():
            assert option_entry.get("description"), option
            assert option_entry.get("type"), option
            assert not ("default" in option_entry and option_entry.get("required")), option
            is_connection = option.removeprefix("ece_") in shared.CONNECTION_SPEC
            assert is_connection or re.search(rf"\b{option}\b", text), f"{option} is not used"


def test_the_defaults_of_seconds_are_those_of_the_role():
    defaults = role("ece_host", "defaults", "main.yml")
    seconds = load("plugin_utils", "_role_options").SECONDS
    assert {name: default for name, (_least, default) in seconds.items()} == {name: defaults[name] for name in seconds}


def test_the_role_takes_the_roles_that_the_platform_knows():
    options = role("ece_host", "meta", "argument_specs.yml")["argument_specs"]["join"]["options"]
    assert options["ece_host_roles"]["choices"] == list(ROLES)
    assert options["ece_host_roles"]["default"] == list(DEFAULT_ROLES)


# -- private parts ---------------------------------------------------------------------------------------------------

# What a step is for, by what its name begins with.
USES = {
    "ece_join_": "role P(ece.platform.ece_host#role)",
    "ece_awx_": "playbook C(ece.platform.awx_setup)",
    "ece_preparation_": "role P(ece.platform.ece_host_preparation#role)",
    "ece_removal_": "role P(ece.platform.ece_host_removal#role)",
    "ece_fleet_": "playbook C(ece.platform.fleet_report) and role P(ece.platform.ece_host#role)",
}
# Modules for users whose work is an action, which shows progress while it goes on.
SHOWN = {"ece_allocator_vacate"}
STEPS = [module for module in MODULES if module.startswith(tuple(USES))]
PRIVATE = [path for kind in ("module_utils", "plugin_utils") for path in (COLLECTION / "plugins" / kind).glob("*.py")]


@pytest.mark.parametrize("path", PRIVATE, ids=lambda path: path.stem)
def test_code_that_users_must_not_import_shows_it_in_name_and_header(path):
    assert path.name.startswith("_")
    assert "is PRIVATE to the collection" in path.read_text(encoding="utf-8")[:600]


def test_every_action_is_a_private_step_or_shows_progress_and_has_a_module_that_documents_it():
    documented = {module for module in MODULES if "action" in documentation(module)["attributes"]}
    assert documented <= set(ACTIONS) <= {*STEPS, *SHOWN} and SHOWN <= documented


@pytest.mark.parametrize("module", STEPS)
def test_a_step_is_not_offered_to_users(module):
    description = documentation(module)["description"]
    (use,) = [use for start, use in USES.items() if module.startswith(start)]
    assert description[0].startswith(f"WARNING: Only for the use of {use}.")
    assert module not in (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert module not in yaml.safe_load((COLLECTION / "meta" / "runtime.yml").read_text())["action_groups"]["ece"]


def test_the_role_registers_results_under_the_names_that_the_steps_read():
    tasks_of_role = (COLLECTION / "roles" / "ece_host" / "tasks").glob("*.yml")
    registered = {name for path in tasks_of_role for name in re.findall(r"register: (\S+)", path.read_text())}
    results = load("plugin_utils", "_results")
    constants = {
        results.PLAN,
        results.CHECK,
        results.TOKEN,
        results.RUNNER,
        results.START,
        results.WAIT,
        results.REPORT,
    }
    assert registered == constants


def test_no_task_of_the_role_has_the_token_as_an_argument():
    """Callbacks may print arguments after templating, whatever an action says of them."""
    token = load("plugin_utils", "_results").TOKEN
    for path in (COLLECTION / "roles" / "ece_host" / "tasks").glob("*.yml"):
        lines = [line.strip() for line in path.read_text().splitlines() if token in line]
        assert set(lines) <= {f"register: {token}"}, path


def test_every_state_of_a_host_is_in_the_table_of_the_architecture():
    states = {
        value
        for name, value in vars(load("module_utils", "_states")).items()
        if isinstance(value, str) and name.isupper()
    }
    page = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?`) \| (?:plan|check|wait|report)", page, re.MULTILINE)
    assert {state for row in rows for state in re.findall(r"`(.*?)`", row)} == states


# -- what is going to be removed ---------------------------------------------------------------------------------------

WHEN = {"removal_date": r"\d{4}-\d\d-\d\d", "removal_version": r"\d+\.0\.0"}


def undated(routing):
    """Return what plugin_routing announces or has removed without a date or a major version, or without a remedy."""
    return [
        f"{kind} {name}: {state}"
        for kind, plugins in (routing or {}).items()
        for name, entry in plugins.items()
        for state in ("deprecation", "tombstone")
        if state in entry
        and not (
            entry[state].get("warning_text")
            and any(re.fullmatch(form, str(entry[state].get(key))) for key, form in WHEN.items())
        )
    ]


def test_a_deprecation_or_tombstone_has_its_date_and_names_a_remedy():
    assert undated(yaml.safe_load((COLLECTION / "meta" / "runtime.yml").read_text()).get("plugin_routing")) == []


@pytest.mark.parametrize(
    "entry",
    [
        {"deprecation": {"removal_version": "2.0.0"}},
        {"deprecation": {"warning_text": "Use ece_runner."}},
        {"tombstone": {"removal_version": "2.1.0", "warning_text": "Use ece_runner."}},
        {"tombstone": {"removal_date": "soon", "warning_text": "Use ece_runner."}},
    ],
)
def test_the_search_for_undated_removals_finds_them(entry):
    (found,) = undated({"modules": {"ece_old": entry}})
    assert found == f"modules ece_old: {next(iter(entry))}"


# -- what security.rst promises ---------------------------------------------------------------------------------------

SHELL = re.compile(
    r"shell=True|os\.system|os\.popen|getoutput|getstatusoutput|use_unsafe_shell|ansible\.builtin\.(shell|raw)\b"
)


def shells_in(text, *, is_yaml):
    """Return what asks a shell to do something. Tasks have the modules as keys; options have these names, too."""
    found = [match.group() for match in SHELL.finditer(text)]
    waiting = [yaml.safe_load(text)] if is_yaml else []
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            found += [key for task in part if isinstance(task, dict) for key in ("shell", "raw") if key in task]
        waiting += list(part.values()) if isinstance(part, dict) else part if isinstance(part, list) else []
    return found


def test_the_search_for_shells_finds_them():
    for text in ("run(x, shell=True)", "os.system(x)", "run_command(x, use_unsafe_shell=True)"):
        assert shells_in(text, is_yaml=False), text
    for text in ("- ansible.builtin.shell: ls", "- block:\n  - name: x\n    shell: ls", "- raw: ls"):
        assert shells_in(text, is_yaml=True), text
    assert not shells_in("- community.general.dnf_versionlock:\n    raw: true", is_yaml=True)


def test_no_shell_is_asked_to_do_anything():
    for kind in ("plugins", "roles", "playbooks"):
        for path in (COLLECTION / kind).rglob("*"):
            if path.suffix in (".py", ".yml"):
                assert not shells_in(path.read_text(), is_yaml=path.suffix == ".yml"), path


def test_certificates_are_verified_by_default():
    assert (
        shared.CONNECTION_SPEC["validate_certs"]["default"] is True
        and shared.CONNECTION_SPEC["allow_http"]["default"] is False
    )
    for path in (COLLECTION / "plugins").rglob("*.py"):
        assert not re.search(r"verify=False|CERT_NONE|_create_unverified|validate_certs=False", path.read_text()), path


def test_the_page_of_faults_is_what_is_tested():
    assert faults_table.PAGE.read_text(encoding="utf-8") == faults_table.page(), "run `make tables`"


def test_each_fault_has_a_name_of_its_own():
    names = re.findall(r"^   \* - ``([a-z0-9-]+)``$", faults_table.page(), re.MULTILINE)
    assert len(names) == len(set(names)) >= 40


# -- release ---------------------------------------------------------------------------------------------------------


def test_the_version_is_the_same_everywhere():
    galaxy = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())
    assert shared.VERSION == galaxy["version"]
    assert f"{galaxy['namespace']}.{galaxy['name']}" == NAME


def versions_added(entry):
    """Yield every `version_added` in documentation, at any depth."""
    for key, value in entry.items() if isinstance(entry, dict) else enumerate(entry):
        if key == "version_added":
            yield str(value)
        elif isinstance(value, (dict, list)):
            yield from versions_added(value)


def documents():
    """Yield a name and the documentation of every plugin and of every entry point of a role."""
    for kind in ("modules", "lookup", "inventory", "filter"):
        for path in sorted((COLLECTION / "plugins" / kind).glob("*.py")):
            plugin = load(kind, path.stem)
            returned = yaml.safe_load(getattr(plugin, "RETURN", "")) or {}
            yield path.stem, {**yaml.safe_load(plugin.DOCUMENTATION), "returned": returned}
    for name in OUR_ROLES:
        for entry_point, entry in role(name, "meta", "argument_specs.yml")["argument_specs"].items():
            yield f"{name}.{entry_point}", entry


def test_everything_says_since_when_it_exists_and_nothing_is_newer_than_this_version():
    version = [int(part) for part in shared.VERSION.split(".")]
    for name, entry in documents():
        assert entry.get("version_added"), f"{name} has no version_added"
        for added in versions_added(entry):
            assert [int(part) for part in added.split(".")] <= version, (
                f"{name}: {added} is newer than {shared.VERSION}"
            )


def test_an_option_says_since_when_it_exists_only_if_that_is_later_than_its_plugin():
    for name, entry in documents():
        own, *others = versions_added({"version_added": entry["version_added"], **entry})
        assert own not in others, f"{name}: version_added {own} is that of the whole"


def test_what_is_added_names_a_release_or_the_coming_one():
    released = yaml.safe_load((CHECKOUT / "changelogs" / "changelog.yaml").read_text())["releases"]
    for name, entry in documents():
        assert set(versions_added(entry)) <= {*released, shared.VERSION}, name
