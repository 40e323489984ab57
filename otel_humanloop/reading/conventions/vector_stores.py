"""Vector stores, as OpenLLMetry's instrumentations of Chroma, Qdrant, Pinecone, Milvus and their like write them.

https://github.com/traceloop/openllmetry/tree/main/packages/opentelemetry-semantic-conventions-ai

A search is a retrieval; all else that is done with a store (adding, deleting) is plumbing, as with any database. What
was found stands in events of the span, one for each document. The words that were searched for are not written: only
how many, and within which bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_humanloop.operation import Kind
from otel_humanloop.reading import pythontext
from otel_humanloop.reading.convention import Convention, Fields, Found, Rank, Reader
from otel_humanloop.reading.readers import attribute, first, gathered, identifier, integer, mapped, present, text
from otel_humanloop.reading.values import as_structure
from otel_humanloop.spans import Event, Span, Value

_QUERIED, _SEARCHED = "db.query.result", "db.search.result"
_LIMITS = (
    "db.vector.query.top_k",
    "db.chroma.query.n_results",
    "db.pinecone.query.top_k",
    "db.milvus.search.limit",
    "db.milvus.query.limit",
)
_FILTERS = ("db.chroma.query.where", "db.pinecone.query.filter", "db.milvus.search.filter", "db.milvus.query.filter")
_COLLECTIONS = ("db.milvus.search.collection_name", "db.milvus.query.collection_name", "db.pinecone.query.namespace")
_QDRANT = "qdrant.search.collection_name"
_BATCH = "qdrant.search_batch.collection_name"
_QUESTION = "db.marqo.search.query"
_NAMES = {"document": "content", "entity": "content"}
_VECTOR = "vector"


def _value(written: Value) -> Any:
    """Objects and arrays, as JSON or as Python's `repr` has them; any other value as it is."""
    value = as_structure(written)
    parsed = pythontext.parse(value) if isinstance(value, str) and value.startswith(("{", "[")) else None
    return value if parsed is None else parsed


def _document(event: Event) -> dict[str, Any]:
    """What an event tells of one document, without the vector it is kept under."""
    start = f"{event.name}."
    said = {key.removeprefix(start): value for key, value in event.attributes.items() if key.startswith(start)}
    return {_NAMES.get(name, name): _value(value) for name, value in said.items() if name != _VECTOR}


def _found(span: Span) -> Found[tuple[Mapping[str, Any], ...]] | None:
    told = [event for event in span.events if event.name in (_QUERIED, _SEARCHED)]
    return Found(tuple(map(_document, told)), f"events {told[0].name}") if told else None


def _contents(documents: tuple[Mapping[str, Any], ...]) -> list[Any] | None:
    """The words that were found, without what is known of them."""
    return [document["content"] for document in documents if document.get("content") is not None] or None


_documents = Reader(_found, events=(_QUERIED, _SEARCHED))

CONVENTION = Convention(
    name="vector_stores",
    rank=Rank.FRAMEWORK,
    keys=("db.", _QDRANT, _BATCH),
    presumed_kind=first(
        mapped(_documents, lambda _: Kind.RETRIEVAL),
        present(Kind.RETRIEVAL, *_LIMITS, _QDRANT, _BATCH, _QUESTION),
    ),
    fields=Fields(
        inputs=gathered(
            {
                "query": text(_QUESTION),
                "limit": integer(*_LIMITS),
                "filter": attribute(_value, *_FILTERS),
                "collection": identifier(*_COLLECTIONS, _QDRANT, _BATCH),
            }
        ),
        output=mapped(_documents, _contents),
        documents=_documents,
    ),
)
