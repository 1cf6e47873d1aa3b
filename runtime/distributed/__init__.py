"""Training in several processes: joining them, what they exchange, and starting them."""
