"""What a camera's picture itself says of its camera: pure functions on small grey pictures, looked at once a second.

statistics.py measures a picture, pose.py finds where the scene lies in it, reference.py learns the camera while it is
well, verdicts.py says what is wrong by thresholds.py, and watch.py holds what one camera's worker has to remember.
Pictures stay in the worker's memory.
"""
