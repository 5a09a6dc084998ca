"""A recorded cluster (docs/bundle.md) answering the questions of ``bot.source``, as a cluster would have."""
