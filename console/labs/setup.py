"""What the console knows of Labs once it is ready: its section and cards."""

from console import respond, sections
from console.labs import drawing


def ready():
    for card in (drawing.FLAG_CARD, drawing.SWITCH_CARD, drawing.CHOICE_CARD):
        respond.register(card)
    section = sections.Section("labs", "Labs", "console:labs", "console.enter_console", "flask-conical", position=95)
    sections.register(section)
