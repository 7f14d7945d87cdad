# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fake of the part of AWX's REST API that the modules of awx.awx use for playbook awx_setup.

It stores what is sent, with AWX's defaults beside it, refuses what AWX refuses in these objects, hides secrets, and
notes each request that writes.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.awx.rules import survey_problems, type_problems
from tests.standin.server import ServerThread, Service, listen

TOKEN = "t0ken-of-the-fake-awx"
HIDDEN = "$encrypted$"
HEADERS = {"X-API-Product-Name": "AWX", "X-API-Product-Version": "24.6.1"}
Thing = dict[str, Any]

# The type of each kind of object, and the fields that AWX gives it beside those that are sent.
KINDS: Mapping[str, tuple[str, Thing]] = {
    "organizations": ("organization", {"description": "", "max_hosts": 0}),
    "credential_types": (
        "credential_type",
        {"description": "", "kind": "cloud", "managed": False, "inputs": {}, "injectors": {}},
    ),
    "credentials": ("credential", {"description": "", "organization": None, "inputs": {}}),
    "execution_environments": (
        "execution_environment",
        {"description": "", "organization": None, "image": "", "credential": None, "pull": ""},
    ),
    "projects": (
        "project",
        {
            "description": "",
            "organization": None,
            "scm_type": "",
            "scm_url": "",
            "scm_branch": "",
            "credential": None,
            "scm_update_on_launch": False,
            "scm_revision": "",
        },
    ),
    "inventories": ("inventory", {"description": "", "organization": None, "kind": "", "host_filter": None}),
    "job_templates": (
        "job_template",
        {
            "description": "",
            "job_type": "run",
            "inventory": None,
            "project": None,
            "playbook": "",
            "execution_environment": None,
            "ask_limit_on_launch": False,
            "ask_variables_on_launch": False,
            "diff_mode": False,
            "become_enabled": False,
            "allow_simultaneous": False,
            "job_slice_count": 1,
            "survey_enabled": False,
            "extra_vars": "",
        },
    ),
    "workflow_job_templates": (
        "workflow_job_template",
        {
            "description": "",
            "organization": None,
            "inventory": None,
            "limit": None,
            "ask_limit_on_launch": False,
            "survey_enabled": False,
            "extra_vars": "",
        },
    ),
    "workflow_job_template_nodes": (
        "workflow_job_template_node",
        {"workflow_job_template": None, "unified_job_template": None, "all_parents_must_converge": False},
    ),
    "workflow_approval_templates": ("workflow_approval_template", {"description": "", "timeout": 0}),
}
UNIFIED = ("projects", "job_templates", "workflow_job_templates", "workflow_approval_templates")
# Lists of objects that belong to an object, and the kind of their members.
RELATED = {
    "credentials": "credentials",
    "success_nodes": "workflow_job_template_nodes",
}


class Refused(Exception):
    """What AWX answers with status 400."""


class FakeAwx:
    """Listens on the loopback from __enter__ to __exit__.

    playbooks: the files that every project has. writes: method and path of each request that changes something.
    """

    def __init__(self, playbooks: tuple[str, ...]) -> None:
        self.playbooks = playbooks
        self.writes: list[tuple[str, str]] = []
        self.things: dict[str, dict[int, Thing]] = {kind: {} for kind in KINDS}
        self.related: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[tuple[str, int], Thing] = {}
        self._last_id = 0
        self.add("organizations", name="Default")
        for name in ("Machine", "Vault", "Source Control"):
            self.add("credential_types", name=name, kind="ssh")

    def __enter__(self) -> FakeAwx:
        socket = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        self._thread = ServerThread([Service(app=self._application(), socket=socket)])
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._thread.stop()

    # -- what tests read and set ---------------------------------------------------------------------------------------

    def add(self, kind: str, /, **fields: Any) -> Thing:
        """Store an object as AWX does, without a check, and return it."""
        self._last_id += 1
        name, defaults = KINDS[kind]
        thing = {**copy.deepcopy(defaults), **fields, "id": self._last_id, "type": name}
        self.things[kind][self._last_id] = thing
        return thing

    def state(self) -> tuple[Any, ...]:
        """Return a copy of all that is stored, for `restore` of this or another fake."""
        return copy.deepcopy((self.things, self.related, self.surveys, self._last_id))

    def restore(self, state: tuple[Any, ...]) -> None:
        """Take what `state` has returned."""
        self.things, self.related, self.surveys, self._last_id = copy.deepcopy(state)

    def find(self, kind: str, name: str) -> Thing:
        """Return the only object with this name."""
        (found,) = [thing for thing in self.things[kind].values() if thing.get("name", thing.get("identifier")) == name]
        return found

    def names(self, kind: str) -> list[str]:
        """Return the names of all objects of a kind."""
        return sorted(str(thing.get("name", thing.get("identifier"))) for thing in self.things[kind].values())

    def survey(self, kind: str, name: str) -> Thing:
        """Return the survey of a template."""
        return self.surveys.get((kind, self.find(kind, name)["id"]), {})

    def members(self, kind: str, name: str, relation: str) -> list[str]:
        """Return the names of the objects that belong to an object, sorted."""
        found = self.related.get((kind, self.find(kind, name)["id"], relation), [])
        members = [self.things[RELATED[relation]][one] for one in found]
        return sorted(str(member.get("name", member.get("identifier"))) for member in members)

    # -- requests ------------------------------------------------------------------------------------------------------

    def _application(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST", "PATCH", "DELETE"])])

    async def _answer(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"detail": "no credentials"}, 401, HEADERS)
        body = json.loads(await request.body() or b"{}")
        if request.method != "GET":
            self.writes.append((request.method, request.url.path))
        parts = request.url.path.strip("/").split("/")
        assert parts[:2] == ["api", "v2"], request.url.path
        try:
            status, reply = self._handle(request.method, parts[2:], dict(request.query_params), body)
        except Refused as error:
            status, reply = 400, {"error": str(error), "__all__": [str(error)]}
        except KeyError:
            status, reply = 404, {"detail": "Not found."}
        return Response(status_code=204, headers=HEADERS) if status == 204 else JSONResponse(reply, status, HEADERS)

    def _handle(self, method: str, parts: list[str], query: Mapping[str, str], body: Thing) -> tuple[int, Any]:
        if parts[0] == "project_updates":
            return 200, {"id": int(parts[1]), "status": "successful"}
        if parts[0] == "unified_job_templates":
            return 200, self._page([*self._all(UNIFIED)], query)
        kind = parts[0]
        if len(parts) == 1:
            if method == "GET":
                return 200, self._page(self._all((kind,)), query)
            return 201, self._shown(kind, self._create(kind, body))
        thing = self.things[kind][int(parts[1])]
        if len(parts) == 2:
            if method == "PATCH":
                self._check(kind, {**thing, **body}, thing["id"])
                thing.update(self._known(kind, body))
            return 200, self._shown(kind, thing)
        return self._sub(method, kind, thing, parts[2], body)

    def _sub(self, method: str, kind: str, thing: Thing, sub: str, body: Thing) -> tuple[int, Any]:
        if sub == "survey_spec":
            return self._survey(method, kind, thing, body)
        if sub == "create_approval_template":
            approval = self._create("workflow_approval_templates", body)
            thing["unified_job_template"] = approval["id"]
            return 201, self._shown("workflow_approval_templates", approval)
        members = self.related.setdefault((kind, thing["id"], sub), [])
        if method == "GET":
            found = [self._shown(RELATED[sub], self.things[RELATED[sub]][one]) for one in members]
            return 200, {"count": len(found), "next": None, "results": found}
        if body.get("disassociate"):
            members.remove(body["id"])
        else:
            self._check_member(kind, sub, members, body["id"])
            members.append(body["id"])
        return 204, None

    def _survey(self, method: str, kind: str, thing: Thing, body: Thing) -> tuple[int, Any]:
        key = kind, thing["id"]
        if method == "POST":
            for problem in survey_problems(body):
                raise Refused(problem)
            self.surveys[key] = body
            return 200, {}
        if method == "DELETE":
            self.surveys.pop(key, None)
            return 200, {}
        return 200, self.surveys.get(key, {})

    # -- objects -------------------------------------------------------------------------------------------------------

    def _all(self, kinds: tuple[str, ...]) -> Iterator[Thing]:
        for kind in kinds:
            yield from (self._shown(kind, thing) for thing in self.things[kind].values())

    @staticmethod
    def _page(found: Any, query: Mapping[str, str]) -> Thing:
        filters = {key: value for key, value in query.items() if not key.startswith("or__")}
        either = {key.removeprefix("or__"): value for key, value in query.items() if key.startswith("or__")}

        def wanted(thing: Thing) -> bool:
            return all(str(thing.get(key)) == value for key, value in filters.items()) and (
                not either or any(str(thing.get(key)) == value for key, value in either.items())
            )

        results = [thing for thing in found if wanted(thing)]
        return {"count": len(results), "next": None, "results": results}

    def _create(self, kind: str, body: Thing) -> Thing:
        self._check(kind, body, None)
        thing = self.add(kind, **self._known(kind, body))
        if kind == "job_templates":
            thing["organization"] = self.things["projects"][thing["project"]]["organization"]
        return thing

    @staticmethod
    def _known(kind: str, body: Thing) -> Thing:
        """What AWX stores of a request: it ignores fields that the object does not have, and empty choices."""
        known = {*KINDS[kind][1], "name", "identifier", "credential_type"}
        return {key: value for key, value in body.items() if key in known and not (key == "kind" and value is None)}

    def _check(self, kind: str, thing: Thing, own_id: int | None) -> None:
        checks: Mapping[str, Callable[[Thing], None]] = {
            "credential_types": self._check_type,
            "credentials": self._check_credential,
            "job_templates": self._check_template,
        }
        for other in self.things[kind].values():
            same = all(other.get(key) == thing.get(key) for key in ("name", "organization", "credential_type"))
            if thing.get("name") and same and other["id"] != own_id and kind != "workflow_approval_templates":
                raise Refused(f"{kind} with this name exists")
        if kind in checks:
            checks[kind](thing)

    @staticmethod
    def _check_type(thing: Thing) -> None:
        for problem in type_problems(thing.get("inputs") or {}, thing.get("injectors") or {}):
            raise Refused(problem)

    def _check_credential(self, thing: Thing) -> None:
        fields = self.things["credential_types"][thing["credential_type"]]["inputs"].get("fields", [])
        unknown = set(thing.get("inputs") or {}) - {entry["id"] for entry in fields}
        if unknown:
            raise Refused(f"inputs has {unknown}")
        if not all(isinstance(value, str) and value for value in (thing.get("inputs") or {}).values()):
            raise Refused("an input is empty or not a text")

    def _check_template(self, thing: Thing) -> None:
        if thing["playbook"] not in self.playbooks:
            raise Refused(f"Playbook {thing['playbook']} not found for project.")
        if thing.get("inventory") not in self.things["inventories"]:
            raise Refused("an inventory is needed")

    def _check_member(self, kind: str, sub: str, members: list[int], new: int) -> None:
        if sub == "credentials" and kind == "job_templates":
            types = [self.things["credentials"][one]["credential_type"] for one in (*members, new)]
            if len(set(types)) < len(types):
                raise Refused("two credentials of one type")

    def _shown(self, kind: str, thing: Thing) -> Thing:
        """An object as AWX shows it: with links, and without secrets."""
        url = f"/api/v2/{kind}/{thing['id']}/"
        shown = {**copy.deepcopy(thing), "url": url, "related": {}, "summary_fields": {}}
        if kind in ("job_templates", "workflow_job_templates"):
            shown["related"]["survey_spec"] = f"{url}survey_spec/"
        if kind == "projects" and thing["scm_type"]:
            shown["summary_fields"]["current_update"] = {"id": 1}
        if (
            kind == "workflow_job_template_nodes"
            and thing["unified_job_template"] in self.things["workflow_approval_templates"]
        ):
            shown["related"]["unified_job_template"] = (
                f"/api/v2/workflow_approval_templates/{thing['unified_job_template']}/"
            )
        if kind == "credentials":
            fields = self.things["credential_types"][thing["credential_type"]]["inputs"].get("fields", [])
            for entry in fields:
                if entry.get("secret") and entry["id"] in shown["inputs"]:
                    shown["inputs"][entry["id"]] = HIDDEN
        return shown
