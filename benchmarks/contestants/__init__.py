"""What runs inside a peer's environment: one module for each sort of work, one contestant for each way to do it."""
