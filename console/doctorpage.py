"""The tab “Checks” of Operations: what `manage.py doctor` says, for whoever has no terminal."""

from datetime import UTC, datetime

from console import doctor
from console.base import ConsoleView
from console.tabs import TabsMixin

SUMMARY = {
    doctor.OK: "All is well.",
    doctor.WARN: "Nothing is broken; some things ask for a look.",
    doctor.BAD: "Something has to be mended.",
}


class ChecksPage(TabsMixin, ConsoleView):
    """GET runs all checks, in doctor.LIMIT_S at the most; what was found a moment ago is shown again."""

    section = "ops"
    permission_required = "console.view_ops"
    template_name = "console/checks.html"

    def get_context_data(self, **kwargs):
        findings, at = doctor.recent()
        order = [doctor.BAD, doctor.WARN, doctor.OK]
        return super().get_context_data(
            findings=sorted(findings, key=lambda each: order.index(each.state)),
            summary=SUMMARY[doctor.worst(findings)],
            at=datetime.fromtimestamp(at, UTC),
            **kwargs,
        )
