"""Words of this app for templates; a builtin, so no template loads it."""

from django import template

from moderation import ban_drawing, drawing
from moderation.text import lay_open, lay_open_name, lay_open_plain

register = template.Library()
register.filter(lay_open)
register.filter(lay_open_name)
register.filter(lay_open_plain)
register.filter("chips", drawing.chips)
register.filter("author", drawing.author)
register.filter("ban_chip", ban_drawing.chip)
register.filter("since", ban_drawing.since)


@register.simple_tag(takes_context=True)
def author_actions(context, player):
    """The author's verbs beside those of their comment."""
    page = drawing.CardPage(context["request"], context["here"], on_author=context["on_author"])
    return drawing.author_actions(player, page)
