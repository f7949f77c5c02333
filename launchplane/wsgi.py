"""The door for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from launchplane.patience import with_patience

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "launchplane.settings")
application = with_patience(get_wsgi_application())
