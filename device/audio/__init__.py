"""Microphone and loudspeaker: found by USB id, judged by how loud it is around them, and played to rarely.

Nothing that is heard is kept or sent: of a second of sound two figures remain. A process of its own touches ALSA
(`worker.py`), because a sound driver can hang, and it opens a device for the moment it is needed only.
"""
