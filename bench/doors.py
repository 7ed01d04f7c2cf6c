"""Prints what moderation.doors.check takes in the database, as JSON, for bench.people."""

import json
import os
import random
import sys
import time

import django
from django.db import connection

CHECKS = 2000


def main():
    from moderation import doors
    from moderation.models import Ban, Player

    chance, spent, refused = random.Random(1), [], 0  # noqa: S311
    last = Player.objects.order_by("-pk").values_list("pk", flat=True)[0]

    def timed(execute, *args):
        started = time.perf_counter()
        try:
            return execute(*args)
        finally:
            spent[-1] += 1000 * (time.perf_counter() - started)

    bans = Ban.objects.count()
    with connection.execute_wrapper(timed):
        for number in range(CHECKS + 50):
            ours = f"198.{18 + chance.randrange(2)}"  # where the players are
            first = ours if number % 2 else f"{chance.randrange(1, 223)}.{chance.randrange(256)}"
            address = f"{first}.{chance.randrange(256)}.{chance.randrange(256)}"
            spent.append(0)
            refused += doors.check(ip=address, player=chance.randint(1, last) if number % 3 else None) is not None
    json.dump({"ms": spent[50:], "bans": bans, "refused": refused / len(spent)}, sys.stdout)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    main()
