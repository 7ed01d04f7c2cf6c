"""What people read of the API is what programs are told."""

from django.conf import settings

from project import apihandbook


def test_the_handbook_and_the_readme_say_what_the_schema_says():
    """If not: manage.py write_api."""
    assert (settings.BASE_DIR / "docs/api.md").read_text(encoding="utf-8") == apihandbook.handbook()
    readme = (settings.BASE_DIR / "README.md").read_text(encoding="utf-8")
    assert apihandbook.table() in readme
    assert "docs/api.md" in readme


def test_every_operation_has_a_summary_a_description_and_its_scope():
    for path, method, operation in apihandbook.operations(apihandbook.described()):
        assert operation["summary"], (path, method)
        assert operation["description"], (path, method)
        assert "scope `" in operation["description"] or path.endswith("/events/")
