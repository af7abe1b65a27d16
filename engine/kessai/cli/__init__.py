"""The command line: thin commands over the engine, one file a group.

Nothing heavy is imported before a command needs it: `kessai --help` must be quick.
"""
