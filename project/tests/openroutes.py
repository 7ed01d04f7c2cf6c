"""Addresses that take no role, for test_routes: what is open to everybody, and what whoever is signed in does alone."""

# what anybody may ask for: sign-in and its kin; /healthz and /readyz are answered before routing
PUBLIC = {"root", "favicon", "join", "mail_stop"}
PUBLIC_ACCOUNTS = {
    *("mfa_authenticate", "mfa_login_webauthn"),
    *(f"account_{name}" for name in ("login", "signup", "logout", "inactive")),
    *(f"account_reset_password{name}" for name in ("", "_done", "_from_key", "_from_key_done")),
}
# what whoever is signed in does to their own account, role or not
OWN_ACCOUNT = {
    *(f"account_{name}" for name in ("change_password", "reauthenticate", "sessions")),
    *(f"mfa_{name}" for name in ("index", "reauthenticate", "reauthenticate_webauthn")),
    *(f"mfa_{name}" for name in ("activate_totp", "deactivate_totp", "list_webauthn", "add_webauthn")),
    *(f"mfa_{name}_recovery_codes" for name in ("view", "generate", "download")),
}
OWN_KEYS = {"mfa_edit_webauthn", "mfa_remove_webauthn"}  # somebody else's are 404 (console/tests/test_second_factor.py)
OWN_ACCOUNT |= OWN_KEYS
