"""The API's resources: one module each, with its endpoints and objects."""
