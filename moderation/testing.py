"""Factories for tests of this app and those above it."""

import itertools
from ipaddress import ip_network

from moderation.models import Ban, Comment, CommentEdit, CommentText, Player, Reason, Report

_numbers = itertools.count(1)


def make_game(**kwargs):
    """A game, by the relation: this app does not import the one above it."""
    number = next(_numbers)
    values = {"title": f"Neon Drift {number}", "slug": f"neon-{number}", "status": "published"} | kwargs
    return Comment._meta.get_field("game").related_model.objects.create(**values)


def make_player(**kwargs):
    number = next(_numbers)
    return Player.objects.create(**{"external_id": f"p{number}", "username": f"ada{number}"} | kwargs)


def make_comment(**kwargs):
    number = next(_numbers)
    values = {"external_id": f"c{number}", "body": f"what a lovely game, number {number}"} | kwargs
    values.setdefault("player", None)
    values["player"] = values["player"] or make_player()
    comment = Comment.objects.create(**values)
    CommentText.of(comment).save()
    return comment


def edit_comment(comment, body):
    """As the portal does: the text that was there is kept, and the comment waits again."""
    CommentEdit.objects.create(comment=comment, body=comment.body, status=comment.status)
    comment.body, comment.status = body, Comment.PENDING
    comment.edits += 1
    comment.version += 1
    comment.save()
    return comment


def make_network_ban(network=None, **kwargs):
    """A ban of a network of its own, in force and asked for by nobody in particular."""
    number = next(_numbers)
    network = network or f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}/32"
    return Ban.objects.create(**{"network": ip_network(network), "reason": "spam"} | kwargs)


def make_report(comment, **kwargs):
    report = Report.objects.create(comment=comment, **{"player": make_player(), "words": "spam again"} | kwargs)
    comment.report_count += 1
    comment.save(update_fields=["report_count"])
    return report


def make_reason(**kwargs):
    number = next(_numbers)
    return Reason.objects.create(**{"code": f"reason{number}", "label": f"Reason {number}"} | kwargs)
