"""Whether the process is alive and can serve. Answered before hosts, sessions and users are looked at, since those
who ask come by address, often while the database is gone.
"""

from django.core.cache import caches
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, JsonResponse

from console import jobs


def healthz(request):
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def checks():
    """`{part: "ok", or what is the matter}`."""
    found = {"database": "ok", "migrations": "ok", "redis": "ok", "jobs": "ok"}
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            found["migrations"] = "missing"
        elif jobs.are_delayed():
            found["jobs"] = "delayed"
    except Error:
        found |= dict.fromkeys(("database", "migrations", "jobs"), "down")
    if not caches["hot"].set("readyz", 1, timeout=5):
        found["redis"] = "down"
    return found


def readyz(request):
    """Whether it can serve: degraded without Redis or when nobody does the work that waits (worker, beat or reaper are
    gone), down (503) without database or with migrations missing.
    """
    found = checks()
    down = found["database"] != "ok" or found["migrations"] != "ok"
    status = "down" if down else "ok" if set(found.values()) == {"ok"} else "degraded"
    return JsonResponse({"status": status, "checks": found}, status=503 if down else 200)


def metrics(request):
    from console import metrics  # what it tells of is not loaded when this is

    return metrics.metrics(request)


class HealthMiddleware:
    """Serves the three; the request never reaches the rest of the stack."""

    paths = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        check = self.paths.get(request.path_info)
        if check is None:
            return self.get_response(request)
        request.answered_by = request.path_info.strip("/")
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        return check(request)
