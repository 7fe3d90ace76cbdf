"""`carrel-kiosk doctor`: what IT asks a kiosk by ssh, one line for each thing, with what to do.

It looks and changes nothing: no camera is opened, no pin is touched, and a running agent goes on undisturbed. What it
takes to open cameras and pins is the self-test's (`device/selftest`).
"""
