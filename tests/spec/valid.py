# valid.py SCHEMA FILE: whether a JSON document is what a schema of the specification wants; the
# exit status says it, and standard error why not.
import json
import pathlib
import sys

import jsonschema

path = pathlib.Path(sys.argv[1]).resolve()
schema = json.loads(path.read_text())
resolver = jsonschema.RefResolver(path.as_uri(), schema)
with open(sys.argv[2], encoding="utf-8") as file:
    document = json.load(file)
errors = list(jsonschema.Draft4Validator(schema, resolver=resolver).iter_errors(document))
for error in errors:
    print("/".join(map(str, error.absolute_path)), error.message[:200], file=sys.stderr)
sys.exit(1 if errors else 0)
