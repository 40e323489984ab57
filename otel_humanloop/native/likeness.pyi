from otel_humanloop.logs.likeness import Example
from otel_humanloop.spans import Attributes

def is_like(attributes: Attributes, example: Example) -> bool: ...
