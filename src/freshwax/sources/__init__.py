"""Where releases come from: the network, bounded and paced."""
