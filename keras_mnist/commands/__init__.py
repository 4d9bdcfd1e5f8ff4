"""The commands, one file each: what `keras-mnist NAME` and scripts/NAME.py do.

Each file has `add_arguments(parser)`, and `run(chosen)`, which calls one function of the package and prints.
"""
