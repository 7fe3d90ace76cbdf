"""What the synthetic scenes are made of."""
