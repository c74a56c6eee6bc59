"""What the emulator keeps: its objects, on disk or in memory, and seeds."""
