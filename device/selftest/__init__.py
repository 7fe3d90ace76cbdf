"""`carrel-kiosk selftest`: what is to be known of a kiosk before it goes to a school, part by part, in real figures.

Nothing of it is kept: pictures stay in memory, and a folder that is made to look at the disk is taken away again.
"""
