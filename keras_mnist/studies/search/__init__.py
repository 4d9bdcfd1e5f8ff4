"""The search for small networks: candidates in a notation of one line, trained and compared on held-out images."""
