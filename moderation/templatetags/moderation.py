"""Words of this app for templates; a builtin, so no template loads it."""

from django import template

from moderation import bandrawing, drawing

register = template.Library()
register.filter("chips", drawing.chips)
register.filter("author", drawing.author)
register.filter("ban_chip", bandrawing.chip)
register.filter("since", bandrawing.since)


@register.simple_tag(takes_context=True)
def author_actions(context, player):
    """The author's verbs beside those of their comment."""
    page = drawing.CardPage(context["request"], context["here"], on_author=context["on_author"])
    return drawing.author_actions(player, page)
