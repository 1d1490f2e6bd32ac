"""Drafts of layer files."""
