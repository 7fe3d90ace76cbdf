"""What is lost when things break: everything that is tried here is done for real."""
