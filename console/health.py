"""Whether the process is alive and can serve. Answered before hosts, sessions and users are looked at, since those
who ask come by address, often while the database is gone.
"""

from django.core.cache import caches
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, JsonResponse


def healthz(request):
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request):
    """Whether it can serve: degraded without Redis, down (503) without database or with migrations missing."""
    checks = {"database": "ok", "migrations": "ok", "redis": "ok"}
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            checks["migrations"] = "missing"
    except DatabaseError:
        checks["database"] = checks["migrations"] = "down"
    if not caches["hot"].set("readyz", 1, timeout=5):
        checks["redis"] = "down"
    down = checks["database"] != "ok" or checks["migrations"] != "ok"
    status = "down" if down else "degraded" if checks["redis"] != "ok" else "ok"
    return JsonResponse({"status": status, "checks": checks}, status=503 if down else 200)


class HealthMiddleware:
    """Serves the two; the request never reaches the rest of the stack."""

    paths = {"/healthz": healthz, "/readyz": readyz}

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        check = self.paths.get(request.path_info)
        if check is None:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        return check(request)
