"""Where the optic disc is in a photograph."""
