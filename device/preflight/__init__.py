"""A look at everything that a session needs: before each booking by itself, and when the fleet asks for one.

`plan` says when one is due, `settling` when a camera has been looked at for long enough, `checks` what was found: all
three are pure. `looks` opens the cameras, waits, and closes them again.
"""
