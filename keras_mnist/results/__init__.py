"""What a trained network gives: scores, pictures, exports."""
