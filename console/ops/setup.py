"""What the console knows of operations once it is ready: their section, tabs, card, and what polls bring up to date."""

from functools import partial

from console import live, respond, sections, tabs
from console.ops import drawing, picture

VIEW = "console.view_ops"


def ready():
    respond.register(drawing.JOB_CARD)
    live.watch("job", drawing.bring_up_to_date)
    live.watch("ops", picture.bring_up_to_date)
    pages = partial(tabs.every_tab, "ops")
    sections.register(
        sections.Section(
            "ops", "Operations", "console:ops", VIEW, "activity", waiting=picture.trouble, pages=pages, position=86
        )
    )
    tabs.register_tab(tabs.Tab("ops", "Overview", "console:ops", VIEW, position=10))
    tabs.register_tab(tabs.Tab("ops", "Jobs", "console:jobs", VIEW, position=20))
