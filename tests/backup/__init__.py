"""Backups of real towns, restored and compared."""
