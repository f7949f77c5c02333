"""The admin as a whole: its name, and what must not be in it.

django-q's own pages let people who may only look run tasks again, and people who edit schedules run any callable.
"""

import django_q.admin  # noqa: F401  registers what is taken away here; imported first, so that it is there to be taken
from django.contrib import admin
from django_q.models import Failure, OrmQ, Schedule, Success

for unsafe in (Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(unsafe):
        admin.site.unregister(unsafe)

admin.site.site_header = "Launchplane"
admin.site.site_title = "Launchplane"
admin.site.index_title = "Settings"
admin.site.enable_nav_sidebar = False
