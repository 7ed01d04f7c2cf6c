"""Words of this app for templates; a builtin, so no template loads it."""

from django import template
from django.template.defaultfilters import filesizeformat

from games import drawing

register = template.Library()
register.filter(drawing.status_chip)
register.filter(drawing.picture_url)


@register.filter
def grown(number):
    """How much larger or smaller, in words: "12.0 KB larger"."""
    return f"{filesizeformat(abs(number))} {'larger' if number > 0 else 'smaller'}" if number else "the same size"


@register.filter
def took(run):
    """How long something with a start and an end took: "0.4 s"."""
    return f"{(run.ended_at - run.started_at).total_seconds():.1f} s"
