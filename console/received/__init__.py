"""Events in: signed messages of portals, stored once, and taken in by a job."""
