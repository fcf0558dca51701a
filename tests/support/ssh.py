"""An ssh agent of a test's own."""

import contextlib
import os
import signal
import subprocess


def start_agent(*keys) -> dict:
    """The environment that has an agent with KEYS; end it by its SSH_AGENT_PID."""
    said = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    agent = dict(line.split(";")[0].split("=") for line in said.splitlines()[:2])
    env = {**os.environ, **agent}
    subprocess.run(["ssh-add", "-q", *keys], env=env, check=True)
    return env


def end_agent(env: dict) -> None:
    os.kill(int(env["SSH_AGENT_PID"]), signal.SIGTERM)


@contextlib.contextmanager
def agent_with(*keys):
    env = start_agent(*keys)
    try:
        yield env
    finally:
        end_agent(env)
