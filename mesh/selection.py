"""Which contracts and products are meant."""
