"""Pure parsers of what commands print; an output that is not that thing is an error, never an empty fact."""
