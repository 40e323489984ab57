"""The published v4 contract, for tests: does this value fit that schema?"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

_CONTRACT = json.loads((Path(__file__).parent / "data" / "humanloop-v4-openapi.json").read_text())


def _type(validator: Any, types: Any, instance: Any, schema: dict[str, Any]) -> Any:
    """OpenAPI 3.0's `nullable`, which JSON Schema does not know."""
    if instance is None and schema.get("nullable"):
        return
    yield from Draft202012Validator.VALIDATORS["type"](validator, types, instance, schema)


def _any_of(validator: Any, branches: Any, instance: Any, schema: dict[str, Any]) -> Any:
    if instance is None and schema.get("nullable"):
        return
    yield from Draft202012Validator.VALIDATORS["anyOf"](validator, branches, instance, schema)


def _all_of(validator: Any, branches: Any, instance: Any, schema: dict[str, Any]) -> Any:
    if instance is None and schema.get("nullable"):
        return
    yield from Draft202012Validator.VALIDATORS["allOf"](validator, branches, instance, schema)


_Validator = extend(Draft202012Validator, {"type": _type, "anyOf": _any_of, "allOf": _all_of})


@functools.cache
def _validator(schema: str) -> Any:
    root = {"$ref": f"#/components/schemas/{schema}", "components": _CONTRACT["components"]}
    return _Validator(root)


def validate(schema: str, value: Any) -> None:
    """Raises AssertionError naming every place where `value` breaks the contract's schema of that name."""
    errors = [f"{error.json_path}: {error.message[:300]}" for error in _validator(schema).iter_errors(value)]
    assert not errors, f"not a {schema}:\n" + "\n".join(errors)


def validate_request(method: str, path: str, body: Any) -> None:
    """Does a request of the pipeline (`POST /logs` with an array, `PATCH /logs`) fit the contract?"""
    if (method, path) == ("POST", "/logs"):
        for log in body if isinstance(body, list) else [body]:
            validate("LogRequest", log)
    elif (method, path) == ("PATCH", "/logs"):
        validate("UpdateLogRequest", body)
    else:
        raise AssertionError(f"the pipeline makes no such request: {method} {path}")
