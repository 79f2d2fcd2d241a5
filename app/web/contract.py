"""What our OpenAPI document promises of itself, as a list of what is missing from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from app.web.openapi import operations
from app.web.problems import MEDIA_TYPE

_EVERY = ("413", "422", "500", "503")


def violations(document: Mapping[str, Any]) -> list[str]:
    """One sentence for each operation and rule: unique id, summary, examples, its problems."""
    found = [] if document["openapi"].startswith("3.1.") else ["the document is not OpenAPI 3.1"]
    ids = Counter(operation["operationId"] for _, operation in operations(document))
    found += [f"operationId {name} is used {n} times" for name, n in ids.items() if n > 1]
    for place, operation in operations(document):
        found += [f"{place}: {what}" for what in _missing(document, place, operation)]
    return found


def _missing(
    document: Mapping[str, Any], place: str, operation: Mapping[str, Any]
) -> Iterator[str]:
    if not operation.get("summary"):
        yield "no summary"
    for parameter in operation.get("parameters", ()):
        if not parameter.get("description"):
            yield f"parameter {parameter['name']} has no description"
    if "requestBody" in operation and not _shown(document, operation["requestBody"]):
        yield "no example of its body"
    yield from _missing_answers(document, place, operation)


def _missing_answers(
    document: Mapping[str, Any], place: str, operation: Mapping[str, Any]
) -> Iterator[str]:
    responses = operation["responses"]
    guarded = " /api" in place and operation.get("security") != []
    needed = (*_EVERY, *(("401", "403") if guarded else ()))
    needed = (*needed, *(("404",) if "{" in place else ()))
    yield from (f"problem {status} is not declared" for status in needed if status not in responses)
    for status, declared in responses.items():
        response = resolve(document, declared)
        if status.startswith("2"):
            if response.get("content") and not _shown(document, response):
                yield f"no example of its {status}"
        elif not status.startswith("3") and set(response.get("content", {})) != {MEDIA_TYPE}:
            yield f"its {status} is not {MEDIA_TYPE}"


def _shown(document: Mapping[str, Any], holder: Mapping[str, Any]) -> bool:
    """Whether each content has an example, beside its schema or within it."""
    return all(
        {"example", "examples"} & (set(content) | set(resolve(document, content.get("schema", {}))))
        for content in holder["content"].values()
    )


def resolve(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node that a local `$ref` points to, or the node itself."""
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node
