"""The framework of the portal's API: who asks, what they may, how rows come in and how errors are told."""
