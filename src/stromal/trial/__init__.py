"""Simulated trials: conduct, end points, analyses, operating characteristics."""
