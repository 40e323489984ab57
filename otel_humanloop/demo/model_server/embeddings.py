"""`/v1/embeddings`: vectors of length one, always the same for the same input."""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from typing import Any

import msgspec

from otel_humanloop.demo.model_server.exchange import Request, pieces

_DIMENSIONS = 1536
"""As many as text-embedding-3-small gives."""


def whole(request: Request) -> dict[str, Any]:
    """A `CreateEmbeddingResponse`: floats, or little-endian float32 in base64 where the client asks so."""
    inputs = _inputs(request.body["input"])
    dimensions = request.body.get("dimensions") or _DIMENSIONS
    packed = request.body.get("encoding_format") == "base64"
    vectors = [_vector(each, dimensions) for each in inputs]
    tokens = sum(len(pieces(each) if isinstance(each, str) else each) for each in inputs)
    return {
        "object": "list",
        "model": request.model,
        "data": [
            {"object": "embedding", "index": index, "embedding": _base64(vector) if packed else vector}
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _inputs(given: Any) -> list[str | list[int]]:
    """Each thing to embed: OpenAI takes a text, texts, the tokens of a text, or those of several."""
    if isinstance(given, str) or (given and isinstance(given[0], int)):
        return [given]
    return list(given)


def _vector(text: str | list[int], dimensions: int) -> list[float]:
    seed = hashlib.shake_256(msgspec.json.encode(text)).digest(4 * dimensions)
    numbers = struct.unpack(f"<{dimensions}i", seed)
    length = math.sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers]


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
