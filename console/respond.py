"""What a gesture answers: to htmx a card (or none), badges, toast and spoken words in one response; to a plain
form a message that survives the redirect. One place, so that every verb and its undo answer alike.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.template.loader import render_to_string

from console import verbs
from console.templatetags.console import dom_id

_registered = {}


@dataclass(frozen=True)
class Card:
    """How rows of a model are shown.

    `template` and the shorter `summary` get `row`; `queryset()` loads rows with all they need. `list_url()` is the
    list they live on; `belongs(row, url)` says whether the list at that address still shows the row, `found(url)`
    how much it holds now. `page` is the partial of the object's own page, `page_context(row)` what it needs.
    """

    model: str
    template: str
    summary: str
    queryset: Callable
    list_url: Callable[[], str]
    belongs: Callable
    found: Callable[[str], str]
    page: str
    page_context: Callable


def register(card):
    _registered[card.model] = card


def card_for(label):
    """The card for a model label as in the ledger ("moderation.comment"), or None."""
    return next((card for model, card in _registered.items() if model.lower() == label), None)


def done(request, gesture, card, rows, message, here):
    """200 after a verb. A row that no longer belongs to the list at `here` leaves it; the toast holds Undo."""
    on_list = _is_list(card, here)
    stays = [row for row in rows if not on_list or card.belongs(row, here)]
    entry = gesture and gesture.entries.order_by("id").first()
    undo = {"entry": entry, "card": dom_id(rows[0])} if entry else None
    response = HttpResponse(_cards(request, card, stays, here) + _after(request, card, message, here, undo))
    response["HX-Retarget"], response["HX-Reswap"] = _target(rows[0], on_list), "outerHTML" if stays else "delete"
    response["HX-Trigger"] = "attendant:close-dialog"
    return response


def undone(request, card, rows, message, here):
    """200 after an undo: the cards that are back, in place when still shown, on top of the list when they belong."""
    on_list, shown = _is_list(card, here), bool(request.POST.get("shown"))
    if on_list:
        rows = [row for row in rows if card.belongs(row, here) or shown]
    elif here.partition("?")[0] not in [row.get_absolute_url() for row in rows]:
        rows = []  # looking at something else by now
    response = HttpResponse(_cards(request, card, rows, here) + _after(request, card, message, here))
    if rows:
        back_in_place = shown or not on_list
        response["HX-Retarget"] = _target(rows[0], on_list) if back_in_place else "#cards"
        response["HX-Reswap"] = "outerHTML" if back_in_place else "afterbegin"
    return response


def conflict(request, card, row, message, here):
    """409: the fresh card in place of the stale one, with who was quicker."""
    html = _cards(request, card, [row], here, conflict=message)
    response = HttpResponse(html + _after(request, card, "", here, spoken=message), status=409)
    response["HX-Retarget"], response["HX-Reswap"] = _target(row, _is_list(card, here)), "outerHTML"
    response["HX-Trigger"] = "attendant:close-dialog"
    return response


def remember(request, message, gesture):
    """For plain forms: the message, and the entry whose Undo it offers (gesture None: none), on the next page."""
    entry = gesture and gesture.entries.order_by("id").values_list("pk", flat=True).first()
    messages.success(request, message, extra_tags=f"undo-{entry}" if entry else "")


def _is_list(card, here):
    return here.partition("?")[0] == card.list_url()


def _target(row, on_list):
    return f"#{dom_id(row)}" if on_list else "#item"


def _cards(request, card, rows, here, conflict=""):
    on_list = _is_list(card, here)
    offered = verbs.offered(card.model, request.user)
    html = ""
    for row in rows:
        context = {"row": row, "offered": offered, "here": here, "conflict": conflict}
        context |= {} if on_list else card.page_context(row)
        html += render_to_string(card.template if on_list else card.page, context, request)
    return html


def _after(request, card, message, here, undo=None, spoken=""):
    """What every answer adds out of band: badges, the toast (when there is a message), words for screen readers."""
    context = {
        "message": message,
        "spoken": spoken or message,
        "found": card.found(here) if _is_list(card, here) else "",
        "undo": undo,
        "here": here,
    }
    return render_to_string("console/_after.html", context, request)
