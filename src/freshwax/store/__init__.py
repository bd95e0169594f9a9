"""What freshwax remembers."""
