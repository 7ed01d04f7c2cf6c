"""Whom and what rows speak of: players and games by the portal's names for them, made when they are new."""

from moderation.models import Comment, Player


def players(named):
    """`{the portal's id: key}` of these players, `{the portal's id: name}`; those that are new are made."""
    found = _known(named)
    missing = sorted(set(named) - set(found))
    if missing:
        made = [Player(external_id=each, username=named[each]) for each in missing]
        Player.objects.bulk_create(made, ignore_conflicts=True)
        found |= _known(missing)
    return found


def _known(ids):
    return dict(Player.objects.filter(external_id__in=list(ids)).values_list("external_id", "pk")) if ids else {}


def authors(ids):
    """`{external_id: key of the player}` of the comments that are there."""
    return dict(Comment.objects.filter(external_id__in=set(ids)).values_list("external_id", "player_id"))


def erased(keys):
    """Those of these players whose data was erased: what they wrote does not come back."""
    return set(Player.objects.filter(pk__in=keys).exclude(erased_at=None).values_list("pk", flat=True)) if keys else ()


def lock(keys):
    """Locks these players before any comment, as a ban does: whoever bans one of them waits until the batch is over.

    Authors of comments that change, too: a row that is updated twice has its references checked again. Returns those
    of them whose data was erased.
    """
    if not keys:
        return set()
    rows = Player.objects.filter(pk__in=keys).select_for_update(no_key=True).order_by("pk")
    return {pk for pk, erased_at in rows.values_list("pk", "erased_at") if erased_at}


def games(slugs):
    """`{slug: key}`; those that are new are made, as games that the portal shows."""
    found = _games(slugs)
    missing = sorted(set(slugs) - set(found))
    if missing:
        Game = Comment._meta.get_field("game").related_model
        titled = {slug: slug.replace("-", " ").replace("_", " ").title() for slug in missing}
        made = [Game(slug=slug, title=title, status="published") for slug, title in titled.items()]
        Game.objects.bulk_create(made, ignore_conflicts=True)
        found |= _games(missing)
    return found


def _games(slugs):
    Game = Comment._meta.get_field("game").related_model
    return dict(Game.objects.filter(slug__in=list(slugs)).values_list("slug", "pk")) if slugs else {}
