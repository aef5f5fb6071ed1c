"""other_pythons.py WHEEL PYTHON...: the wheel in several interpreters of each of these CPythons. `make test-more` calls it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from test_hosts import FIRST, test_one_interpreter_works_and_each_other_is_told


def main(wheel: str, *pythons: str) -> None:
    if not pythons:
        sys.exit("no other CPython was found: make test-more PYTHONS='python3.10 python3.13'")
    for python in pythons:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([python, "-m", "venv", folder], check=True)
            own = str(Path(folder, "bin", "python"))
            subprocess.run([own, "-m", "pip", "install", "-q", "--no-index", "--no-deps", wheel], check=True)
            for first in FIRST:
                test_one_interpreter_works_and_each_other_is_told(first, own)
        print(f"ok {python}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
