"""What holds for every verb, whoever declared it: one entry per target, undo restores, a permission that exists."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission

from console import ledger, respond, verbs
from console.models import Entry
from moderation.models import Comment, Player
from moderation.testing import make_comment

TARGETS = {"moderation.Comment": lambda: make_comment(status=Comment.PENDING)}


def state(row):
    """Everything about a row but its version, which only ever grows."""
    row = type(row).objects.get(pk=row.pk)
    return {field.attname: getattr(row, field.attname) for field in row._meta.fields if field.name != "version"}


@pytest.fixture(params=verbs.every(), ids=lambda verb: verb.name)
def verb(request):
    return request.param


def test_a_verb_names_a_permission_that_exists_and_is_routed(db, verb):
    app_label, codename = verb.permission.split(".")
    assert Permission.objects.filter(content_type__app_label=app_label, codename=codename).exists()
    assert respond.card_for(verb.model.lower())


@pytest.mark.parametrize("number", [1, 3])
def test_one_entry_per_target_and_one_batch(olga, verb, number):
    rows = [TARGETS[verb.model]() for _ in range(number)]
    outcome = verb(rows, by=olga.user, reason="spam", note="why", origin=ledger.Origin("r1", "203.0.113.9"))
    entries = Entry.objects.filter(batch=outcome.gesture)
    assert {entry.target_id for entry in entries} == {row.pk for row in rows}
    assert len(entries) == number
    for entry in entries:
        assert (entry.actor, entry.verb, entry.request_id, entry.reason) == (olga.user, verb.name, "r1", "spam")
        assert set(entry.before) == set(entry.after)
        assert entry.before != entry.after


def test_undo_restores_the_state_and_is_itself_undone(olga, verb):
    rows = [TARGETS[verb.model]() for _ in range(2)]
    before = [state(row) for row in rows]
    outcome = verb(rows, by=olga.user, reason="spam")
    after = [state(row) for row in rows]
    undone = ledger.undo(outcome.gesture, by=olga.user)
    assert [state(row) for row in rows] == before
    redone = ledger.undo(undone.gesture, by=olga.user)
    assert [state(row) for row in rows] == after
    assert Entry.objects.filter(batch=redone.gesture).count() == 2


def test_bulk_costs_the_same_statements_for_2_and_for_20(olga, verb, django_assert_num_queries):
    olga.user.has_perm("warm.up")

    def statements(number):
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        rows = [TARGETS[verb.model]() for _ in range(number)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            verb(rows, by=olga.user, reason="spam")
        return len(queries)

    assert statements(2) == statements(20)


def test_without_permission_nothing_happens(sam, verb):
    from django.core.exceptions import PermissionDenied

    row = TARGETS[verb.model]()
    before = state(row)
    with pytest.raises(PermissionDenied):
        verb(row, by=sam.user)
    assert state(row) == before
    assert not Entry.objects.exists()


def test_bulk_skips_what_moved_on_and_names_it(moses, lea):
    comments = [make_comment() for _ in range(3)]
    verbs.get("comment.approve")(comments[1], by=lea.user)
    outcome = verbs.get("comment.reject")(comments, by=moses.user, reason="spam")
    assert {row.pk for row in outcome.done} == {comments[0].pk, comments[2].pk}
    assert ["lea approved this comment" in str(conflict) for conflict in outcome.skipped] == [True]


def test_every_model_a_verb_changes_has_a_version(verb):
    assert apps.get_model(verb.model)._meta.get_field("version")


def test_encode_and_decode_are_inverse_for_personal_and_plain_fields(db):
    assert ledger.encode(Player, "strikes", 3) == 3
    kept = ledger.encode(Player, "username", "ada")
    assert set(kept) == {"ref"}
    assert ledger.decode(Player, "username", kept) == "ada"
    moment = Player(external_id="x").joined_at
    assert ledger.decode(Player, "joined_at", ledger.encode(Player, "joined_at", moment)) == moment
