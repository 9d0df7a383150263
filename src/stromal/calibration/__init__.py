"""Learning the population from published trials, and testing it on trials that it has not seen."""
