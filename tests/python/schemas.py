"""Checks reports against a schema, which has to be enough by itself.

usage: schemas.py SCHEMA REPORT…

A report is a JSON file or, as `.jsonl`, one in each line.
"""

import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator
from referencing import Registry


def main(schema, *reports):
    schema = json.loads(Path(schema).read_text())
    Draft202012Validator.check_schema(schema)
    # A registry of nothing: whatever leads out of the schema is an error.
    validator = Draft202012Validator(schema, registry=Registry())
    count = 0
    for report in reports:
        text = Path(report).read_text()
        for one in text.splitlines() if report.endswith(".jsonl") else [text]:
            validator.validate(json.loads(one))
            count += 1
    assert count, "there is no report"
    assert not validator.is_valid({"unknown": 1}), "it lets everything through"
    print(f"{count} valid")


main(*sys.argv[1:])
