"""Settings about signing in: who may, with what, for how long; a part of project/settings.py."""

from datetime import timedelta

import environ

env = environ.Env()
DEMO = env.bool("DEMO", False)

AUTH_USER_MODEL = "console.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "console.accounts.StaffBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "console.passwords.GuessableValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/manage/"
ACCOUNT_ADAPTER = "console.accounts.StaffAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_FORMS = {
    "login": "console.accountforms.SignInForm",
    "reauthenticate": "console.accountforms.ConfirmForm",
    "change_password": "console.accountforms.ChangePasswordForm",
    "reset_password": "console.accountforms.ForgottenForm",
    "reset_password_from_key": "console.accountforms.NewPasswordForm",
}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # whoever types an address may mail nobody by that
# per address, and per login from one address or known device, or per person who gave the password and guesses at codes
# what else it counts by address, console.limits counts by one statement
PASSWORD_RESET_TIMEOUT = 2 * 60 * 60
ACCOUNT_RATE_LIMITS = {"login_failed": "20/m/ip,10/15m/key", "reset_password": "5/m/key"}
ACCOUNT_RATE_LIMITS |= {"login": None, "signup": None, "reset_password_from_key": None}
MFA_ADAPTER = "console.secondfactor.SecondFactorAdapter"
MFA_FORMS = {
    "login_webauthn": "console.secondfactor.LoginForm",
    "authenticate_webauthn": "console.secondfactor.CodeForm",
    "reauthenticate_webauthn": "console.secondfactor.ConfirmForm",
    "add_webauthn": "console.secondfactor.AddForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # operators enter addresses; nobody signs up
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEMO
MFA_RECOVERY_CODES_SHOW_ONCE = True
SECOND_FACTOR_REQUIRED = not DEMO or env.bool("SECOND_FACTOR_REQUIRED", False)
SUDO_S = 10 * 60  # dangerous things take a password or passkey that is not older
# guesses: five at a login from one address close that pair for a quarter of an hour, and no guess makes it longer
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "login"
AXES_USERNAME_CALLABLE = "console.lockout.key_of"
AXES_CLIENT_IP_CALLABLE = "console.clientip.subscriber"
AXES_WHITELIST_CALLABLE = "console.lockout.is_exempt"
AXES_LOCKOUT_CALLABLE = "console.lockout.answer"
AXES_SENSITIVE_PARAMETERS = ["login", "username", "ip_address", "next"]
AXES_DISABLE_ACCESS_LOG = True  # console.SignIn is the log
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
LOGIN_FAILURES_AN_HOUR = 50  # from all addresses together; then only browsers that a person has used before
SESSION_ENGINE = "console.sessions"  # a cached session came back to life after sign-out
SESSION_COOKIE_AGE = 8 * 60 * 60  # since signing in, whatever happens
SESSION_IDLE_S = 30 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEMO
COOKIE_PREFIX = "" if DEMO else "__Host-"  # browsers take such a cookie from this very host only, and by https
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
DEVICE_COOKIE_NAME = f"{COOKIE_PREFIX}device"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
CSRF_COOKIE_HTTPONLY = True
