"""Reads what users copy against the published schemas of its kind: the action, workflows, GitLab's CI files.

usage: schemas.py TOOLS          TOOLS is what scripts/fetch-tools.sh made; its packages hold the schemas

Files of GitLab may be two documents, a header with `spec` and the rest; each has to follow the schema.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / "bin" / "python"))
import fastjsonschema  # noqa: E402
from ruamel.yaml import YAML  # noqa: E402

SCHEMAS = pathlib.Path(sys.argv[1]) / "bin/python/check_jsonschema/builtin_schemas/vendor"
KINDS = [
    ("github-actions", ["action.yml"]),
    ("github-workflows", [".github/workflows/*.yml", "examples/github/*.yml"]),
    ("gitlab-ci", [".gitlab-ci-template.yml", "templates/*.yml", "examples/gitlab/.gitlab-ci.yml"]),
]


def reader():
    yaml = YAML(typ="safe", pure=True)
    # In GitLab's files a tag points to other parts of the file: anything may come of it.
    yaml.constructor.add_constructor("!reference", lambda loader, node: loader.construct_sequence(node))
    return yaml


def main():
    problems = []
    for kind, patterns in KINDS:
        schema = json.loads((SCHEMAS / f"{kind}.json").read_text())
        validate = fastjsonschema.compile(schema, use_default=False)
        names = [path for pattern in patterns for path in pathlib.Path().glob(pattern)]
        if not names:
            problems.append(f"no file is left for {kind}: name the new places in {sys.argv[0]}")
        for name in sorted(names):
            for document in reader().load_all(name.read_text()):
                try:
                    validate(document)
                except fastjsonschema.JsonSchemaException as error:
                    problems.append(f"{name}: {error.message[:500]}")
    sys.exit("\n".join(problems) or 0)


main()
