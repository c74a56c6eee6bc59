"""A pytest plugin for applications that send usage: the emulator with the project's meters.

`plugin` has the fixtures; pytest loads it by its entry point, and nothing else until a test asks
for one of them.
"""
