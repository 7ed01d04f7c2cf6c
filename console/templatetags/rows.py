"""The tag by which the page about one row draws its verbs as lists do; a builtin, so no template loads it."""

from django import template

from console import rows

register = template.Library()


@register.simple_tag(takes_context=True)
def buttons(context, row, offered, place=""):
    """The verbs that are legal for the row, out of those the person may use."""
    return rows.buttons(row, offered, rows.Page(context["request"], context["here"]), place)
