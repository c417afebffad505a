"""Every setting of the portal, read top to bottom: where, secrets, database, queue, web, apps, identity, static, logs.

Values come from the environment (``portal.env``); defaults are the safe ones. ``docs/settings.md`` lists them.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from portal import env

# --- where -----------------------------------------------------------------------------------
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("PORTAL_VAR", str(BASE_DIR / "var")))
# web: seals secrets, cannot open them. worker: alone holds the opening key. command: manage.py.
PORTAL_ROLE = env.text("PORTAL_ROLE", "command")
# rehearsal (every target is the simulator) or production; written into the database at first start.
PORTAL_MODE = env.text("PORTAL_MODE", "production")
PORTAL_ORIGIN = env.text("PORTAL_ORIGIN", "http://localhost:8000")
DEBUG = env.flag("DEBUG")

# --- secrets ---------------------------------------------------------------------------------
SECRET_KEY = env.secret("SECRET_KEY", file=VAR_DIR / "keys" / "secret_key")
SEALING_KEY_FILE = env.text("SEALING_KEY_FILE", str(VAR_DIR / "keys" / "sealing.pem"))
OPENING_KEY_FILE = env.text("OPENING_KEY_FILE")
JOB_SECRET_LIFE_S = env.seconds("JOB_SECRET_LIFE_S", 24 * 3600)

# --- database --------------------------------------------------------------------------------
DATABASES = {
    "default": env.database(env.secret("DATABASE_URL", f"sqlite:///{VAR_DIR}/portal.sqlite3"))
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
EMBEDDED = DATABASES["default"]["ENGINE"].endswith("sqlite3")

# --- engine (portal/jobs) --------------------------------------------------------------------
LEASE_S = env.seconds("LEASE_S", 30)
WATCH_INTERVAL_S = env.seconds("WATCH_INTERVAL_S", 1)
UNCLAIMED_S = env.seconds("UNCLAIMED_S", 5)
# Touched whenever this host's worker has asked the database; `manage.py health worker` looks at its age.
BEAT_FILE = env.text("BEAT_FILE", str(VAR_DIR / "worker.beat"))
# How long a look may still show the state before a change of ours (Graph replicates in its own time).
STALE_READ_S = env.seconds("STALE_READ_S", 60)
RETRY_BASE_S = env.seconds("RETRY_BASE_S", 2)
RETRY_FOR_S = env.seconds("RETRY_FOR_S", 900)
# How long a look may take to show a change, at most; steps have their own figures below it.
SETTLE_AT_MOST_S = env.seconds("SETTLE_AT_MOST_S", 300)
PERSON_POLL_S = env.seconds("PERSON_POLL_S", 15)
APPROVAL_LIFE_S = env.seconds("APPROVAL_LIFE_S", 24 * 3600)
SYNC_CYCLE_S = env.seconds("SYNC_CYCLE_S", 15 * 60)

# --- queue: a message is a bell with a job's id, nothing else ---------------------------------
REDIS_URL = env.secret("REDIS_URL", "")
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object]
if REDIS_URL:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 3600,
        "socket_connect_timeout": 1,
        "socket_timeout": 5,
    }
else:
    CELERY_BROKER_TRANSPORT = "portal.jobs.folder_broker:Transport"
    _BELL = VAR_DIR / "broker"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_BELL),
        "data_folder_out": str(_BELL),
        "processed_folder": str(_BELL / "done"),
        "control_folder": str(_BELL / "control"),
        "store_processed": False,
        "polling_interval": 0.1,
    }
# For whoever rings, on top of these: no second try and no long wait. An unheard bell costs the watch
# seconds; a bell that waits costs whoever clicked. Whoever listens goes on trying for ever, as before.
RING_TRANSPORT_OPTIONS: dict[str, object] = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
    **({"socket_connect_timeout": 0.5, "socket_timeout": 0.5} if REDIS_URL else {}),
}
CELERY_TASK_DEFAULT_QUEUE = "sss"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 50
# Or a worker would connect to the database anew for every step: half of a short one. Who closes what has
# become unusable is the task itself, as a request does.
CELERY_DB_REUSE_MAX = CELERY_WORKER_MAX_TASKS_PER_CHILD
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None

# --- web security ----------------------------------------------------------------------------
_HTTPS = PORTAL_ORIGIN.startswith("https://")
ALLOWED_HOSTS = env.items("PORTAL_HOSTS", PORTAL_ORIGIN.split("//")[-1].split(":")[0])
CSRF_TRUSTED_ORIGINS = [PORTAL_ORIGIN]
SESSION_COOKIE_NAME = "__Host-session" if _HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if _HTTPS else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
IDLE_S = env.seconds("IDLE_S", 30 * 60)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _HTTPS
SECURE_HSTS_PRELOAD = False
SECURE_SSL_REDIRECT = _HTTPS
if env.flag("TLS_ENDS_AT_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
_AUTHORITY = urlsplit(env.text("SIGN_IN_AUTHORITY"))
_SIGN_IN_ORIGINS = [
    *([f"{_AUTHORITY.scheme}://{_AUTHORITY.netloc}"] if _AUTHORITY.netloc else []),
    *env.items("SIGN_IN_FORM_ORIGINS"),
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        # Browsers hold a redirect after a form to this too: the sign-in goes on at the identity provider.
        "form-action": ["'self'", *_SIGN_IN_ORIGINS],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
# Uploads stay in memory: a key file must never touch a disk of the web tier.
FILE_UPLOAD_HANDLERS = ["portal.uploads.BoundedMemoryUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- apps ------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "portal",
    "portal.access",
    "portal.audit",
    "portal.vault",
    "portal.jobs",
    "sync_setup",
    "mailboxes",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "portal.middleware.NotKept",
    "portal.middleware.RequestNumber",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.middleware.IdleSession",
    "portal.middleware.SignedInByDefault",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.PersonsTimeZone",
    "portal.middleware.PortalErrorPages",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.pages.frame",
            ],
            "builtins": ["portal.templatetags.portal_ui", "django.templatetags.static"],
        },
    }
]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- identity --------------------------------------------------------------------------------
AUTH_USER_MODEL = "access.Person"
AUTHENTICATION_BACKENDS = ["portal.access.backends.BreakGlass"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
SIGN_IN_AUTHORITY = env.text("SIGN_IN_AUTHORITY")
SIGN_IN_CLIENT_ID = env.text("SIGN_IN_CLIENT_ID")
SIGN_IN_CLIENT_SECRET = env.secret("SIGN_IN_CLIENT_SECRET", "")
SIGN_IN_CA_FILE = env.text("SIGN_IN_CA_FILE")
BREAK_GLASS = env.flag("BREAK_GLASS")

# --- outside systems -------------------------------------------------------------------------
# Clouds beside the built-in table, such as a simulator; the file need not be there.
CLOUDS_FILE = env.text("CLOUDS_FILE", str(VAR_DIR / "clouds.json"))
OUTBOUND_PROXY = env.text("OUTBOUND_PROXY")

# --- language, time, static ------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
DISPLAY_TIME_ZONE = env.text("DISPLAY_TIME_ZONE", "Europe/Berlin")
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 60

# --- logs ------------------------------------------------------------------------------------
LOG_LEVEL = env.text("LOG_LEVEL", "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # These log request lines, headers or message bodies at DEBUG: never below INFO, whatever LOG_LEVEL says.
    "loggers": {
        name: {"level": "INFO"}
        for name in (
            "urllib3",
            "requests",
            "msal",
            "pypsrp",
            "spnego",
            "kombu",
            "amqp",
            "asyncio",
            "django.db.backends",
        )
    },
}
# Preloading binds a whole domain in every browser for years: not for one portal in a company network to decide.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
