"""The registry and the reviews under races and kill -9: its histories, its checks, its broken subjects."""
