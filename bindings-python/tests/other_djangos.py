"""other_djangos.py WHEEL PYTHON...: the tests of Django with the oldest and the newest Django, each under the first of these
CPythons that has it. `make test-more` calls it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

# Django's version, and the CPythons that it and the tests are for
DJANGOS = {"4.2.30": {"3.10", "3.11", "3.12"}, "6.1.3": {"3.12", "3.13", "3.14"}}
TESTS = ["test_django.py", "test_django_accounts.py"]
NEEDED = ["djangorestframework==3.17.2", "whitenoise==6.12.0", "httpx==0.28.1", "pytest==9.2.0"]
VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def main(wheel: str, *pythons: str) -> None:
    versions = {
        subprocess.run([one, "-c", VERSION], check=True, capture_output=True, text=True).stdout.strip(): one
        for one in pythons
    }
    for django, wanted in DJANGOS.items():
        python = next((versions[version] for version in sorted(wanted) if version in versions), None)
        if python is None:
            sys.exit(f"Django {django} wants one of CPython {', '.join(sorted(wanted))}: make test-more PYTHONS='...'")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([python, "-m", "venv", folder], check=True)
            own = str(Path(folder, "bin", "python"))
            pip = [own, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
            subprocess.run([*pip, f"django=={django}", *NEEDED], check=True)
            subprocess.run([*pip, "--no-deps", wheel], check=True)
            subprocess.run([own, "-B", "-m", "pytest", "-q", *TESTS], cwd=Path(__file__).parent, check=True)
        print(f"ok Django {django}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
