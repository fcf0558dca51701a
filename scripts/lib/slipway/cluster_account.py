"""An account for CI that can deploy one service to one namespace of a cluster, and nothing else."""

import argparse
import base64
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

from . import cli, service_environments
from .github_setup.environments import with_keys

EPILOG = """\
Prints the objects: Namespace, ServiceAccount, Role, RoleBinding and the Secret of a token that does not run
out. --apply makes them by kubectl, of the cluster that your kubeconfig is set to, and writes a kubeconfig that
has only that account; it may be repeated. The token is shown to nobody; delete the Secret to revoke it.

Exit: 0 done, 1 it could not be, 2 usage.
"""
TOKEN_SECONDS = 30


class SetupError(Exception):
    pass


def objects(namespace: str, account: str, rules: list[dict]) -> list[dict]:
    def named(kind: str, group: str, **fields) -> dict:
        return {"apiVersion": group, "kind": kind, "metadata": {"name": account, "namespace": namespace}, **fields}

    subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    token = named("Secret", "v1", type="kubernetes.io/service-account-token")
    token["metadata"]["annotations"] = {"kubernetes.io/service-account.name": account}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        named("ServiceAccount", "v1", automountServiceAccountToken=False),
        named("Role", "rbac.authorization.k8s.io/v1", rules=rules),
        named("RoleBinding", "rbac.authorization.k8s.io/v1", subjects=[subject],
              roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": account}),
        token]


def kubeconfig(view: dict, namespace: str, account: str, token: str, authority: str) -> dict:
    """For ACCOUNT, at the cluster of VIEW, which is `kubectl config view --minify`."""
    cluster = {"server": view["clusters"][0]["cluster"]["server"], "certificate-authority-data": authority}
    return {"apiVersion": "v1", "kind": "Config", "current-context": account,
            "clusters": [{"name": account, "cluster": cluster}],
            "users": [{"name": account, "user": {"token": token}}],
            "contexts": [{"name": account, "context": {"cluster": account, "user": account, "namespace": namespace}}]}


def kubectl(*arguments: str, given: str | None = None) -> str:
    try:
        done = subprocess.run(["kubectl", *arguments], input=given, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise SetupError("there is no kubectl here; install it") from error
    if done.returncode != 0:
        raise SetupError(f"kubectl {arguments[0]}: {done.stderr.strip()[-800:]}")
    return done.stdout


def needed_rules() -> list[dict]:
    """As deploy itself asks the cluster for them."""
    deploy = Path(os.environ.get("SLIPWAY_EXECUTABLES", "")) / "deploy"
    try:
        return json.loads(subprocess.run([deploy, "--print-access"], capture_output=True, text=True,
                                         check=True).stdout)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"no deploy that can be asked in {deploy.parent}; install the whole tarball") from error


def token_of(namespace: str, account: str) -> tuple[str, str]:
    """Token and certificate authority (base64), once the cluster has made them."""
    deadline = time.monotonic() + TOKEN_SECONDS
    while time.monotonic() < deadline:
        secret = json.loads(kubectl("get", "secret", account, "--namespace", namespace, "--output", "json"))
        data = secret.get("data", {})
        if "token" in data and "ca.crt" in data:
            return base64.b64decode(data["token"]).decode(), data["ca.crt"]
        time.sleep(0.2)
    raise SetupError(f"the cluster made no token for {namespace}/{account} within {TOKEN_SECONDS} s")


def apply(listed: list[dict], options: argparse.Namespace) -> None:
    print(kubectl("apply", "--filename", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": listed})),
          end="", file=sys.stderr)
    view = json.loads(kubectl("config", "view", "--minify", "--output", "json"))
    token, authority = token_of(options.namespace, options.account)
    document = kubeconfig(view, options.namespace, options.account, token, authority)
    descriptor = os.open(options.write, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        json.dump(document, file, indent=1)
    print(f"wrote {options.write}; tell GitHub of it, and remove it:",
          *github_lines(options.environment, options.write), sep="\n", file=sys.stderr)


def github_lines(environment: str, file: str) -> list:
    """What makes the environments that are missing, and gives the kubeconfig to each that reaches the cluster."""
    return [*service_environments.lines(environment, []),
            *(f"gh secret set {environment.upper()}_KUBECONFIG --env {where} < {shlex.quote(file)}"
              for where in with_keys(environment))]


def main() -> int:
    parser = cli.parser(__doc__, prog="slipway setup --kubernetes", epilog=EPILOG)
    parser.add_argument("--kubernetes", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--namespace", required=True, help="where the service is to live")
    parser.add_argument("--account", default="slipway", help="the ServiceAccount's name [slipway]")
    parser.add_argument("--apply", action="store_true", help="make them")
    parser.add_argument("--write", metavar="FILE", default="kubeconfig.slipway",
                        help="with --apply: the kubeconfig [kubeconfig.slipway]")
    parser.add_argument("--environment", default="staging", help="GitHub's, which is told of it [staging]")
    options = parser.parse_args()
    try:
        listed = objects(options.namespace, options.account, needed_rules())
        if options.apply:
            apply(listed, options)
        else:
            for one in listed:
                print(f"---\n{json.dumps(one, indent=2)}")  # JSON is YAML
    except (SetupError, OSError) as error:
        print(f"slipway setup: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
