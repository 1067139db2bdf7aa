"""What is learned: reading a name, retrieval, fuzzy match, ranking, calibration, training."""
