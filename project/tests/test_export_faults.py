"""Workers are killed while they write exports: nobody gets half a file, and each ends whole, once."""

import pytest

from console import roles
from console.exporting import actions, work
from console.models import Entry, Export, Job
from console.testing import make_user
from moderation.players import PlayersSource
from moderation.testing import make_player
from project.tests.rig import UPLOADS, Rig, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]


@pytest.fixture
def rig(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), Rig() as rig:
        yield rig


def _read(exports):
    """With their jobs, as of one moment."""
    return Export.objects.filter(pk__in=[each.pk for each in exports]).select_related("job").order_by("pk")


def states(exports):
    return [export.state for export in _read(exports)]


def test_workers_killed_in_mid_export_leave_nothing_and_others_write_it_whole(rig):
    lea = make_user("lea", roles.SENIOR)
    for number in range(30):
        make_player(username=f"kit{number}")
    asked = []
    for point in ("written", "put"):
        source = PlayersSource(lea)
        source.choose("csv")
        (export,) = actions.ask_for(source, by=lea, key=None, origin=None).done
        rig.order(f"export-{export.pk}", point)
        asked.append(export)
    rig.start(UPLOADS, several=3)
    for export, point in zip(asked, ("written", "put"), strict=True):
        rig.pid_at(f"export-{export.pk}", point)
    folder = rig.storage / work.PREFIX
    assert len(list(folder.glob("*"))) == 1, "one of them is in the storage already"
    rig.kill(UPLOADS)
    assert states(asked) == ["running", "running"]
    rig.forget_orders()
    rig.start(UPLOADS)
    until(lambda: states(asked) == ["ready", "ready"], "both are written")
    whole = b"".join(PlayersSource(lea).pieces())
    made = Export.objects.filter(pk__in=[each.pk for each in asked]).select_related("job")
    assert [(rig.storage / export.file).read_bytes() for export in made] == [whole] * 2
    assert {export.job.attempt for export in made} == {2}
    assert len(list(folder.glob("*"))) == 2, "what the dead one had stored is gone"
    assert Entry.objects.filter(verb="export.ask").count() == 2
    assert not Job.objects.exclude(state=Job.DONE).filter(kind="console.export").exists()
    until(lambda: not list(rig.work.glob("export-*")), "their folders are cleared away", 10)
