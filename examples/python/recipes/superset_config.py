"""Superset: the user of each request is Pomerium's, whatever its session says.

export SUPERSET_CONFIG_PATH=$PWD/recipes/superset_config.py POMERIUM_JWT_ROUTE=https://superset.example.com
superset db upgrade && superset init && gunicorn 'superset.app:create_app()'

A new user gets an account with the role Gamma, or is refused if another account has their e-mail address; an account that
has the subject as its username is theirs. The first administrator: superset fab create-user --role Admin --username SUBJECT

All processes of Superset read this file, so all need these variables, and SUPERSET_SECRET_KEY. The browser in which Superset
makes its reports does not come through Pomerium, so it is refused.
"""

from functools import partial

from flask import g
from flask_appbuilder.const import AUTH_REMOTE_USER
from superset.security import SupersetSecurityManager

from pomerium_jwt.flask import Pomerium, current_identity

AUTH_TYPE = AUTH_REMOTE_USER  # no page asks for a password
FLASK_APP_MUTATOR = Pomerium  # in front of everything: from now on no request gets in unverified


class CUSTOM_SECURITY_MANAGER(SupersetSecurityManager):
    """No session signs anybody in: an account that one names, or an API's token, must be that of the verified user."""

    def load_user(self, pk):
        return self.verified(super().load_user(pk))

    def request_loader(self, request):
        if not self.username() or "pomerium_loading" in g:  # an account that is being made asks who makes it: nobody
            return None
        g.pomerium_loading = True
        known = partial(self.find_user, username=self.username())
        user = known() or self.new_account(current_identity) or known()  # another request may have been first
        g.pop("pomerium_loading")
        return self.verified(user)

    def new_account(self, identity):
        email = identity.email or f"{identity.subject}@email.notfound"
        return self.add_user(identity.subject, identity.name or "-", "-", email, self.find_role("Gamma"))

    def verified(self, user):
        return user if user and user.is_active and user.username == self.username() else None

    def validate_api_key(self, api_key_string):
        return None  # it would put the owner of the key in the place of the user

    @staticmethod
    def username():
        return current_identity.subject if current_identity else None
