"""How gunicorn serves the pages: two processes, four threads each, no access log, and no word about what serves."""

import gunicorn
from django.conf import settings

gunicorn.SERVER = "launchplane"

wsgi_app = "launchplane.wsgi"
bind = f"[{settings.BIND}]:{settings.PORT}" if ":" in settings.BIND else f"{settings.BIND}:{settings.PORT}"
workers = 2
worker_class = "gthread"
threads = 4
worker_tmp_dir = "/dev/shm"  # noqa: S108 - a heartbeat file, made by gunicorn with mkstemp and unlinked at once
control_socket_disable = True
graceful_timeout = 5
timeout = 60
loglevel = "warning"
logger_class = "launchplane.server.gunicorn_log.RedactingLogger"
proc_name = "launchplane"
