"""A store's all, into a file and out of one: ours (`writing`, `restoring`), and the one the vendor left (`vendor`)."""
