"""What this app says to those above it, which it does not know."""

from django.dispatch import Signal

games_down = Signal()  # a ban takes the games of `players` down; `act` records what is changed
