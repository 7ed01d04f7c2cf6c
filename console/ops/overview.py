"""The overview of operations: what fails, what waits, who works, and how the services fare."""

from console import jobs, meter, panels
from console.base import ConsoleView
from console.models import Worker
from console.ops import picture, services
from console.ops.actions import MANAGE
from console.tabs import TabsMixin


class OpsPage(TabsMixin, ConsoleView):
    section = "ops"
    permission_required = "console.view_ops"
    template_name = "console/ops.html"
    root = "#ops"

    def get_context_data(self, **kwargs):
        seen, redis = picture.look(), services.redis()
        return super().get_context_data(
            picture=seen,
            states=picture.SHOWN,
            database=services.database(),
            redis=redis,
            queues=queues(seen, redis),
            beat=next((each for each in seen.workers if each.kind == Worker.BEAT and each.state == "alive"), None),
            slowest=meter.figures(),
            slow_queries=meter.slow_queries(),
            panels=panels.shown(self.request),
            may_manage=self.request.user.has_perm(MANAGE),
            here=self.request.get_full_path(),
            **getattr(self.request, "answering", {}),
            **kwargs,
        )


def queues(seen, redis):
    """`[(queue, messages or None, names of workers that serve it)]`."""
    alive = [worker for worker in seen.workers if worker.state == "alive"]
    depths = redis["queues"] if redis else {}
    names = sorted(jobs.queues())
    return [(name, depths.get(name), [each.name for each in alive if name in each.queues]) for name in names]
