"""The product's own settings, so that gunicorn, middleware and connections are the same, with one route and no more."""

from launchplane.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.bare.urls"
