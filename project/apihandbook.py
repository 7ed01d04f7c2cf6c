"""The API for people: docs/api.md and the table in the README, made of the schema and of nothing else."""

import json

from console.api.schema import described

HEAD = """# The portal's API

Made of the schema by `manage.py write_api`; `/api/v1/schema/` has the same for programs (OpenAPI 3.1).

A request carries a token (`Authorization: Bearer att_…`), which an operator makes on the page Portal → Tokens, or
`manage.py make_token NAME --scope …`. Errors are `application/problem+json` (RFC 9457): `detail` is a sentence. With
409, 429 and 503 comes `Retry-After`: send the same again then.
"""
BEGIN, END = "<!-- api: made by manage.py write_api -->", "<!-- /api -->"


def handbook():
    """The text of docs/api.md."""
    schema = described()
    parts = [HEAD]
    for path, method, operation in operations(schema):
        parts += [f"## {method} {path}\n", operation["description"], *_parameters(operation), *_body(operation)]
        parts += [*_answers(operation), ""]
    parts.append("## Shapes\n")
    for name, shape in sorted(schema["components"]["schemas"].items()):
        parts += [*_shape(name, shape)]
    return "\n".join(parts).strip() + "\n"


def table():
    """The table of the README."""
    lines = ["| request | does |", "|---|---|"]
    lines += [f"| `{method} {path}` | {said['summary']} |" for path, method, said in operations(described())]
    return "\n".join([BEGIN, *lines, END])


def operations(schema):
    """`(path, method, operation)` of all there are."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _parameters(operation):
    if not operation.get("parameters"):
        return []
    rows = [f"| `{each['name']}` | {each['in']} | {each.get('description', '')} |" for each in operation["parameters"]]
    return ["", "| parameter | in | |", "|---|---|---|", *rows]


def _body(operation):
    kinds = operation.get("requestBody", {}).get("content", {})
    said = ["", f"Body: {' or '.join(f'`{kind}`' for kind in kinds)}."] if kinds else []
    for kind in kinds.values():
        for example in kind.get("examples", {}).values():
            said += ["", f"{example.get('summary', 'For example')}:", "", *_code(example["value"])]
    return said


def _answers(operation):
    said = []
    for status, answer in operation["responses"].items():
        for kind in answer.get("content", {}).values():
            for example in kind.get("examples", {}).values():
                said += ["", f"{example.get('summary', 'Answer')}, {status}:", "", *_code(example["value"])]
    others = ", ".join(f"{status}" for status in operation["responses"] if int(status) >= 400)
    return [*said, "", f"Errors: {others}."]


def _shape(name, shape):
    rows = [
        f"| `{field}`{'' if field in shape.get('required', ()) else ' (optional)'} | {_kind(about)} | "
        f"{about.get('description', '')} |"
        for field, about in shape.get("properties", {}).items()
    ]
    head = [f"### {name}\n", shape.get("description", "")]
    if not rows:
        return [*head, "", _kind(shape), ""]
    return [*head, "", "| field | kind | |", "|---|---|---|", *rows, ""]


def _kind(about):
    """What a value is, in a few words."""
    if "$ref" in about:
        return about["$ref"].rpartition("/")[2]
    if "enum" in about:
        return ", ".join(f"`{value}`" for value in about["enum"])
    several = about.get("oneOf") or about.get("anyOf") or about.get("allOf")
    if several:
        return " or ".join(_kind(each) for each in several)
    if about.get("type") == "array":
        return f"list of {_kind(about['items'])}"
    kind = about.get("type", "")
    return about.get("format") or (" or ".join(kind) if isinstance(kind, list) else kind)


def _code(value):
    return ["```json", json.dumps(value, indent=2, ensure_ascii=False), "```"]
