"""Write meter files and project files, and extend a file without changing a line of it."""
