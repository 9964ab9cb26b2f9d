"""SQL over what is retained: products are tables, DuckDB asks, and nothing but an answer comes out.

`names` says which product a table means, `sandbox` what may be asked, `table` reads a product as far as a
query needs it, `engine` puts them together, `answer` is what comes of it (docs/adr/0036).
"""
