"""The catalog: what is declared, beside what is observed, each with its source and when it was seen."""
