"""Games and how they arrive."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class GamesConfig(AppConfig):
    name = "games"

    def ready(self):
        from games import actions, pipeline, roles  # noqa: F401  (actions declare their verbs)

        post_migrate.connect(roles.apply, sender=self)
        pipeline.register()
