"""What is new: pure decisions over values."""
