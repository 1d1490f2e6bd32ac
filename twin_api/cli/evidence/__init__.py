"""`twin evidence`: what an auditor takes along: what is published and who holds what, by the policies and by the database."""
