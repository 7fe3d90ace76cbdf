"""The fleet service: takes in what kiosks say, keeps it, and shows it."""
