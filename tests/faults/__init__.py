"""What breaks while something is going on: nothing acknowledged is lost, nothing is torn, drift stays zero."""
