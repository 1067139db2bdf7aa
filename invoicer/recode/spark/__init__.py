"""Re-coding beyond one machine: the same judging as a Spark job."""
