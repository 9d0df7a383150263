"""Ground floor: errors, keyed random streams, content hashes, executors, run folders, provenance."""
