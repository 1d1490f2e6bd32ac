"""What the operator sees of running processes: the log and the metrics.

Must never hold a value of a request or of the store: what may be told is listed, everything else is left out.
"""
