"""Words of this app for templates; a builtin, so no template loads it."""

from django import template

from moderation.text import lay_open, lay_open_name

register = template.Library()
register.filter(lay_open)
register.filter(lay_open_name)
