"""How fast this package is, beside baselines that others would write."""
