"""Django's settings. What an operator may set comes from `environment`, nothing else is read from outside."""

from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from launchplane.environment import (
    env,
    evidence_per_minute,
    github_api_url,
    github_credentials,
    oidc,
    refuse_unknown_names,
    sandbox_mode,
    secret_key,
    ssh_key,
    state_directory,
)

refuse_unknown_names()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = state_directory(BASE_DIR)
BIND = env.str("BIND", "127.0.0.1")
PORT = env.int("PORT", 8000)
SANDBOX = sandbox_mode()
EVIDENCE_PER_MINUTE = evidence_per_minute()
EVIDENCE_DIR = Path(env.str("EVIDENCE_DIR", str(VAR / "evidence"))).absolute()
SOLO_OPERATOR = env.bool("SOLO_OPERATOR", False)
# apprise's addresses hold secrets: one a line or with blanks between them, never logged
NOTIFY_URLS = env.str("NOTIFY_URLS", "").split()
GITHUB_API_URL = github_api_url()
GITHUB_TOKEN, GITHUB_APP_ID, GITHUB_APP_KEY = github_credentials()
# a path: ssh reads the key itself, and nothing here ever does
SSH_KEY = ssh_key(VAR / "keys")
# an IPv6 address stands in brackets in a URL (RFC 3986, section 3.2.2)
PUBLIC_URL = env.str("PUBLIC_URL", f"http://{f'[{BIND}]' if ':' in BIND else BIND}:{PORT}").rstrip("/")
OIDC_ISSUER, OIDC_AUDIENCE, OIDC_JWKS_URL = oidc(PUBLIC_URL)

SECRET_KEY = secret_key(VAR / "keys")
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]", urlsplit(PUBLIC_URL).hostname or BIND])

INSTALLED_APPS = [
    "audits",
    "launchplane.access",
    "launchplane.hosts",
    "launchplane.schedule",
    "launchplane.changes",
    "hygiene",
    "lanes",
    "launchplane.api",
    "launchplane.web",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "django_q",
    "guardian",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "launchplane.problem_documents.ProblemDocuments",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "launchplane.access.acting.ActingMiddleware",
    "launchplane.web.refused.RefusedEdits",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "launchplane.urls"
WSGI_APPLICATION = "launchplane.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "launchplane.web.context.frame",
            ],
        },
    },
]

DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{VAR / 'launchplane.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a write transaction takes its lock at once and waits, instead of failing half way (SQLITE_BUSY).
    # recursive_triggers: without it INSERT OR REPLACE passes the triggers that keep records append-only.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
GUARDIAN_RAISE_403 = True
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
FORMAT_MODULE_PATH = "launchplane.web.formats"

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# The tasks' own timeouts stay well below `timeout`. The retry clock starts when a task is prefetched, so a retry sooner
# than timeout * (queue_limit + 2) runs it twice; what a task does is claimed by its own row all the same.
Q_CLUSTER = {
    "name": "observe",
    "orm": "default",
    "workers": 2,
    "queue_limit": 2,
    "timeout": 300,
    "retry": 1500,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 100,
    "poll": 0.5,
    "label": "Queue",
    "ALT_CLUSTERS": {"apply": {"workers": 1, "queue_limit": 1, "timeout": 5400, "retry": 12000}},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "audits.logs.RedactingFormatter",
            "fmt": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # At INFO each start and stop of a cluster is a dozen lines that say nothing to an operator.
    "loggers": {"django-q": {"level": "WARNING"}},
}
