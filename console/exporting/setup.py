"""What the console knows of exports once it is ready: the job that writes them, and how they are shown."""

from console import live, respond
from console.exporting import pages, sources, work
from console.ledgerexport import LedgerSource


def ready():
    work.register()
    sources.register(LedgerSource)
    respond.register(pages.CARD)
    live.watch("export", pages.bring_up_to_date)
