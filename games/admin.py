from django.contrib import admin

from games.models import Game

admin.site.register(Game)
