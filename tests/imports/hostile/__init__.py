"""Files made to do harm, by code. One table of cases per format: a name, how it is made, what is said of it."""
