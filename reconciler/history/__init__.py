"""The journal of runs, the git commits and CI jobs behind them, and time lines of meters."""
