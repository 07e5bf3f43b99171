"""Model files: their bytes become a ``domain.graph.Graph``.

``reader.read_model`` reads one, ``notes.notes`` tells what its owner should know about it.
Importing either is cheap: the generated schema is imported when the first model is read.
"""
