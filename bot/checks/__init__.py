"""The rows of the catalogue as code: one check a file, one folder a family."""
