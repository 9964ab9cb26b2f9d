"""`mesh demo`: the whole mesh on a year of real flights, told as a story that checks itself."""
