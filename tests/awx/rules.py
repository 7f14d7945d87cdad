# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of AWX 24.6 for credential types and surveys, as its REST API applies them.

Sources: awx/main/fields.py and awx/main/models/credential.py for credential types, awx/api/views/__init__.py and
awx/main/models/mixins.py for surveys, all in https://github.com/ansible/awx at tag 24.6.1.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

NAME = re.compile(r"[a-zA-Z_]+[a-zA-Z0-9_]*\Z")
FILE_LABEL = re.compile(r"template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?\Z")
# Environment variables that a credential may not set, apart from those that begin with ANSIBLE_.
REFUSED = frozenset(
    {
        *("VIRTUAL_ENV", "PATH", "PYTHONPATH", "CACHE", "AWX_HOST", "PROJECT_REVISION", "SUPERVISOR_CONFIG_PATH"),
        *("JOB_ID", "INVENTORY_ID", "INVENTORY_SOURCE_ID", "INVENTORY_UPDATE_ID", "AD_HOC_COMMAND_ID"),
        *("REST_API_URL", "REST_API_TOKEN", "MAX_EVENT_RES", "CALLBACK_QUEUE", "CALLBACK_CONNECTION"),
        *("JOB_CALLBACK_DEBUG", "INVENTORY_HOSTVARS"),
    }
)
FIELD_KEYS = {
    "id",
    "label",
    "type",
    "format",
    "choices",
    "help_text",
    "multiline",
    "secret",
    "ask_at_runtime",
    "default",
}
ANSWER_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": str,
    "integer": int,
    "float": float,
}


# -- credential types ------------------------------------------------------------------------------------------------


@dataclass
class Injected:
    """What a job gets of a credential."""

    env: dict[str, str] = field(default_factory=dict)
    extra_vars: dict[str, Any] = field(default_factory=dict)


class _Tower:
    """The name `tower` in a template."""

    filename: Any = None


class _Names:
    """The paths of several files, by the ends of their labels."""


def type_problems(inputs: Mapping[str, Any], injectors: Mapping[str, Any]) -> Iterator[str]:
    """Yield what AWX refuses in a credential type."""
    ids = [entry.get("id", "") for entry in inputs.get("fields", [])]
    for entry in inputs.get("fields", []):
        if set(entry) - FIELD_KEYS or not {"id", "label"} <= set(entry):
            yield f"field {entry} has keys that AWX does not know, or lacks id or label"
        if not NAME.match(entry["id"]) or entry["id"] == "tower" or ids.count(entry["id"]) > 1:
            yield f"{entry['id']} cannot be the id of a field"
        if entry.get("type", "string") not in ("string", "boolean"):
            yield f"{entry['type']} is not a type of field {entry['id']}"
    if set(inputs) - {"fields", "required"} or set(inputs.get("required", [])) - set(ids):
        yield "inputs have keys that AWX does not know, or a required field that does not exist"
    if set(injectors) - {"file", "env", "extra_vars"}:
        yield "injectors have keys that AWX does not know"
    yield from _injector_problems(ids, injectors)


def _injector_problems(ids: list[str], injectors: Mapping[str, Any]) -> Iterator[str]:
    labels = list(injectors.get("file", {}))
    if not all(map(FILE_LABEL.match, labels)) or ("template" in labels and len(labels) > 1):
        yield f"{labels} cannot be the labels of files"
    for name, template in injectors.get("env", {}).items():
        if not NAME.match(name) or name.startswith("ANSIBLE_") or name in REFUSED or not template.isascii():
            yield f"{name} is refused as an environment variable"
    tower = _Tower()
    tower.filename = _Names()
    for label in labels:
        _place(tower, label, "path")
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    example = {**{name: "EXAMPLE" for name in ids}, "tower": tower}
    for kind in ("file", "env", "extra_vars"):
        for name, template in injectors.get(kind, {}).items():
            try:
                environment.from_string(template).render(example)
            except TemplateError as error:
                yield f"{kind} {name}: {error}"


def inject(
    credential_type: Mapping[str, Any], inputs: Mapping[str, Any], folder: Path, seen_as: Path | None = None
) -> Injected:
    """Return what a job gets: files are written first, then come environment variables, then extra variables.

    An empty input is undefined in the templates, which is empty text where it is printed. A secret input that holds a
    template is not rendered. seen_as: the path of `folder` where the job runs, if it is another one.
    """
    injectors = credential_type["injectors"]
    tower = _Tower()
    names: dict[str, Any] = {"tower": tower, **{name: value for name, value in inputs.items() if value != ""}}
    for entry in credential_type["inputs"]["fields"]:
        if entry.get("type") == "boolean":
            names.setdefault(entry["id"], False)
    environment = ImmutableSandboxedEnvironment()
    injected = Injected()
    for label, template in injectors.get("file", {}).items():
        handle, path = tempfile.mkstemp(dir=folder)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(environment.from_string(template).render(names))
        Path(path).chmod(0o600)
        if tower.filename is None and "." in label:
            tower.filename = _Names()
        _place(tower, label, str((seen_as or folder) / Path(path).name))
    for name, template in injectors.get("env", {}).items():
        # AWX leaves out a refused variable, and says so in its log only.
        if not name.startswith("ANSIBLE_") and name not in REFUSED:
            injected.env[name] = environment.from_string(template).render(names)
    for name, template in injectors.get("extra_vars", {}).items():
        injected.extra_vars[name] = environment.from_string(template).render(names)
    return injected


def _place(tower: _Tower, label: str, path: str) -> None:
    if "." in label:
        setattr(tower.filename, label.split(".", 1)[1], path)
    else:
        tower.filename = path


# -- surveys ---------------------------------------------------------------------------------------------------------


def survey_problems(survey: Mapping[str, Any]) -> Iterator[str]:
    """Yield what AWX refuses in a survey, and what its user interface cannot show."""
    for key, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(survey.get(key), kind):
            yield f"{key} is missing, or not a {kind.__name__}"
    spec = survey.get("spec") or []
    if not spec:
        yield "spec has no questions"
    seen: set[str] = set()
    for question in spec:
        yield from _question_problems(question)
        if question.get("variable") in seen:
            yield f"{question['variable']} is asked for twice"
        seen.add(question.get("variable"))


def _question_problems(question: Mapping[str, Any]) -> Iterator[str]:
    for key, kind in (("type", str), ("question_name", str), ("variable", str), ("required", bool)):
        if not isinstance(question.get(key), kind):
            yield f"{key} of {question} is missing, or not a {kind.__name__}"
            return
    name = question["variable"]
    if question["type"] not in ANSWER_TYPES:
        yield f"{question['type']} is not a type of question"
        return
    default = question.get("default", "")
    if default != "" and not isinstance(default, ANSWER_TYPES[question["type"]]):
        yield f"the default of {name} is not a {question['type']}"
    for limit in ("min", "max"):
        if question.get(limit) is not None and type(question[limit]) is not int:
            yield f"{limit} of {name} is not an integer"
    if question["type"] in ("multiplechoice", "multiselect"):
        if not isinstance(question.get("choices"), (str, list)) or not choices_of(question):
            yield f"{name} has no choices"
        # The API accepts a question without it, which the user interface can then neither show nor change.
        elif not isinstance(question.get("default"), str):
            yield f"{name} has no default, not even an empty one"
        elif any(part not in choices_of(question) for part in default.splitlines()):
            yield f"the default of {name} is not one of its choices"


def choices_of(question: Mapping[str, Any]) -> list[str]:
    """Return the choices of a question, which may be a list or lines."""
    choices = question["choices"]
    return [one for one in (choices.splitlines() if isinstance(choices, str) else choices) if one.strip()]


def answer_problems(question: Mapping[str, Any], answers: Mapping[str, Any]) -> Iterator[str]:
    """Yield why AWX refuses a launch with these answers."""
    name, kind = question["variable"], question["type"]
    if name not in answers:
        if question["required"]:
            yield f"{name} is missing"
        return
    value = answers[name]
    if kind == "multiselect":
        if not isinstance(value, list) or set(value) - set(choices_of(question)):
            yield f"{name} is not a list of choices"
    elif kind == "multiplechoice":
        if value not in choices_of(question):
            yield f"{name} is not one of the choices"
    elif kind in ("integer", "float"):
        if type(value) not in ((int,) if kind == "integer" else (int, float)):
            yield f"{name} is not a number"
        elif not _within(question, value):
            yield f"{name} is too small or too large"
    elif not isinstance(value, str):
        yield f"{name} is not a text"
    elif not _within(question, len(value)):
        yield f"{name} is too short or too long"


def _within(question: Mapping[str, Any], size: float) -> bool:
    least, most = question.get("min"), question.get("max")
    return (least is None or size >= least) and (most is None or size <= most)


def launched(survey: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extra variables of a launch. A default that would be refused as an answer is left out.

    Raises ValueError for answers that AWX refuses.
    """
    problems = [problem for question in survey["spec"] for problem in answer_problems(question, answers)]
    unknown = set(answers) - {question["variable"] for question in survey["spec"]}
    if problems or unknown:
        raise ValueError("; ".join([*problems, *(f"{name} is not asked for" for name in sorted(unknown))]))
    defaults = {
        question["variable"]: question["default"]
        for question in survey["spec"]
        if question.get("default") is not None
        and not list(answer_problems(question, {question["variable"]: question["default"]}))
    }
    return {**defaults, **answers}
