PLANTED = ()
CAUGHT: dict = {}
