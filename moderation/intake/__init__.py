"""What the portal sends: comments, players and reports, in batches. The command, the API and events come through here.

`comments.take`, `players.take` and `reports.take` get rows as they were sent, in order, and answer each for itself. A
batch is one transaction and a fixed number of statements, however many rows it has; the same row of the portal more
than once in a batch is taken once after the other. Rows of all tables are locked in one order (players, games,
comments, each by key), as verbs do, so that two batches wait for each other and never in a circle.
"""
