#!/usr/bin/env python3
"""Cuts GitHub's OpenAPI description down to the operations that scripts/github-setup uses, for github_setup_test.py:

    npm pack @octokit/openapi@23.0.2 && tar -xzf octokit-openapi-23.0.2.tgz
    python3 github_openapi.py package/generated/api.github.com.deref.json 23.0.2 >github_openapi.json

Of each operation the schema of its body and the statuses that it may answer; no prose, no examples.
"""

import json
import sys
from pathlib import Path

REPOSITORY = "/repos/{owner}/{repo}"
OPERATIONS = {
    "": "get patch", "/actions/permissions": "get put", "/actions/permissions/selected-actions": "get put",
    "/actions/permissions/workflow": "get put", "/environments/{environment_name}": "get put",
    "/environments/{environment_name}/deployment-branch-policies": "get post", "/rulesets": "get post",
    "/rulesets/{ruleset_id}": "get put", "/vulnerability-alerts": "get put", "/immutable-releases": "get put",
    "/private-vulnerability-reporting": "get put", "/code-scanning/default-setup": "get patch",
    "/collaborators": "get", "/git/matching-refs/{ref}": "get", "/git/refs": "post",
    "/actions/variables/{name}": "delete get patch", "/actions/variables": "post"}
ELSEWHERE = {"/orgs/{org}": "get", "/user": "get", "/users/{username}": "get", "/orgs/{org}/teams/{team_slug}": "get"}
KEPT = {"type", "properties", "items", "required", "enum", "oneOf", "anyOf", "allOf", "minimum", "maximum", "minLength",
        "maxLength", "minItems", "maxItems", "pattern", "nullable", "additionalProperties"}


def cut(schema):
    """Without prose; OpenAPI's `nullable` in JSON Schema's words."""
    if not isinstance(schema, dict):
        return schema
    found = {}
    for key, value in schema.items():
        if key == "properties":
            found[key] = {name: cut(body) for name, body in value.items()}
        elif key in ("oneOf", "anyOf", "allOf"):
            found[key] = [cut(body) for body in value]
        elif key in ("items", "additionalProperties"):
            found[key] = cut(value)
        elif key in KEPT and key != "nullable":
            found[key] = value
    if schema.get("nullable") and "type" in found:
        found["type"] = [found["type"], "null"]
    return found


def main() -> int:
    document = json.loads(Path(sys.argv[1]).read_text())
    wanted = {REPOSITORY + path: methods for path, methods in OPERATIONS.items()} | ELSEWHERE
    operations = {}
    for path, methods in wanted.items():
        for method in methods.split():
            said = document["paths"][path][method]
            body = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            operations[f"{method.upper()} {path}"] = {
                "statuses": sorted(int(status) for status in said["responses"]), "body": cut(body) if body else None}
    print(json.dumps({"source": f"npm:@octokit/openapi@{sys.argv[2]} api.github.com {document['info']['version']}",
                      "operations": operations}, indent=None, separators=(",", ":"), sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
