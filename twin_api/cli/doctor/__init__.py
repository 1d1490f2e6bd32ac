"""`twin doctor`: whether machine, database, policies and data fit together; every finding with why it matters and its remedy."""
