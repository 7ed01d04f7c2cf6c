"""Routes whose tables (who may, what a POST answers, how to come by an address) are in modules of their own."""

from project.tests import exportroutes, labsroutes, opsroutes, receivedroutes, webhookroutes

APART = (exportroutes, labsroutes, opsroutes, receivedroutes, webhookroutes)
# sorted: some are made of sets, and all who run tests at once must find them in one order
MATRIX = {name: each.MATRIX[name] for each in APART for name in sorted(each.MATRIX)}
POSTS = {name: what for each in APART for name, what in each.POSTS.items()}
ALONE = {name for each in APART for name in each.ALONE}


def address(name, owner):
    """Where it is, about a row of its kind; `owner` is whose it is, where that matters."""
    own = next(each for each in APART if name in each.MATRIX)
    return own.address(name, owner) if own is exportroutes else own.address(name)


def sent(name):
    """What its form takes besides what all take."""
    own = next((each for each in APART if name in each.MATRIX), None)
    return own.sent(name) if hasattr(own, "sent") else {}
