"""How spans come in over the network: one file for each scheme a user types in `--receive`."""
