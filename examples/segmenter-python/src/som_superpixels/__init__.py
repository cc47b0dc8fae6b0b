"""A segmenter for som in Python.

`segmenter` is the algorithm, `service` its gRPC face, `server` the program.
"""
