"""Words of this app for templates; a builtin, so no template loads it."""

from django import template

from moderation.text import lay_open

register = template.Library()
register.filter(lay_open)
