"""Containment proved: whoever is promised at least what another role sees is shown it, for every row that can be stored."""
