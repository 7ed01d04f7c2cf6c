"""The console as deployed, under the meter."""

from bench.meter import Meter
from project.wsgi import application as console

application = Meter(console)
