"""Child processes of tests that work with the test's own database, state and evidence."""

import os
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection


def environment() -> dict[str, str]:
    """What a child needs beside our own environment. Only for tests whose transactions are committed."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        url = urlsplit(os.environ["LAUNCHPLANE_DATABASE_URL"])._replace(path=f"/{name}").geturl()
    return {
        "LAUNCHPLANE_DATABASE_URL": url,
        "LAUNCHPLANE_VAR": str(settings.VAR),
        "LAUNCHPLANE_EVIDENCE_DIR": str(settings.EVIDENCE_DIR),
        # settings were read before a state directory of the tests' own was set
        "LAUNCHPLANE_SECRET_KEY": settings.SECRET_KEY,
        "DJANGO_SETTINGS_MODULE": "launchplane.settings",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH")])),
    }
