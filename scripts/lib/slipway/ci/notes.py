"""What a GitHub release says: the notes of CHANGELOG.md, cut where GitHub would refuse them, and how to verify what it
carries. Pure: the same release gives the same text, so that a repair changes nothing."""

import json
import re

# GitHub refuses a longer body (422), after the tag was pushed.
LIMIT = 125_000


def section(changelog: str, version: str) -> str:
    """The notes of VERSION in CHANGELOG; empty when it has none."""
    head = re.search(rf"(?m)^## (\[{re.escape(version)}\]|{re.escape(version)}\b)", changelog)
    if not head:
        return ""
    rest = changelog[head.start():]
    following = re.search(r"(?m)^## (\[?\d+\.\d+\.\d+)", rest[3:])
    return rest[:following.start() + 3 if following else len(rest)].strip()


def cut(text: str, more: str, limit: int = LIMIT) -> str:
    """TEXT if it has at most LIMIT characters, else as many whole entries as fit, and MORE: where the rest is."""
    if len(text) <= limit:
        return text
    room = limit - len(more) - 2
    whole = text.rfind("\n* ", 0, room + 1)
    return text[:whole if whole > 0 else room].rstrip() + "\n\n" + more


def measured(results: bytes, previous: bytes = b"") -> str:
    """One sentence of BENCHMARK-results.json, and beside it the release before; empty when it says nothing."""
    try:
        now, old = json.loads(results or b"{}"), json.loads(previous or b"{}")
    except ValueError:
        return ""
    said = [f"{name} {now[key]}" + (f" (was {old[key]})" if key in old else "")
            for key, name in (("tps", "packets/s"), ("p99LatencyMs", "p99 in ms")) if key in now]
    return f"**Benchmark**: {', '.join(said)}\n" if said else ""


def verification(released: dict, page: str, tarball: str, attested: bool) -> str:
    """How anybody verifies the image and the tools, if there are any (TARBALL). RELEASED: version, image, digest,
    branch and signer of the image, as reconcile tells them. By signer and ref: whoever may push a branch could attest
    there. A release attests in a workflow_run, whose ref is the default branch's."""
    repository = "/".join(page.rsplit("/", 2)[-2:])
    image = f"{released['image']}@{released['digest']}"
    lines = [f"sha256sum --check --ignore-missing SHA256SUMS   # {tarball} beside it"] if tarball else []
    if attested:
        lines += [f"gh attestation verify oci://{image} --repo {repository} \\",
                  f"  --signer-workflow {repository}/{released['signer']} --source-ref refs/heads/{released['branch']}"]
    if attested and tarball:
        lines += [f"gh attestation verify {tarball} --repo {repository} \\",
                  f"  --signer-workflow {repository}/.github/workflows/release.yml --source-ref refs/heads/main \\",
                  f"  --predicate-type https://github.com/{repository}/tools/v1"]
    commands = "\n```sh\n" + "\n".join(lines) + "\n```\n" if lines else ""
    return f"### Verify\n\n**Image**: `{image}`\n{commands}"


def withdrawn(why: str, instead: str) -> str:
    """What stands above everything else once a version was withdrawn."""
    said = " ".join(why.split()).replace("<", "&lt;")
    return f"> [!CAUTION]\n> **Withdrawn**: {said}" + (f" Use {instead}." if instead else "") + "\n\n"


def body(notes: str, footer: str, page: str, tag: str, above: str = "") -> str:
    more = f"The rest is in [CHANGELOG.md]({page}/blob/{tag}/CHANGELOG.md)."
    return above + cut(notes.strip(), more, LIMIT - len(above) - len(footer) - 2) + "\n\n" + footer
