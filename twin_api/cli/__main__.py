"""`python -m twin_api.cli` is `twin`."""

from twin_api.cli import main

main()
