"""What a gesture answers: to htmx a card (or none, or the page's partial), badges, toast and spoken words in one
response; to a plain form a message that survives the redirect. One place, so that every verb and its undo answer alike.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve

from console import ledger, rows
from console.templatetags.console import dom_id
from console.undo import why_final

_registered = {}


@dataclass(frozen=True)
class Card:
    """How rows of a model are shown.

    `summary` (a partial) gets `row`; `queryset()` loads rows with all they need; `list_url()` is the list their verbs
    return to by default.

    For rows that are cards of that list: `load(keys)` gives them as they are now, `draw(row, page, conflict="",
    oob=False)` draws one for `page(request, url)`, `belongs(row, url, user)` says whether the list at that address
    still shows this person the row, `found(url, user)` how much it holds now: a number and a sentence.

    For rows that are seen on lists of something else: `beside(request, row, gesture, url)` brings those lists up to
    date, as out-of-band HTML, or is None when only a fresh list will do.
    """

    model: str
    summary: str
    queryset: Callable
    list_url: Callable[[], str]
    load: Callable | None = None
    draw: Callable | None = None
    page: Callable = rows.Page
    belongs: Callable = lambda row, url, user: True
    found: Callable = lambda url, user: (0, "")
    beside: Callable = lambda request, row, gesture, url: None

    def is_listed(self, url):
        return self.draw is not None and url.partition("?")[0] == self.list_url()


def register(card):
    _registered[card.model] = card


def card_for(label):
    """The card for a model label as in the ledger ("moderation.comment"), or None."""
    return next((card for model, card in _registered.items() if model.lower() == label), None)


def found_at(here, user):
    """How much the list at that address holds for this person, and its sentence; `(0, "")` for no list of cards."""
    return next((card.found(here, user) for card in _registered.values() if card.is_listed(here)), (0, ""))


def root_of(here):
    """The element that a page's partial is ("#results", "#item"), or "" for pages that are not swapped."""
    try:
        view = resolve(here.partition("?")[0]).func
    except Resolver404:
        return ""
    return getattr(getattr(view, "view_class", None), "root", "")


def partial_at(request, here, **answering):
    """The partial of the page at that address as it is now, for this person; "" when there is none to be seen.

    `answering` reaches its view as `request.answering`: `conflict` to be told, `oob` when it is sent out of band.
    """
    path, _, query = here.partition("?")
    match = resolve(path)
    again = copy.copy(request)
    again.method, again.GET, again.path, again.path_info = "GET", QueryDict(query), path, path
    again.resolver_match, again.answering = match, answering
    try:
        return match.func(again, *match.args, **match.kwargs).render().content.decode()
    except (Http404, PermissionDenied):
        return ""


def newer_at(request, here, seen):
    """How many rows the list at `here` got after `seen`, the highest key it knew; None when it is no list."""
    if seen is None or root_of(here) != "#results":
        return None
    path, _, query = here.partition("?")
    match = resolve(path)
    page = match.func.view_class(**match.func.view_initkwargs)
    again = copy.copy(request)
    again.GET = QueryDict(query)
    page.setup(again, *match.args, **match.kwargs)
    return page.newer_than(seen) if request.user.has_perm(page.permission_required) else None


def done(request, verb, gesture, card, rows, message, here, skipped=None):
    """200 after a verb. A row that no longer belongs to the list at `here` leaves it; the toast holds Undo.

    `skipped` is None for a verb on one row; for a bulk it lists the Conflicts, and the list is swapped whole.
    """
    alone = rows[0] if skipped is None else None
    listed = alone and card.is_listed(here)
    action = gesture and not why_final(gesture) and gesture.get_undo_url()
    undo = {"action": action, "card": dom_id(alone) if listed else ""} if action else None
    stays = listed and card.belongs(alone, here, request.user)
    number, found = found_at(here, request.user)
    if listed and (stays or number):
        response = HttpResponse(_card(request, card, alone, here) if stays else "")
        response["HX-Retarget"], response["HX-Reswap"] = f"#{dom_id(alone)}", "outerHTML" if stays else "delete"
    else:
        beside = card.beside(request, alone, gesture, here) if alone and root_of(here) == "#results" else None
        response = _page(request, here) if beside is None else _only(beside)
    response.write(_after(request, message, here, undo=undo, skipped=skipped, found=found))
    items = [dom_id(row) for row in rows[:100]]
    return _telling(response, "attendant:done", verb=verb.name, items=items, gesture=str(gesture.pk) if gesture else "")


def undone(request, card, result, message, here):
    """200 after an undo: the one card that is back, or the page as it is now when several things are."""
    rows = result.restored
    shown, alone = bool(request.POST.get("shown")), rows[0] if len(rows) == 1 else None
    if alone and alone._meta.label == card.model and card.is_listed(here):
        wanted = shown or card.belongs(alone, here, request.user)
        response = HttpResponse(_card(request, card, alone, here) if wanted else "")
        if wanted:
            response["HX-Retarget"] = f"#{dom_id(alone)}" if shown else "#cards"
            response["HX-Reswap"] = "outerHTML" if shown else "afterbegin"
    else:
        response = _page(request, here)
    response.write(_after(request, message, here))
    return _telling(response, "attendant:undone", items=[dom_id(row) for row in rows[:100]])


def conflict(request, card, row, message, here):
    """409 to a button: the fresh card (or page) in place of the stale one, with who was quicker."""
    if card.is_listed(here):
        response = HttpResponse(_card(request, card, row, here, conflict=message), status=409)
        response["HX-Retarget"], response["HX-Reswap"] = f"#{dom_id(row)}", "outerHTML"
    else:
        response = _page(request, here, conflict=message)
        response.status_code = 409
    response.write(_after(request, "", here, spoken=message))
    return _telling(response, "attendant:conflict", items=[dom_id(row)])


def behind(request, card, row, message, here):
    """What stands behind a dialog that stays open on a conflict, brought up to date out of band."""
    if card.is_listed(here):
        html = _card(request, card, row, here, conflict=message, oob=True)
    elif root_of(here) == "#item":
        html = partial_at(request, here, conflict=message, oob=True)
    else:
        html = card.beside(request, row, None, here) or ""
    return html + _after(request, "", here, spoken=message)


def refreshed(request, status, words, here):
    """The list at `here` as it is now, with the words above it; None when there is no list to be had."""
    if root_of(here) != "#results":
        return None
    response = _page(request, here)
    response.status_code = status
    response.write(_after(request, "", here, spoken=words, alert=words))
    return response


def remember(request, message, gesture, skipped=()):
    """For plain forms: the message, and the entry whose Undo it offers (none for gesture None, nor for what is final),
    on the next page.
    """
    entry = gesture and not why_final(gesture) and gesture.first_entry_id
    if message:
        messages.success(request, message, extra_tags=f"undo-{entry}" if entry else "")
    if skipped:
        messages.warning(request, left_alone(skipped))


def left_alone(skipped):
    """What a bulk left as it was, by name."""
    return f"{len(skipped)} left as {'it was' if len(skipped) == 1 else 'they were'}. {named(skipped)}"


def named(conflicts):
    """The first ten conflicts in a sentence each, and how many more there are."""
    said = []
    for conflict in conflicts:
        words = conflict.message.removesuffix(" This is how it stands now.")
        said.append(f"{ledger.describe(conflict.target)}: {words}" if conflict.target else words)
    return ledger.some(said, 10)


def _page(request, here, **answering):
    """The page at `here` swapped whole, or nothing for a page that is not swapped."""
    root = root_of(here)
    html = partial_at(request, here, **answering) if root else ""
    response = HttpResponse(html)
    response["HX-Retarget"], response["HX-Reswap"] = (root, "outerHTML") if html else ("#toasts", "none")
    return response


def _only(html):
    response = HttpResponse(html)
    response["HX-Retarget"], response["HX-Reswap"] = "#toasts", "none"
    return response


def _card(request, card, row, here, **context):
    fresh = card.load([row.pk])
    if not fresh:
        raise Http404("It is gone.")
    return card.draw(fresh[0], card.page(request, here), **context)


def _after(request, message, here, undo=None, skipped=(), spoken="", alert="", found=None):
    """What every answer adds out of band: badges, the toast (when there is a message), words for screen readers.

    An alert that was there is over: `alert`, or what was skipped, takes its place.
    """
    context = {
        "message": message,
        "alert": left_alone(skipped) if skipped else alert,
        "spoken": spoken or message,
        "found": found_at(here, request.user)[1] if found is None else found,
        "undo": undo,
        "here": here,
    }
    return render_to_string("console/_after.html", context, request)


def _telling(response, event, **detail):
    """Lets scripts know, and closes the dialog (docs/scripts.md)."""
    response["HX-Trigger"] = json.dumps({"attendant:close-dialog": {}, event: detail})
    return response
