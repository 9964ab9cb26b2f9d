"""Record rules: what is asked of single events, as values and in every engine's words."""
