"""What other repositories use by `uses: OWNER/slipway/.github/actions/NAME@v1`: requirement 30."""

import re

from .documents import FETCHED, command

# What holds a credential goes to a script by its environment: what is in an argument list, every user of the
# machine can read.
PRIVATE = re.compile(r"(?:^|-)(?:key|token|password|secret|webhook|kubeconfig)$")


def anywhere(r):
    """Nothing of the caller's workspace is taken for Slipway's, and nothing is asked of it but its own files."""
    for action in r.published:
        if action.data.get("runs", {}).get("using") != "composite":
            yield f"{action.name}: not a composite action"
        for _, step in action.steps():
            run = step.get("run", "").strip()
            if run and not FETCHED.match(run):
                yield f"{action.name}: {run.split()[0]}: of the caller's workspace, not of Slipway's checkout"
            if step.get("uses", "").startswith("."):
                yield f"{action.name}: {step['uses']}: of the caller's workspace, not of Slipway's checkout"
            if "cancelled()" in str(step.get("if")):
                yield f"{action.name}: cancelled() is never true inside a composite action"
        for number, line in enumerate(action.lines, 1):
            if re.search(r"\$\{\{[^}]*\b(secrets|vars)\.", line):
                yield f"{action.name}:{number}: a composite action sees neither secrets nor variables"


def read_about(r):
    """Its README names each input and output, the permissions, and an example that is pinned: to what we had when it
    was written, since Dependabot edits no README."""
    for action in r.published:
        readme = action.path.with_name("README.md")
        text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
        for kind in ("inputs", "outputs"):
            for name, body in (action.data.get(kind) or {}).items():
                if f"| `{name}` |" not in text:
                    yield f"{action.name}: its README has no row for {name}"
                if not (body or {}).get("description"):
                    yield f"{action.name}: {name} has no description"
        if "\nPermissions: " not in text:
            yield f"{action.name}: its README does not say which permissions the caller must give"
        if f"uses: OWNER/slipway/.github/actions/{action.path.parent.name}@v1" not in text:
            yield f"{action.name}: its README shows no caller"
        for used, pin in re.findall(r"uses: ((?!OWNER/)[\w./-]+)@(.*)", text):
            if not re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin):
                yield f"{action.name}: its README pins {used} to {pin}"


def private(r):
    for action in r.published:
        for name, body in (action.data.get("inputs") or {}).items():
            if PRIVATE.search(name) and "default" in body and body["default"] not in ("", "${{ github.token }}"):
                yield f"{action.name}: {name} has a credential for its default"
            for _, step in action.steps():
                beside = f"{step.get('run')} {step.get('if')}"
                if PRIVATE.search(name) and re.search(rf"\binputs\.{name}\b", beside):
                    yield f"{action.name}: {name} reaches a step by something else than its environment"


def deploys(r):
    """Requirements 14, 17 and 18 as far as one action can keep them; the way back is the caller's step."""
    actions = {action.path.parent.name: action for action in r.published}
    wanted = ["scripts/ci/environments", "scripts/ci/verify-attestation", "scripts/ci/host before",
              "scripts/ci/not-older", *(f"scripts/ci/host {verb}" for verb in ("tools", "deploy", "prove"))]
    steps = [step for _, step in actions["deploy"].steps()]
    if [command(step) for step in steps] != wanted or any("if" in step for step in steps):
        yield ("actions/deploy: not environments, verify-attestation, before, not-older, tools, deploy, prove, each "
               "of them always")
    protected = {"NAMES": "${{ inputs.environments }} ${{ inputs.approval }}", "APPROVED": "${{ inputs.approval }}",
                 "WITHOUT_APPROVAL": "${{ inputs.approval-waived }}", "GH_TOKEN": "${{ inputs.github-token }}"}
    if steps[0].get("env") != protected:
        yield "actions/deploy: does not ask how the environments are protected that it is told of"
    for step in (step for step in steps if command(step).startswith("scripts/ci/host ")):
        keys = {"SSH_KEY": "ssh-key", "KNOWN_HOSTS": "known-hosts", "SLIPWAY_KUBECONFIG": "kubeconfig"}
        if any(step["env"].get(name) != f"${{{{ inputs.{given} }}}}" for name, given in keys.items()):
            yield f"actions/deploy: {command(step)}: another key, or no host keys"
    if steps[-1]["env"].get("DEPLOYED") != "${{ steps.deploy.outcome }}" \
            or {step["env"].get("DIGEST") for step in steps} - {None} != {"${{ inputs.digest }}"}:
        yield "actions/deploy: verifies, deploys or proves something else than its digest"
    back = {command(step): step.get("if") for _, step in actions["rollback"].steps()}
    if back != {"scripts/ci/host rollback": "inputs.undo != 'true'",
                "scripts/ci/host undo": "always() && inputs.undo == 'true'"}:
        yield f"actions/rollback: goes back by {back}"
    for name in ("deploy", "rollback"):
        if not re.search(r"if: failure\(\) \|\| cancelled\(\)\n *uses: \S*/rollback@v1\n(?:.*\n)*? *undo: true",
                         actions[name].path.with_name("README.md").read_text(encoding="utf-8")):
            yield f"actions/{name}: its README's caller does not go back on failure and on cancellation"


def publishes(r):
    """Requirements 13 and 14: what is pushed, attested and named is one digest, and it is named last."""
    actions = {action.path.parent.name: action for action in r.published}
    steps = [step for _, step in actions["publish"].steps()]
    order = [(command(step) or step["uses"].partition("@")[0], step.get("if")) for step in steps]
    if order != [("scripts/ci/publish push", None), ("actions/attest", "inputs.attest == 'true'"),
                 ("actions/attest", "inputs.attest == 'true' && inputs.sbom-path != ''"),
                 ("actions/attest", "inputs.attest == 'true' && inputs.other-sbom-path != ''"),
                 ("scripts/ci/publish tag", None)]:
        yield f"actions/publish: not push, provenance, SBOM, tag: {order}"
    for step in steps:
        given = step.get("env", {}).get("DIGEST") or step.get("with", {}).get("subject-digest")
        if given != "${{ inputs.digest }}":
            yield f"actions/publish: pushes, attests or names {given}"
    judges = [step for _, step in actions["gate"].steps()]
    if [command(step) for step in judges] != ["scripts/ci/gate"] or "if" in judges[0]:
        yield "actions/gate: does not judge, always"
    named = [(command(step) or step["uses"].partition("@")[0], step.get("if"))
             for _, step in actions["promote"].steps()]
    if [(what.split()[0], when) for what, when in named] != [
            ("scripts/release/reconcile", None), ("actions/attest", "inputs.attest == 'true'")]:
        yield f"actions/promote: not the names, then the attestation: {named}"
    made = [step for _, step in actions["release"].steps()]
    if [command(step) for step in made] != ["scripts/release/release"] or "if" in made[0] \
            or made[0]["env"].get("RELEASE_SHA") != "${{ inputs.commit }}":
        yield "actions/release: does not release its commit, always"


ROWS = [
    (30, "a published action takes nothing of its caller's workspace for Slipway's", anywhere),
    (30, "a published action's README: inputs, outputs, permissions, a caller", read_about),
    (30, "what is private reaches a published action's scripts by environment", private),
    (30, "the published deployment verifies, proves, and shows its caller the way back", deploys),
    (30, "the published gate always judges; what is published is attested before it has a name", publishes),
]
