"""What staff do to games and builds, and how the pipeline ends. Each verb is declared here once.

A build's background work follows from its state (Build.after_change): cancel, retry and undo only say what it is to be.
Games are locked before builds, everywhere (`lock_above`), so that two gestures never wait for each other; what builds
change of their games is recorded after them, so that undo can ask how the builds stand (Game.hinders).
"""

import secrets

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone
from django.utils.text import slugify

from console.models import Gesture
from console.verbs import verb
from games.forms import ChangesForm, RetryForm
from games.models import Build, Game
from moderation.forms import ReasonForm, WhyForm

BUILD, GAME = "games.Build", "games.Game"
_BEFORE = dict(zip(Build.STAGES, Build.PROCESSING, strict=True))  # the state from which a stage starts


@verb(
    "game.publish",
    label="Publish",
    past="published",
    model=GAME,
    permission="games.publish_game",
    legal=lambda game: (
        game.status in (Game.DRAFT, Game.PUBLISHED)
        and game.candidate is not None
        and (game.status == Game.DRAFT or game.candidate != game.current_build_id)
    ),
    icon="rocket",
    tone="ok",
    key="p",
)
def publish(games, act):
    """Players get the newest build that is ready; what it replaces is superseded, until undo."""
    ready = Build.objects.select_for_update().filter(pk__in=[game.candidate for game in games]).order_by("pk")
    builds = {build.pk: build for build in ready}
    Build.objects.filter(pk__in=builds).update(published_at=timezone.now())  # a fact, which no undo takes back
    act.change(
        games,
        status=Game.PUBLISHED,
        current_build=lambda game: builds[game.candidate],
        thumbnail=lambda game: builds[game.candidate].thumbnail,
    )
    _supersede(games, builds, act)


def _supersede(games, kept, act):
    """Other builds of these games that are ready give way."""
    older = Build.objects.filter(game__in=games, state=Build.READY).exclude(pk__in=kept)
    older = list(older.select_for_update().order_by("pk"))
    if older:
        act.change(older, state=Build.SUPERSEDED)


@verb(
    "game.unpublish",
    label="Unpublish",
    past="unpublished",
    model=GAME,
    permission="games.publish_game",
    legal=lambda game: game.status == Game.PUBLISHED,
    icon="eye-off",
    form=WhyForm,
)
def unpublish(games, act):
    act.change(games, status=Game.DRAFT)


@verb(
    "game.archive",
    label="Archive",
    past="archived",
    model=GAME,
    permission="games.archive_game",
    legal=lambda game: game.status in (Game.DRAFT, Game.PUBLISHED, Game.FAILED),
    icon="archive",
)
def archive(games, act):
    act.change(games, status=Game.ARCHIVED)


@verb(
    "game.restore",
    label="Restore",
    past="restored",
    model=GAME,
    permission="games.archive_game",
    legal=lambda game: game.status == Game.ARCHIVED,
    icon="archive-restore",
)
def restore(games, act):
    def stands(game):
        failed = _resting(game) == Game.FAILED and game.builds.exists()
        return Game.FAILED if failed else Game.DRAFT  # portals bring games without builds, too

    act.change(games, status=stands)


def _resting(game):
    """What a game is while nothing happens to its builds and nobody plays it."""
    return Game.DRAFT if game.current_build_id or game.candidate else Game.FAILED


@verb(
    "build.reject",
    label="Reject",
    past="rejected",
    model=BUILD,
    permission="games.review_build",
    legal=lambda build: build.state == Build.READY and not build.is_live,
    icon="x",
    key="r",
    form=ReasonForm,
)
def reject(builds, act):
    current = _locked_games(current_build__in=builds)
    if current:
        act.change(current, current_build=None, thumbnail="")
    _touch_others(builds, current, act)
    act.change(builds, state=Build.REJECTED)


def _locked_games(**which):
    """Their rows are locked already (Build.lock_above)."""
    return list(Game.objects.filter(**which).distinct().order_by("pk"))


def _touch_others(builds, changed, act):
    """What Publish would do has changed: a form opened before is out of date."""
    others = [game for game in _locked_games(builds__in=builds) if game not in changed]
    if others:
        act.touch(others)


@verb(
    "build.request_changes",
    label="Request changes",
    past="asked for changes to",
    model=BUILD,
    permission="games.review_build",
    legal=lambda build: build.state == Build.READY and not build.is_live and build.changes_requested_at is None,
    icon="message-square",
    form=ChangesForm,
    asks="What should change in {row}?",
    tells="The request for changes to {row} was saved.",
)
def request_changes(builds, act):
    """The note says which; Publish passes over the build until this is undone or a newer build is there."""
    _touch_others(builds, [], act)
    act.change(builds, changes_requested_at=timezone.now())


@verb(
    "build.retry",
    label="Retry",
    past="retried",
    model=BUILD,
    permission="games.retry_build",
    legal=lambda build: build.state in (Build.FAILED, Build.CANCELLED) and bool(build.zip),
    icon="rotate-ccw",
    form=RetryForm,
)
def retry(builds, act, stage=""):
    """From the stage that failed, or an earlier one. Raises nothing for a later one: it starts where it can."""
    go_on(builds, act, stage)


def go_on(builds, act, stage=""):
    """What retrying builds is, by their own verb or by that of their jobs."""

    def start(build):
        wanted = _BEFORE.get(stage, build.reached)
        return min(wanted, build.reached, key=Build.PROCESSING.index)

    if not builds:
        return
    act.change(builds, state=start)
    _say(builds, "")
    _move_games(builds, act, Game.PROCESSING, status=Game.FAILED)


@verb(
    "build.cancel",
    label="Cancel",
    past="cancelled",
    model=BUILD,
    permission="games.upload_game",
    legal=lambda build: build.is_processing,
    icon="x",
)
def cancel(builds, act):
    stop(builds, act)


def stop(builds, act):
    """What cancelling builds is, by their own verb or by that of their jobs."""
    if not builds:
        return
    act.change(builds, state=Build.CANCELLED)
    _move_games(builds, act, _resting, status=Game.PROCESSING)


def _move_games(builds, act, to, **which):
    """Games of these builds that wait for them, or wait no longer: for none of their builds."""
    others = Build.objects.filter(game=OuterRef("pk"), state__in=Build.PROCESSING).exclude(
        pk__in=[b.pk for b in builds]
    )
    games = Game.objects.for_verbs().filter(~Exists(others), pk__in=[build.game_id for build in builds], **which)
    games = list(games.order_by("pk"))
    if games:
        act.change(games, status=to)


def _say(builds, error):
    """Why a build failed is kept with the build: sentences quote names of files, which the ledger must not hold."""
    Build.objects.filter(pk__in=[build.pk for build in builds]).update(error=error)
    for build in builds:
        build.error = error


# --- what only our own code does -----------------------------------------------------------------------------


@verb(
    "build.receive",
    label="Upload",
    past="uploaded",
    model=BUILD,
    permission="games.upload_game",
    legal=lambda build: build.state == Build.CANCELLED,
    icon="upload",
    by_hand=False,
)
def receive(builds, act):
    act.change(builds, state=Build.RECEIVED)
    _move_games(builds, act, Game.PROCESSING, status__in=(Game.ARCHIVED, Game.FAILED), current_build=None)


@verb(
    "build.ready",
    label="Ready",
    past="processed",
    model=BUILD,
    permission="games.upload_game",
    legal=lambda build: build.state == Build.STORED,
    icon="check",
    by_hand=False,
)
def ready(builds, act):
    """A game whose build players have known keeps it until Publish; any other gets this one as its own."""
    act.change(builds, state=Build.READY)
    mine = {build.game_id: build for build in builds}
    games = Game.objects.filter(pk__in=mine).select_related("current_build").order_by("pk")
    moved = [game for game in games if _may_move(game, mine[game.pk])]
    if moved:
        act.change(
            moved,
            status=lambda game: Game.DRAFT if game.status in (Game.PROCESSING, Game.FAILED) else game.status,
            current_build=lambda game: mine[game.pk],
            thumbnail=lambda game: mine[game.pk].thumbnail,
        )
        _supersede(moved, [build.pk for build in mine.values()], act)
    _touch_others(builds, moved, act)


def _may_move(game, build):
    current = game.current_build
    is_unknown = current is None or (current.published_at is None and current.number < build.number)
    return is_unknown and game.status != Game.PUBLISHED


@verb(
    "build.fail",
    label="Fail",
    past="could not process",
    model=BUILD,
    permission="games.upload_game",
    legal=lambda build: build.is_processing,
    icon="triangle-alert",
    by_hand=False,
)
def fail(builds, act, error=""):
    act.change(builds, state=Build.FAILED)
    _say(builds, error)
    _move_games(builds, act, _resting, status=Game.PROCESSING)


class SameZip(Exception):
    """The zip is here already, as `build`."""

    def __init__(self, build):
        state = "it waits to be processed" if build.is_processing else f"it is {build.state}"
        super().__init__(f"This very zip is here already, as {build}; {state}. Nothing was uploaded a second time.")
        self.build = build


@transaction.atomic
def upload(received, *, by, key, origin, note="", game=None, title="", description="", tags=(), author=None):
    """A zip in quarantine (games.intake.Received) becomes a build, of a new game when none is given.

    Returns the console.verbs.Outcome; in one that is `replayed` nothing was made. Raises SameZip, KeyReused.
    """
    _refuse_twice(received, by, key)
    if game is None:
        game = _make_game(title=title, description=description, author=author, status=Game.ARCHIVED)
        game.tags.set(tags)
        about = {"title": title}
    else:
        about = {"game": game.pk}
        game = Game.objects.select_for_update().get(pk=game.pk)
        game.touched_at = timezone.now()
        game.save(update_fields=["touched_at"])
    number = (game.builds.aggregate(Max("number"))["number__max"] or 0) + 1
    build = Build.objects.create(
        game=game,
        number=number,
        zip=received.name,
        zip_name=received.zip_name,
        sha256=received.sha256,
        size=received.size,
        state=Build.CANCELLED,
        uploaded_by=by,
    )
    outcome = receive(build, by=by, key=key, origin=origin, note=note, asked=about | {"sha256": received.sha256})
    if outcome.replayed:
        transaction.set_rollback(True)
    return outcome


def _refuse_twice(received, by, key):
    """One at a time for equal zips; the same click again is told so by the ledger."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(received.sha256[:15], 16)])
    if Gesture.objects.filter(actor=by, idempotency_key=key).exists():
        return
    alive = (*Build.PROCESSING, Build.READY)
    same = Build.objects.filter(sha256=received.sha256, state__in=alive, swept_at=None).select_related("game").first()
    if same:
        raise SameZip(same)


def _make_game(**fields):
    """With an address of its own, also when another of this title comes at the same time."""
    slug = _free_slug(fields["title"])
    while True:
        try:
            with transaction.atomic():
                return Game.objects.create(slug=slug, **fields)
        except IntegrityError:
            slug = f"{slug[:60]}-{secrets.token_hex(3)}"


def _free_slug(title):
    stem = slugify(title)[:60] or "game"
    taken = set(Game.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    numbered = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
    return stem if stem not in taken else next(slug for slug in numbered if slug not in taken)
