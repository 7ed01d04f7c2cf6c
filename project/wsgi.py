"""The web process: gunicorn loads `application`. A page's statement may take 5 seconds at the most."""

import os

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
os.environ["ATTENDANT_PROCESS"] = "web"


class Utf8Request(WSGIRequest):
    """Browsers send UTF-8. A body that claims another charset is not read: some names break Django's own parser
    before any of our error pages could answer.
    """

    def __init__(self, environ):
        claimed = environ.get("CONTENT_TYPE", "").lower().replace('"', "")
        if "charset=" in claimed and not claimed.partition("charset=")[2].startswith(("utf-8", "utf8")):
            environ["CONTENT_TYPE"] = "application/octet-stream"
        super().__init__(environ)


WSGIHandler.request_class = Utf8Request
application = get_wsgi_application()
