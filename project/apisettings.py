"""Settings of the libraries behind the API; project/settings.py takes them over."""

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "console.api.schema.Described",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Attendant",
    "DESCRIPTION": "What a portal sends to its moderation console, and asks of it.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_NO_READ_ONLY_REQUIRED": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SERVE_INCLUDE_SCHEMA": False,
}
