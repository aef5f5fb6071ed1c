"""The application that INSTALLED_APPS names: its system checks."""

from django.apps import AppConfig
from django.core import checks

from .checks import check_settings


class PomeriumConfig(AppConfig):
    name = "pomerium_jwt.django"
    label = "pomerium_jwt"
    verbose_name = "Pomerium"

    def ready(self) -> None:
        checks.register(check_settings, checks.Tags.security)
