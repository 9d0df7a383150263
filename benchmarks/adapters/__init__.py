"""One file per engine: how it is set up from a task, and how it is run."""
