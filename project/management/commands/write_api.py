"""Writes what people read of the API, after its views have changed."""

from django.conf import settings
from django.core.management.base import BaseCommand

from project import apihandbook


class Command(BaseCommand):
    help = "Writes docs/api.md and the README's table of the API, from the schema."

    def handle(self, **options):
        (settings.BASE_DIR / "docs/api.md").write_text(apihandbook.handbook(), encoding="utf-8")
        readme = settings.BASE_DIR / "README.md"
        before, _, rest = readme.read_text(encoding="utf-8").partition(apihandbook.BEGIN)
        after = rest.partition(apihandbook.END)[2]
        readme.write_text(f"{before}{apihandbook.table()}{after}", encoding="utf-8")
        self.stdout.write("docs/api.md and README.md are as the schema says.")
