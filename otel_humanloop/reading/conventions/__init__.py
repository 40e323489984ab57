"""One file for each way of writing an AI operation onto a span; nothing else stands in here."""
