"""Bibliographic records: read from any common format without loss, and written again."""
