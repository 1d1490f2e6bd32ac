"""`twin doctor`: every check is shown something real that is wrong, and then something sound."""
