"""One file a change of schema, in the order their `down_revision` gives."""
