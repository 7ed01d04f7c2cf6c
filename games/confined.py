"""stub"""


class Confined(Exception):
    no_room = False


def run(*a, **k):
    raise Confined("stub")
