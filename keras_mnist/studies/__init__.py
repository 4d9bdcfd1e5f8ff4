"""Many runs together: their records, and the documents that quote them."""
