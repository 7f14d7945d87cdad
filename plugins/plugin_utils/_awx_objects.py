# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The objects that playbook awx_setup creates in AWX: the files in extensions/awx with what the user's variables say.

Everything is checked here, before anything is changed. No value that is a secret becomes a part of an object.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

import yaml
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError

PREFIX = "ece_awx_"
ZONE = "ece_host_zone"
# The variables that name one object, and the file with its name where the variable is not set.
NAMES = {
    "ece_awx_project": "project",
    "ece_awx_inventory": "inventory",
    "ece_awx_credential": "credential",
    "ece_awx_execution_environment": "execution_environment",
}
TEXTS = (
    *NAMES,
    "ece_awx_organization",
    "ece_awx_prefix",
    "ece_awx_project_url",
    "ece_awx_project_branch",
    "ece_awx_project_credential",
    "ece_awx_execution_environment_image",
    "ece_awx_machine_credential",
    "ece_awx_vault_credential",
)
VARIABLES = (*TEXTS, "ece_awx_zones", "ece_awx_survey", "ece_awx_slices", "ece_awx_update_secrets")
# The values of the credential, under the names that they have for the role.
LOGIN = ("ece_url", "ece_api_key", "ece_username", "ece_password", "ece_ca_path")
DEFAULT_ORGANIZATION = "Default"
# How many slices AWX accepts is not documented. More than this is a mistake.
SLICES_MAX = 1000

Object = dict[str, Any]


class Variables(Protocol):
    """The variables of a host. An empty one counts as not set."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a variable, or the default where it is not set."""


def read(folder: Path) -> dict[str, Any]:
    """Return the content of the files by their names without suffix, and those of each folder by the folder's name."""
    found: dict[str, Any] = {path.stem: _load(path) for path in sorted(folder.glob("*.yml"))}
    for name in ("job_templates", "surveys"):
        found[name] = {path.stem: _load(path) for path in sorted((folder / name).glob("*.yml"))}
    return found


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def objects_of(files: Mapping[str, Any], variables: Variables) -> Object:
    """Return the objects by kind. Raises OptionError."""
    texts = {name: _text(variables, name) for name in TEXTS}
    prefix = texts["ece_awx_prefix"] or ""
    surveys = _surveys(files["surveys"], variables)
    slices = _slices(variables)
    _check_project(texts)

    def named(variable: str) -> Object:
        """The content of the file of an object, with the name that the variable or the prefix gives it."""
        content = dict(files[NAMES[variable]])
        return {**content, "name": texts[variable] or prefix + content["name"]}

    environment = None
    if texts["ece_awx_execution_environment"] or texts["ece_awx_execution_environment_image"]:
        environment = {
            **named("ece_awx_execution_environment"),
            "image": texts["ece_awx_execution_environment_image"],
        }
    return {
        "organization": texts["ece_awx_organization"] or DEFAULT_ORGANIZATION,
        "credential_type": files["credential_type"],
        "credential": named("ece_awx_credential"),
        "project": {
            **named("ece_awx_project"),
            "scm_url": texts["ece_awx_project_url"],
            "scm_branch": texts["ece_awx_project_branch"],
            "credential": texts["ece_awx_project_credential"],
        },
        "inventory": named("ece_awx_inventory"),
        "execution_environment": environment,
        "job_templates": [
            _template(content, prefix, surveys, slices) for _file, content in sorted(files["job_templates"].items())
        ],
        "workflow": _workflow(files["workflow"], prefix, surveys),
        # A node has to exist before another one can lead to it.
        "nodes": [_node(node, prefix) for node in reversed(files["workflow"]["nodes"])],
    }


def gives_login(variables: Variables) -> bool:
    """Return whether the variables have the values of the credential. Raises OptionError if only some of them do.

    Messages do not repeat an address with a password in it.
    """
    given = {name: variables.get(name) for name in LOGIN}
    set_names = [name for name in LOGIN if given[name]]
    if not set_names:
        return False
    if not given["ece_url"]:
        raise OptionError(
            f"ece_url is not set, but {' and '.join(set_names)} {'is' if len(set_names) == 1 else 'are'}: set it to "
            "the address of a coordinator, like https://ece.example.com:12443, or leave out all values of the "
            "credential"
        )
    urls = [given["ece_url"]] if isinstance(given["ece_url"], str) else given["ece_url"]
    if not isinstance(urls, (list, tuple)):
        raise OptionError(
            f"ece_url {urls!r} is not an address of a coordinator: use one like https://ece.example.com:12443"
        )
    for url in urls:
        _check_address(str(url))
    if given["ece_api_key"] and (given["ece_username"] or given["ece_password"]):
        raise OptionError("ece_api_key and ece_username/ece_password are both set: set one kind of credentials")
    if not given["ece_api_key"]:
        for name, other in (("ece_username", "ece_password"), ("ece_password", "ece_username")):
            if given[other] and not given[name]:
                raise OptionError(f"{name} is not set, but {other} is: both are needed")
        if not given["ece_username"]:
            raise OptionError(
                "no credentials: set ece_api_key, or ece_username and ece_password, or leave out ece_url and create "
                "the credential in AWX"
            )
    ca_path(variables)
    return True


def ca_path(variables: Variables) -> str | None:
    """Return the absolute path of the CA certificate, or None. Raises OptionError if it is no file here."""
    path = variables.get("ece_ca_path")
    if not path:
        return None
    found = Path(str(path)).expanduser()
    if not found.is_file():
        raise OptionError(
            f"ece_ca_path {path} is not a file here: give the CA certificate that signed the coordinator's "
            "certificate, in PEM format"
        )
    return str(found.resolve())


def updates_secrets(variables: Variables) -> bool:
    """Return whether secrets that AWX has are sent again. Raises OptionError if the variable is no boolean."""
    value = variables.get("ece_awx_update_secrets")
    try:
        return bool(boolean(value)) if value is not None else False
    except TypeError:
        raise OptionError(f"ece_awx_update_secrets {value!r} is not a boolean: use true or false") from None


def _check_address(url: str) -> None:
    if "@" in url:
        raise OptionError("ece_url holds a user name or password: give them as ece_username and ece_password instead")
    for part in url.split(","):
        if not re.fullmatch(r"\s*https?://\S+\s*", part):
            raise OptionError(
                f"ece_url {part.strip()!r} is not an address of a coordinator: use one like https://ece.example.com:12443"
            )


def check_controller(variables: Variables, environment: Mapping[str, str]) -> None:
    """Raise OptionError where the address of AWX or a login to it is missing."""

    def found(variable: str, *names: str) -> bool:
        return bool(variables.get(variable) or any(environment.get(name) for name in names))

    if variables.get("controller_config_file"):
        return
    if not found("controller_host", "CONTROLLER_HOST", "TOWER_HOST"):
        raise OptionError(
            "the address of AWX is not set: set controller_host, or CONTROLLER_HOST in the environment, to one like "
            "https://awx.example.com, or controller_config_file to a file that has it, like ~/.tower_cli.cfg"
        )
    if not found("controller_oauthtoken", "CONTROLLER_OAUTH_TOKEN", "TOWER_OAUTH_TOKEN") and not (
        found("controller_username", "CONTROLLER_USERNAME", "TOWER_USERNAME")
        and found("controller_password", "CONTROLLER_PASSWORD", "TOWER_PASSWORD")
    ):
        raise OptionError(
            "no login to AWX: set controller_oauthtoken (CONTROLLER_OAUTH_TOKEN in the environment), or "
            "controller_username and controller_password (CONTROLLER_USERNAME and CONTROLLER_PASSWORD), or "
            "controller_config_file to a file that has them"
        )


# -- objects ---------------------------------------------------------------------------------------------------------


def _template(content: Mapping[str, Any], prefix: str, surveys: Mapping[str, Object], slices: int | None) -> Object:
    template = _with_survey(content, prefix, surveys)
    # Only a join has enough to do to be divided, so the files of the others have no slices.
    return {**template, "job_slice_count": slices or 1} if "job_slice_count" in content else template


def _workflow(content: Mapping[str, Any], prefix: str, surveys: Mapping[str, Object]) -> Object:
    return {key: value for key, value in _with_survey(content, prefix, surveys).items() if key != "nodes"}


def _with_survey(content: Mapping[str, Any], prefix: str, surveys: Mapping[str, Object]) -> Object:
    survey = surveys[content["survey"]] if "survey" in content else {"spec": []}
    return {
        **{key: value for key, value in content.items() if key != "survey"},
        "name": prefix + content["name"],
        "survey_enabled": bool(survey["spec"]),
        # AWX has no survey without questions.
        "survey_spec": survey if survey["spec"] else {},
    }


def _node(node: Mapping[str, Any], prefix: str) -> Object:
    template = node.get("job_template")
    return {
        "identifier": node["identifier"],
        "job_template": prefix + template if template else None,
        "approval": node.get("approval"),
        "success_nodes": node["success_nodes"],
    }


def _surveys(files: Mapping[str, Object], variables: Variables) -> dict[str, Object]:
    """Return the surveys. The one of the join has the questions and the zones that the user wants."""
    join = files["add_allocators"]
    questions = [question["variable"] for question in join["spec"]]
    # An empty list is a choice, an empty text is none.
    wanted = variables.get("ece_awx_survey")
    asked = questions if wanted is None else _list("ece_awx_survey", wanted)
    unknown = [name for name in asked if name not in questions]
    if unknown:
        raise OptionError(
            f"ece_awx_survey has {unknown[0]!r}, which is no question of the survey: use some of {', '.join(questions)}"
        )
    zones = _list("ece_awx_zones", variables.get("ece_awx_zones") or [])
    if ZONE in asked and not zones:
        others = [name for name in questions if name != ZONE]
        raise OptionError(
            "ece_awx_zones is not set: give the availability zones that the survey offers, like [ece-zone-1, "
            f"ece-zone-2], or, if the inventory sets {ZONE}, leave that question out with ece_awx_survey: "
            f"[{', '.join(others)}]"
        )
    spec = [
        {**question, "choices": "\n".join(zones)} if question["variable"] == ZONE else question
        for question in join["spec"]
        if question["variable"] in asked
    ]
    return {**files, "add_allocators": {**join, "spec": spec}}


def _slices(variables: Variables) -> int | None:
    value = variables.get("ece_awx_slices")
    if value is None:
        return None
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]+", str(value)) or not 1 <= int(value) <= SLICES_MAX:
        raise OptionError(f"ece_awx_slices {value!r} is not a number of slices: use 1 to {SLICES_MAX}")
    return int(value)


def _check_project(texts: Mapping[str, str | None]) -> None:
    for name in ("ece_awx_project_branch", "ece_awx_project_credential"):
        if texts[name] and not texts["ece_awx_project_url"]:
            raise OptionError(f"{name} is set, but ece_awx_project_url is not: set it to the URL of the repository")


# -- values ----------------------------------------------------------------------------------------------------------


def _text(variables: Variables, name: str) -> str | None:
    value = variables.get(name)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise OptionError(f"{name} {value!r} is not a text: give one")


def _list(name: str, value: Any) -> list[str]:
    """Return the elements of a list, or of a text with commas or line breaks between them."""
    parts: Collection[Any] = re.split(r"[,\n]", value) if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or any(isinstance(part, (dict, list, bool)) for part in parts):
        raise OptionError(f"{name} {value!r} is not a list: use one like [ece-zone-1, ece-zone-2]")
    return list(dict.fromkeys(text for text in (str(part).strip() for part in parts) if text))
