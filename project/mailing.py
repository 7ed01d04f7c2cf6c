"""Settings about mail: by whom it is sent, and what of it goes to players; a part of project/settings.py."""

import os

import environ

env = environ.Env()
DEMO = env.bool("DEMO", False)

vars().update(env.email_url("EMAIL_URL", "consolemail:" if DEMO else "smtp://localhost:25"))  # EMAIL_BACKEND, …
EMAIL_TIMEOUT = 3 if os.environ.get("ATTENDANT_PROCESS") == "web" else 10  # workers send (console.mail)
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", "attendant@localhost")
# mail to players (moderation.mails): for whom, how often, and what it says of us
PLAYER_MAIL = env.list("PLAYER_MAIL", default=[])
PLAYER_MAIL_A_DAY = env.int("PLAYER_MAIL_A_DAY", 5)
PLAYER_MAIL_PAUSE_S = env.int("PLAYER_MAIL_PAUSE_S", 3600)
PORTAL_NAME = env.str("PORTAL_NAME", "")
APPEAL_URL = env.str("APPEAL_URL", "")
_host = next(iter(env.list("ALLOWED_HOSTS", default=[])), "")
_known = _host and not _host.startswith((".", "*"))
CONSOLE_URL = env.str("CONSOLE_URL", "http://127.0.0.1:8000" if DEMO else f"https://{_host}" if _known else "")
