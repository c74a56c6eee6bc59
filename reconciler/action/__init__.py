"""The steps of the GitHub Action: what was approved, the run, and where its report is posted."""
