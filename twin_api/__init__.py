"""Twin API: one store, three twins, and policy files that decide what each role sees."""

VERSION = "0.1.0"
