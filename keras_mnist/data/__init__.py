"""Digits: where they come from, how they are distorted, and how they become batches."""
