"""Many runs together: their records, and the report on them."""
