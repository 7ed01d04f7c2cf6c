"""What every test may use: the cast, and our way of making test databases in place of pytest-django's."""

from project.testing import django_db_setup  # noqa: F401

pytest_plugins = ["console.testing"]
