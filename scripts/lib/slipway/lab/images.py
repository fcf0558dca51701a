"""Base images: the pinned public ones where they can be pulled, else local ones by debootstrap.

A local image is made once per machine from the running distribution's own packages and kept as a
file under <cache>/images; other engines load that file, so all of them see the same image. Its tag
ends in a hash of the recipe: a changed recipe is another image.

The recipe of the proxy's local image is host/haproxy/Dockerfile.
"""

import hashlib
import inspect
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import paths
from . import roots
from .capsule import LabError, run
from .engine import Engine

# What every image leaves out, now and in later package installations: nobody reads it in there.
UNREAD = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale",
          "usr/share/lintian")


def ensure(engine: Engine, say=lambda line: None) -> dict[str, str]:
    """The build arguments for the Dockerfile and HAPROXY_IMAGE for a host, present on ENGINE.

    No RUNTIME_BASE and BUILDER_BASE in the answer means: the Dockerfile's own can be pulled.
    SAY receives one line for each thing that takes long.
    """
    if public_reachable(engine):
        return {}
    base = local_base(engine, say)
    return {"RUNTIME_BASE": base, "BUILDER_BASE": base, "HAPROXY_IMAGE": local_haproxy(engine, say)}


def pinned_default(argument: str) -> str:
    """The default of `ARG argument=` in the Dockerfile."""
    text = (paths.REPOSITORY / "Dockerfile").read_text()
    found = re.search(rf"^ARG {argument}=(\S+)$", text, re.MULTILINE)
    if not found:
        raise LabError(f"Dockerfile: no default for ARG {argument}")
    return found.group(1)


def public_reachable(engine: Engine, timeout_s: float = 10) -> bool:
    """Asks for the pinned base's manifest only, which takes a second where it can be had."""
    try:
        probe = subprocess.run(
            ["docker", "buildx", "imagetools", "inspect", pinned_default("RUNTIME_BASE")],
            env=engine.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s,
            check=False)
    except subprocess.TimeoutExpired:
        return False
    return probe.returncode == 0


def local_base(engine: Engine, say=lambda line: None, architecture: str = "") -> str:
    """ARCHITECTURE, as Debian names it: another than this machine's, whose executables it must be able to run."""
    suite = roots.codename()
    recipe = "".join(map(inspect.getsource, (roots.made, roots.sources, _slim, _import, _add)))
    tag = f"slipway-base:{suite}-{_key(suite, *UNREAD, recipe, *filter(None, [architecture]))}"

    def make() -> None:
        say(f"debootstrap {suite} {architecture} (about 40 s, once per machine)")
        with roots.made(suite, architecture) as root:
            _slim(root)
            _import(engine, root, tag) if not architecture else _add(engine, root, tag, architecture)

    return _provide(engine, tag, make)


def local_haproxy(engine: Engine, say=lambda line: None) -> str:
    return local_image(engine, "haproxy", paths.REPOSITORY / "host" / "haproxy", say)


def local_image(engine: Engine, name: str, recipe: Path, say=lambda line: None) -> str:
    """The image of the Dockerfile in RECIPE, which takes the argument BASE, on ENGINE; made once per machine."""
    base = local_base(engine, say)
    text = "".join(p.read_text() for p in sorted(recipe.iterdir()) if p.is_file())
    tag = f"slipway-{name}:{_key(base, text)}"

    def make() -> None:
        say(f"{name}'s image (once per machine)")
        engine.docker("buildx", "build", "--load", "--network", "host", "--build-arg",
                      f"BASE={base}", "--tag", tag, str(recipe))

    file = _file_of(tag)
    if engine.own_network and not engine.has_image(tag) and not file.exists():
        # The packages are out of a host's reach.
        builder = Engine(f"images-{os.getpid()}", keep_data=False)
        try:
            with builder:
                local_image(builder, name, recipe, say)
        finally:
            shutil.rmtree(builder.home, ignore_errors=True)
    return _provide(engine, tag, make)


def give(tag: str, source: Engine, target: Engine) -> None:
    """Copies an image from one engine to another, without a registry."""
    if target.has_image(tag) and target.image_id(tag) == source.image_id(tag):
        return
    with subprocess.Popen(["docker", "save", tag], env=source.env, stdout=subprocess.PIPE) as save:
        target.docker("load", "--quiet", stdin=save.stdout)
    if save.returncode != 0:
        raise LabError(f"docker save {tag}: exit {save.returncode}")


def _provide(engine: Engine, tag: str, make) -> str:
    """TAG on ENGINE: it is there, or in the machine's cache, or is made now and cached."""
    if engine.has_image(tag):
        return tag
    with roots.cache_lock():
        file = _file_of(tag)
        if file.exists():
            engine.docker("load", "--quiet", "--input", str(file))
        if not engine.has_image(tag):  # also when the file is of no use
            make()
            with _published(file) as unfinished:
                engine.docker("save", "--output", str(unfinished), tag)
    return tag


def _file_of(tag: str) -> Path:
    return paths.image_cache() / f"{tag.replace(':', '-')}.tar"


@contextmanager
def _published(file: Path) -> Iterator[Path]:
    """A name to write to; renamed to FILE only when the writing went well."""
    with tempfile.TemporaryDirectory(prefix="tmp", dir=file.parent) as folder:
        unfinished = Path(folder) / file.name
        yield unfinished
        os.rename(unfinished, file)


def _slim(root: Path) -> None:
    for folder in UNREAD + ("var/lib/apt/lists", "var/cache/apt", "var/log"):
        for entry in (root / folder).glob("*"):
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    # As the public image has it: an image's files need not survive a power cut while it is made.
    (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(
        "force-unsafe-io\n" + "".join(f"path-exclude /{folder}/*\n" for folder in UNREAD))
    (root / "etc/apt/apt.conf.d/slim").write_text(
        'APT::Install-Recommends "false";\nDir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n')


def _import(engine: Engine, root: Path, tag: str) -> None:
    pack = ["tar", "--create", "--sort=name", "--numeric-owner", "--directory", str(root), "."]
    with subprocess.Popen(pack, stdout=subprocess.PIPE) as tar:
        engine.docker("import", "--change", 'CMD ["bash"]', "-", tag, stdin=tar.stdout)
    if tar.returncode != 0:
        raise LabError(f"{' '.join(pack)}: exit {tar.returncode}")


def _add(engine: Engine, root: Path, tag: str, architecture: str) -> None:
    """As _import, which older engines do for their own architecture only."""
    with tempfile.TemporaryDirectory(prefix="tmp", dir=paths.image_cache()) as folder:
        run("tar", "--create", "--sort=name", "--numeric-owner", "--file", f"{folder}/root.tar", "--directory",
            str(root), ".")
        (Path(folder) / "Dockerfile").write_text('FROM scratch\nADD root.tar /\nCMD ["bash"]\n')
        engine.docker("buildx", "build", "--load", "--platform", f"linux/{architecture}", "--tag", tag, folder)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join((platform.machine(), *parts)).encode()).hexdigest()[:12]
