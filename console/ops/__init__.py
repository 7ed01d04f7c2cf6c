"""What goes on inside, and how it is mended: jobs, workers, queues, services."""
