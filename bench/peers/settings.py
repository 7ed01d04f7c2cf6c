"""Django's own admin, or django-unfold over it (BENCH_PEER), set up well over the console's tables."""

import os

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS

IS_UNFOLD = os.environ["BENCH_PEER"] == "unfold"
ROOT_URLCONF = "bench.peers.urls"
INSTALLED_APPS = [
    *(["unfold"] if IS_UNFOLD else []),
    "bench.peers",
    "django.contrib.admin.apps.SimpleAdminConfig",
    *(
        app
        for app in INSTALLED_APPS
        if app not in ("console.apps.AdminConfig", "csp", "django_select2", "allauth.account")
    ),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
