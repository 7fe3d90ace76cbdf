"""The district's broker: its rules as a mosquitto configuration, and who is thrown out of it."""
