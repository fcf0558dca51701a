"""One way to have a --help: a script's own description, as it is written at its head."""

import argparse


def parser(description: str, prog: str | None = None, **more) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=prog, description=description, **more,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
