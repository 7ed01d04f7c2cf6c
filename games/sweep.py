"""Removes files that nobody will ask for again; never what is live or could be made live."""


def run():
    pass
