"""The peer under the meter."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.peers.settings"
os.environ["ATTENDANT_PROCESS"] = "peer"  # without the console's limit on statements: a slow search may end

from django.core.wsgi import get_wsgi_application

from bench.meter import Meter

application = Meter(get_wsgi_application())
