"""Says what is wrong with this console, and what to do about it."""

import json
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError

from console import doctor


class Command(BaseCommand):
    help = (
        "Looks at settings, database, Redis, storage, mail, clock, beat, workers, proxies and roles, within seconds: "
        "one line each, with what to do. Exits with 1 if anything is bad. Changes nothing; sends no mail."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="a list of objects: name, state, sentence, todo")

    def handle(self, *args, json: bool, **options):
        findings = doctor.check_all()
        self.stdout.write(as_json(findings) if json else as_text(findings))
        bad = [finding.name for finding in findings if finding.state == doctor.BAD]
        if bad:
            raise CommandError(f"To be mended: {', '.join(bad)}.", returncode=1)


def as_json(findings):
    return json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False)


def as_text(findings):
    wide = max(len(finding.name) for finding in findings)
    return "\n".join(
        f"{each.state:<4}  {each.name:<{wide}}  {each.sentence}{f' → {each.todo}' if each.todo else ''}"
        for each in findings
    )
