"""Which release this is: the one place where it stands, and what the build takes it from."""

VERSION = "0.1.0"
