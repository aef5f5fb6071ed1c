"""What applications test with: TestIssuer, and the pytest plugin in a project of its own."""

from __future__ import annotations

import re
from typing import Any

import pytest
from conftest import ROOT

from pomerium_jwt import OptionsError, TokenError, VerifyError
from pomerium_jwt.testing import TestIssuer

pytest_plugins = ["pytester"]

# Dash brings a plugin for pytest that warns
ALONE = ("-W", "error", "-p", "no:dash")


def test_tokens_are_verified_as_in_production() -> None:
    issuer = TestIssuer("app.example.com")
    identity = issuer.verifier().verify(issuer.token(sub="bob", groups=["admins"], department="R&D"))
    assert (identity.subject, identity.email, identity.groups) == ("bob", "bob@example.com", ("admins",))
    assert (identity.issuer, identity.audience) == ("app.example.com", ("app.example.com",))
    assert identity.claims["department"] == "R&D"
    assert identity.issued_at and identity.expires_at - identity.issued_at == 300


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (lambda issuer: issuer.expired(), "token_expired"),
        (lambda issuer: issuer.expired(sub="bob", iat=0), "token_expired"),
        (lambda issuer: issuer.wrong_audience(), "audience_mismatch"),
        (lambda issuer: issuer.token(sub=""), "subject_missing"),
        (lambda issuer: issuer.token(without=["exp"]), "claims_malformed"),
        (lambda issuer: issuer.token(host="another.example.com"), "issuer_mismatch"),
        (lambda issuer: TestIssuer().token(), "key_not_found"),
    ],
)
def test_tokens_that_are_refused(token: Any, code: str) -> None:
    issuer = TestIssuer()
    with pytest.raises(TokenError) as refused:
        issuer.verifier().verify(token(issuer))
    assert refused.value.code == code


def test_claims_that_cannot_be() -> None:
    with pytest.raises(OptionsError) as refused:
        TestIssuer().token(expires_in="soon")
    assert refused.value.code == "invalid_argument"


def test_headers_and_options() -> None:
    issuer = TestIssuer()
    [(name, token)] = issuer.headers(sub="bob").items()
    assert (name, issuer.verifier().verify(token).subject) == ("X-Pomerium-Jwt-Assertion", "bob")
    assert set(issuer.options) == {"route", "jwks"}
    assert set(issuer.environment) == set(issuer.flask_config) == {"POMERIUM_JWT_ROUTE", "POMERIUM_JWT_JWKS"}
    with pytest.raises(VerifyError, match="token_too_old"):
        issuer.verifier(max_token_age=60).verify(issuer.token(iat=0))


def test_the_plugin_in_a_project_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from pomerium_jwt.testing import TestIssuer

        def test_one(pomerium_issuer, pomerium_headers):
            [token] = pomerium_headers(sub="alice", groups=["admins"]).values()
            assert pomerium_issuer.verifier().verify(token).in_group("admins")
        """
    )
    pytester.runpytest_subprocess(*ALONE).assert_outcomes(passed=1)


def test_the_readme_s_test_of_the_readme_s_application(pytester: pytest.Pytester) -> None:
    """found: the two did not fit together."""
    readme = (ROOT / "bindings-python" / "README.md").read_text()
    [test] = re.findall(r"<!-- test -->\n```python\n(.*?)```", readme, re.DOTALL)
    pytester.makepyfile(app=(ROOT / "examples" / "python" / "app.py").read_text(), test_app=test)
    pytester.runpytest_subprocess(*ALONE).assert_outcomes(passed=1)


def test_other_clients(pytester: pytest.Pytester) -> None:
    """Starlette's, httpx's and Django's, with the least applications."""
    for name in ("hello_fastapi", "hello_asgi"):
        pytester.makepyfile(**{name: (ROOT / "examples" / "python" / f"{name}.py").read_text()})
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(autouse=True)
        def _environment(monkeypatch, pomerium_issuer):
            for name, value in pomerium_issuer.environment.items():
                monkeypatch.setenv(name, value)
        """
    )
    pytester.makepyfile(
        test_clients="""
        import asyncio, httpx
        from starlette.testclient import TestClient

        def test_fastapi(pomerium_headers):
            from hello_fastapi import app
            client = TestClient(app)
            assert client.get("/", headers=pomerium_headers()).json() == "Hello alice@example.com"
            assert client.get("/admin", headers=pomerium_headers()).status_code == 403
            assert client.get("/").status_code == 401

        def test_httpx(pomerium_headers):
            from hello_asgi import application

            async def main():
                transport = httpx.ASGITransport(application)
                async with httpx.AsyncClient(transport=transport, base_url="https://app.example.com") as client:
                    assert (await client.get("/", headers=pomerium_headers())).text == "Hello alice@example.com"
                    assert (await client.get("/")).status_code == 401

            asyncio.run(main())

        def test_django(pomerium_issuer, pomerium_headers):
            import django
            from django.conf import settings
            middleware = ["pomerium_jwt.django.middleware.PomeriumMiddleware"]
            settings.configure(POMERIUM_JWT=pomerium_issuer.options, MIDDLEWARE=middleware, ROOT_URLCONF=__name__)
            django.setup()
            from django.test import Client
            assert Client().get("/", headers=pomerium_headers()).content == b"alice"
            assert Client().get("/").status_code == 401

        def view(request):
            from django.http import HttpResponse
            return HttpResponse(request.pomerium.subject)

        from django.urls import path
        urlpatterns = [path("", view)]
        """
    )
    pytester.runpytest_subprocess(*ALONE).assert_outcomes(passed=3)


def test_a_host_of_one_s_own(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest
        from pomerium_jwt.testing import TestIssuer

        @pytest.fixture(scope="session")
        def pomerium_issuer():
            return TestIssuer("mine.example.com")
        """
    )
    pytester.makepyfile(
        """
        def test_one(pomerium_issuer, pomerium_headers):
            [token] = pomerium_headers().values()
            assert pomerium_issuer.verifier().verify(token).issuer == "mine.example.com"
        """
    )
    pytester.runpytest_subprocess(*ALONE).assert_outcomes(passed=1)
