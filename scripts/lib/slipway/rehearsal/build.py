"""The build on this machine, which goes on beside what needs no executable yet."""

import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .stages import StageFailed, Stages

DAY_S = 24 * 3600
TARGETS = ("connector", "packet_bench", "deploy", "rollback", "slipway")


class Build:
    """with Build(...) as build: ...; build.wait(). Leaving the `with` ends a build that still runs."""

    def __init__(self, stages: Stages, checkout: Path, seed: Path):
        """SEED: a folder for what the compiler cache has of this build, for the image's build to take."""
        self.stages = stages
        self.checkout = checkout
        self.executables = checkout / "build" / "release" / "bin"
        self.seed = seed
        self._pool = ThreadPoolExecutor(1)
        self._lock = threading.Lock()
        self._over = False
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Build":
        self._result = self._pool.submit(self._build)
        return self

    def wait(self) -> None:
        self._result.result()

    def __exit__(self, *_exc) -> None:
        with self._lock:
            self._over = True
            if self._process and self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGTERM)
        self._pool.shutdown()

    def _build(self) -> None:
        self._forget_old()
        with self.stages.stage("build (release)") as stage:
            self._run("cmake", "--preset", "release")
            self._run("cmake", "--build", "--preset", "release", "--target", *TARGETS)
            sizes = [f"{name} {(self.executables / name).stat().st_size >> 20} MB" for name in TARGETS]
            stage.evidence = ", ".join(sizes)

    def _forget_old(self) -> None:
        """The engine has a cache of its own since; what is kept is for when a rehearsal ended early."""
        for file in self.seed.rglob("*"):
            if file.is_file() and time.time() - file.stat().st_mtime > DAY_S:
                file.unlink()

    def _run(self, *argv: str) -> None:
        with self._lock:
            if self._over:
                raise StageFailed("ended before it was done")
            # What it takes from the cache goes to the seed, too. Settings as in the Dockerfile, or
            # the image would find nothing: neither the folder nor the language distinguishes objects.
            self._process = subprocess.Popen(
                argv, cwd=self.checkout, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, start_new_session=True, env={
                    **os.environ, "CCACHE_BASEDIR": str(self.checkout), "CCACHE_SLOPPINESS": "locale",
                    "CCACHE_RESHARE": "1", "CCACHE_REMOTE_STORAGE": f"file:{self.seed}"})
        output, _ = self._process.communicate()
        if self._process.returncode != 0:
            raise StageFailed(f"{argv[0]}: exit {self._process.returncode}\n{output.strip()[-3000:]}")
