#!/usr/bin/env python3
"""gh, as scripts/github-setup and `slipway setup` call it, for a repository that is a JSON file (GH_STATE): there is no
GitHub here.

Each body must fit the schema of GitHub's own OpenAPI description (github_openapi.json, see github_openapi.py), with no
key that it does not know, and each answer has a status that the description knows: anything else ends with 70. Beyond
the description it knows what stands in model/facts.py of rulesets: who may not pass one and which rules take no pattern
(422), whom they refuse what (rulesets.py); and that a token without rights gets 403.
"""

import json
import os
import re
import sys
from pathlib import Path

import jsonschema

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # where it is run as the program gh
from workflows.rulesets import ADMIN, refusals

DESCRIPTION = json.loads((HERE / "github_openapi.json").read_text())
WRONG = 70
GITHUB_ACTIONS_APP = 15368


class Answer(Exception):
    def __init__(self, status: int, body=None):
        super().__init__(status)
        self.status, self.body = status, body


class WrongError(Exception):
    """A request, or an answer of this stand-in, that GitHub does not know."""


def closed(schema):
    """A key that GitHub would silently ignore is a mistake here."""
    if isinstance(schema, dict):
        found = {key: [closed(s) for s in value] if isinstance(value, list) and key in ("oneOf", "anyOf", "allOf")
                 else {n: closed(s) for n, s in value.items()} if key == "properties" else
                 closed(value) if key == "items" else value for key, value in schema.items()}
        if "properties" in schema and "additionalProperties" not in schema:
            found["additionalProperties"] = False
        return found
    return schema


def operation(method: str, path: str) -> dict:
    for name, said in DESCRIPTION["operations"].items():
        verb, _, template = name.partition(" ")
        pattern = re.sub(r"\{ref\}", ".+", re.sub(r"\{(?!ref)\w+\}", "[^/]+", template))
        if verb == method and re.fullmatch(pattern, path):
            return said
    raise WrongError(f"GitHub's description has no {method} {path}")


class Repository:
    def __init__(self, state: dict):
        self.s = state

    def answer(self, method: str, path: str, body):
        if method != "GET" and not self.s.get("admin", True):
            raise Answer(403, {"message": "Resource not accessible by personal access token"})
        owner = self.s["repository"]["owner"]["login"]
        root = f"/repos/{owner}/conn"
        if path == f"/orgs/{owner}" or path == "/user":
            return 200, {"plan": {"name": self.s.get("plan", "free")}, "id": 5, "login": owner}
        if match := re.fullmatch(rf"/orgs/{owner}/teams/(\w+)", path):
            return 200, {"id": 900, "slug": match[1]}
        if match := re.fullmatch(r"/users/([\w-]+)", path):
            found = self.s["users"].get(match[1])
            return (200, {"id": found}) if found else (404, {"message": "Not Found"})
        if not path.startswith(root):
            raise Answer(404, {"message": "Not Found"})
        return self.in_repository(method, path[len(root):], body)

    def in_repository(self, method: str, path: str, body):
        s = self.s
        if path == "":
            if method == "PATCH":
                merge(s["repository"], body)
            return 200, s["repository"]
        if path.startswith("/environments/"):
            return self.environments(method, path.split("/")[2:], body)
        if path.startswith("/rulesets"):
            return self.rulesets(method, path, body)
        if path.startswith("/git/"):
            return self.refs(method, path, body)
        if path.partition("?")[0] == "/collaborators":
            return 200, [{"login": login, "permissions": {"pull": True, "push": login not in s.get("readers", [])}}
                         for login in s["collaborators"]]
        if path.startswith("/actions/variables"):
            return self.variables(method, path, body)
        if path == "/vulnerability-alerts":
            if method == "PUT":
                s["alerts"] = True
            return 204 if method == "PUT" or s.get("alerts") else 404, None
        if path in ("/immutable-releases", "/private-vulnerability-reporting"):
            if method == "PUT":
                s[path] = True
                return 204, None
            if not s.get(path) and path == "/immutable-releases":
                return 404, {"message": "Not Found"}
            return 200, {"enabled": s.get(path, False)}
        kept = s.setdefault("settings", {})
        if method == "GET":
            return 200, kept.get(path, {})
        kept[path] = {**kept.get(path, {}), **body}
        return (200, {}) if path == "/code-scanning/default-setup" else (204, None)

    def environments(self, method: str, parts: list, body):
        name, environments = parts[0], self.s["environments"]
        if len(parts) == 2:
            if name not in environments:
                return 404, {"message": "Not Found"}
            policies = environments[name]["policies"]
            if method == "POST":
                policies.append({"id": len(policies) + 1, **body})
                return 200, policies[-1]
            return 200, {"total_count": len(policies), "branch_policies": policies}
        if method == "PUT":
            old = environments.get(name, {"policies": []})
            rules = [{"type": "branch_policy"}] if body.get("deployment_branch_policy") else []
            if body.get("wait_timer"):
                rules.append({"type": "wait_timer", "wait_timer": body["wait_timer"]})
            if body.get("reviewers"):
                if self.s["repository"]["private"] and self.s["plan"] != "enterprise":
                    raise Answer(422, {"message": "Failed to create the environment protection rule. Please ensure the "
                                                  "billing plan includes it"})
                named = [{"type": r["type"], "reviewer": {"id": r["id"]}} for r in body["reviewers"]]
                rules.append({"type": "required_reviewers", "reviewers": named,
                              "prevent_self_review": body.get("prevent_self_review", False)})
            environments[name] = {**old, "name": name, "protection_rules": rules,
                                  "deployment_branch_policy": body.get("deployment_branch_policy")}
        found = environments.get(name)
        return (200, {k: v for k, v in found.items() if k != "policies"}) if found else (404, {"message": "Not Found"})

    def rulesets(self, method: str, path: str, body):
        rulesets = self.s["rulesets"]
        if body is not None:
            for actor in body["bypass_actors"]:
                if actor["actor_type"] == "Integration" and (actor["actor_id"] == GITHUB_ACTIONS_APP
                                                             or actor["actor_id"] not in self.s["apps"]):
                    raise Answer(422, {"message": "Validation Failed", "errors": [
                        "Actor integration must be part of the ruleset source or owner organization"]})
            if any(rule["type"] == "merge_queue" for rule in body["rules"]):
                named = body["conditions"]["ref_name"]["include"]
                why = "" if self.s["repository"]["owner"]["type"] == "Organization" else "Invalid rule 'merge_queue'"
                if any(set("*?[") & set(name) for name in named):
                    why = ("Invalid rule 'merge_queue': Wildcard ref names are not supported when merge queue is "
                           "enabled")
                if why:
                    raise Answer(422, {"message": "Validation Failed", "errors": [why]})
        if method == "POST":
            # GitHub gives rules back in an order of its own.
            rulesets.append({"id": 100 + len(rulesets), **body, "rules": body["rules"][::-1]})
            return 201, rulesets[-1]
        if path == "/rulesets":
            return 200, [{k: r[k] for k in ("id", "name", "target", "enforcement")} for r in rulesets]
        found = next((r for r in rulesets if r["id"] == int(path.rpartition("/")[2])), None)
        if found is None:
            return 404, {"message": "Not Found"}
        if method == "PUT":
            found.update(body)
        return 200, found

    def refs(self, method: str, path: str, body):
        if method == "GET":
            wanted = "refs/" + path.removeprefix("/git/matching-refs/")
            return 200, [{"ref": ref} for ref in self.s["refs"] if ref.startswith(wanted)]
        if why := refusals(self.s["rulesets"], ADMIN, "create", body["ref"], checked=False):
            raise Answer(422, {"message": f"Reference update failed: {why[0]}."})
        self.s["refs"].append(body["ref"])
        return 201, {"ref": body["ref"]}

    def variables(self, method: str, path: str, body):
        variables = self.s["variables"]
        if method == "POST":
            variables[body["name"]] = body["value"]
            return 201, None
        name = path.rpartition("/")[2]
        if name not in variables:
            return 404, {"message": "Not Found"}
        if method == "PATCH":
            variables[name] = body["value"]
            return 204, None
        if method == "DELETE":
            del variables[name]
            return 204, None
        return 200, {"name": name, "value": variables[name]}


def merge(old: dict, new: dict) -> None:
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            merge(old[key], value)
        else:
            old[key] = value


def serve(state: dict, method: str, path: str, body) -> tuple:
    """(status, answer); STATE is changed."""
    said = operation(method, path.partition("?")[0])
    if body is not None:
        try:
            jsonschema.validate(body, closed(said["body"] or {"type": "null"}))
        except jsonschema.ValidationError as error:
            raise WrongError(f"{method} {path}: {error.message} at {list(error.absolute_path)}") from error
        body = json.loads(json.dumps(body))  # whoever asked keeps theirs
    try:
        status, answer = Repository(state).answer(method, path, body)
    except Answer as given:
        status, answer = given.status, given.body
    # What every operation may answer, the description does not repeat.
    if status not in (*said["statuses"], 401, 403, 404):
        raise WrongError(f"{method} {path} never answers {status}")
    return status, json.loads(json.dumps(answer))


def main() -> int:
    words = sys.argv[1:]
    file = Path(os.environ["GH_STATE"])
    state = json.loads(file.read_text())
    if words[0] != "api":  # gh variable, gh secret
        state.setdefault("told", []).append(" ".join([*words, sys.stdin.read().strip()]).strip())
        file.write_text(json.dumps(state))
        return 0
    method = words[words.index("--method") + 1] if "--method" in words else "GET"
    owner = state["repository"]["owner"]["login"]
    path = "/" + next(word for word in words[1:] if re.match(r"repos/|users?(/|$)|orgs/", word)).replace(
        "{owner}", owner).replace("{repo}", "conn")
    fields = [word.split("=", 1) for word, before in zip(words[1:], words, strict=False) if before == "-f"]
    body = json.loads(sys.stdin.read()) if "--input" in words else dict(fields) or None
    try:
        status, answer = serve(state, method, path, body)
    except WrongError as error:
        print(f"gh stand-in: {error}", file=sys.stderr)
        return WRONG
    file.write_text(json.dumps(state))
    text = "" if answer is None else json.dumps(answer)
    if "--include" not in words:
        print(answer[words[words.index("--jq") + 1][1:]] if "--jq" in words else text)
        if status >= 400:
            print(f"gh: {answer['message']} (HTTP {status})", file=sys.stderr)
        return 0 if status < 400 else 1
    print(f"HTTP/2.0 {status} X\r\nContent-Type: application/json\r\n\r\n{text}", end="")
    return 0 if status < 400 else 1


if __name__ == "__main__":
    sys.exit(main())
