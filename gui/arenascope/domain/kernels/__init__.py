"""Which scratch tensors each kernel adds: one table for each family, seen on real runtimes.

``domain.temporaries`` asks them. The shapes are the kernels' own (tflite-memory.md §2.7); the tests
compare every variant with every runtime of the pool.
"""
