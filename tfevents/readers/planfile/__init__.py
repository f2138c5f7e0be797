"""Parses saved plan files: the zip archive and its protobuf messages."""
