"""The data set, the peers and the budgets: what the console's speed is measured against."""
