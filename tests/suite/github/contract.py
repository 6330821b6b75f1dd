"""What GitHub itself says about an exchange: its OpenAPI description and its GraphQL schema.

usage: contract.py DESCRIPTIONS EXCHANGES, a file with one JSON object a line: method, path, body, status, answer
Prints a line for each problem, and at the end which operations were seen.
"""

import json
import pathlib
import re
import sys

import fastjsonschema
from graphql import build_schema, execute, parse, validate

FOLDER = pathlib.Path(sys.argv[1])
API = json.loads((FOLDER / "openapi.json").read_text())
# The schema's own file has a field twice.
SCHEMA = build_schema((FOLDER / "schema.graphql").read_text(), assume_valid=True, assume_valid_sdl=True)
DROPPED = {"format", "pattern", "example", "examples", "description", "title", "deprecated", "x-github", "nullable"}


def plain(schema, closed):
    """An OpenAPI 3.0 schema as JSON Schema; `closed` forbids properties that it does not name."""
    if isinstance(schema, list):
        return [plain(one, closed) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": "#/definitions/" + schema["$ref"].rsplit("/", 1)[1]}
    made = {}
    for key, value in schema.items():
        if key == "properties":
            made[key] = {name: plain(one, closed) for name, one in value.items()}
        elif key in ("enum", "required", "const"):
            made[key] = value
        elif key not in DROPPED and not key.startswith("x-"):
            made[key] = plain(value, closed)
    if closed and "properties" in made:
        made.setdefault("additionalProperties", False)
    if schema.get("nullable"):
        made = {"anyOf": [{"type": "null"}, made]}
    return made


CHECKS = {}


def definitions(schema, found):
    """Every definition that a schema needs."""
    for name in re.findall(r'"#/definitions/([^"]+)"', json.dumps(schema)):
        if name not in found:
            found[name] = plain(API["components"]["schemas"][name], False)
            definitions(found[name], found)
    return found


def check(key, schema, closed, value):
    if key not in CHECKS:
        made = plain(schema, closed)
        CHECKS[key] = fastjsonschema.compile(dict(made, definitions=definitions(made, {})))
    try:
        CHECKS[key](value)
    except fastjsonschema.JsonSchemaException as problem:
        yield f"{key}: {problem}"[:600]


def operation(method, path):
    """The path of the description that fits best: the one with the most literal parts."""
    fitting = []
    for known, operations in API["paths"].items():
        pattern = "^" + re.sub(r"\{[^/}]*\}", "[^/]+", known) + "$"
        if method.lower() in operations and re.match(pattern, path):
            fitting.append((known.count("{"), known))
    return min(fitting)[1] if fitting else None


def rest(call):
    path = operation(call["method"], call["path"])
    name = f"{call['method']} {path}"
    if path is None:
        yield f"{call['method']} {call['path']}: GitHub has no such path"
        return
    SEEN.add(name)
    described = API["paths"][path][call["method"].lower()]
    body = described.get("requestBody", {}).get("content", {}).get("application/json")
    if call["body"] is not None:
        if body is None:
            yield f"{name}: GitHub takes no body"
        else:
            yield from check(name + " request", body["schema"], True, call["body"])
    answer = described["responses"].get(str(call["status"]))
    if answer is None:
        if call["status"] not in (401, 403, 404, 422):
            yield f"{name}: GitHub never answers {call['status']}"
    elif "content" in answer and call["status"] < 300:
        schema = answer["content"]["application/json"]["schema"]
        yield from check(f"{name} {call['status']}", schema, False, call["answer"])


def concrete(value, _info, kind):
    """The type of an object in an answer, where the schema leaves a choice."""
    if kind.name == "RequestedReviewer":
        return "Team" if "slug" in value else "User"
    if kind.name == "StatusCheckRollupContext":
        return "CheckRun" if "name" in value else "StatusContext"
    if kind.name == "PullRequestTimelineItems":
        return "HeadRefForcePushedEvent" if "createdAt" in value else "ReviewRequestedEvent"
    return {"GitObject": "Commit", "Actor": "User"}[kind.name]


def graphql(call):
    document = parse(call["body"]["query"])
    name = document.definitions[0].name.value
    SEEN.add(f"graphql {name}")
    for problem in validate(SCHEMA, document):
        yield f"graphql {name}: {problem.message}"
    answer = call["answer"]
    if not isinstance(answer, dict) or answer.get("errors"):
        return
    # The answer is given once more by another engine, from the answer: what it refuses, GitHub could not have said.
    given = execute(
        SCHEMA,
        document,
        root_value=answer["data"],
        variable_values=call["body"]["variables"],
        field_resolver=lambda value, info, **_: value.get(info.path.key),
        type_resolver=concrete,
    )
    for problem in given.errors or []:
        yield f"graphql {name}: {problem.message} at {problem.path}"


SEEN = set()
for line in pathlib.Path(sys.argv[2]).read_text().splitlines():
    call = json.loads(line)
    for problem in graphql(call) if call["path"] == "/graphql" else rest(call):
        print("problem:", problem)
for name in sorted(SEEN):
    print("seen:", name)
