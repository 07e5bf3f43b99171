"""A capture as a file for others: one reporter a file, ``render(capture, *, redact=True) -> str``."""
