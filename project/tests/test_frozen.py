"""A frozen console, address by address: nothing is decided, but what ends an emergency."""

from waffle.testutils import override_flag, override_switch

from console import flags
from console.exports import ExportView
from console.models import Gesture
from project.tests import test_routes


def works(view):
    """Whether this address is to do something in a frozen console, too."""
    verb = view.view_initkwargs.get("verb")
    return verb.while_frozen if verb else issubclass(view.view_class, ExportView)


def test_no_address_decides_anything_in_a_frozen_console(olga, lea):
    did, refused = {}, 0
    for name in test_routes.MATRIX:
        view = test_routes.VIEWS[name]
        if not test_routes.takes_post(view):
            continue
        with test_routes.forgotten(), override_flag("bulk_actions", active=True):
            url, data = test_routes.address(name, lea), test_routes.sent(name)
            before = Gesture.objects.count()
            with override_switch(flags.FREEZE_CONSOLE, active=True):
                status = olga.post(url, data).status_code
            did[name] = Gesture.objects.count() - before
            refused += status == 409
            assert status < 500 or name == "games:upload", name
    assert {name for name, number in did.items() if number} == {name for name in did if works(test_routes.VIEWS[name])}
    assert refused > 40
