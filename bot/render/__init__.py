"""Reports as people and programs read them: Slack blocks, terminal text, Markdown, JSON; English and Chinese."""
