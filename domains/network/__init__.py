"""The network domain: where is flown to, and by whom."""
