"""Fixtures for pytest, there as soon as the package is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .testing import TestIssuer


@pytest.fixture(scope="session")
def pomerium_issuer() -> TestIssuer:
    """A TestIssuer for app.example.com. For another host write a fixture of this name in conftest.py."""
    from .testing import TestIssuer

    return TestIssuer()


@pytest.fixture
def pomerium_headers(pomerium_issuer: TestIssuer) -> Callable[..., dict[str, str]]:
    """Makes request headers: pomerium_headers(sub="alice", groups=["admins"])."""
    return pomerium_issuer.headers
