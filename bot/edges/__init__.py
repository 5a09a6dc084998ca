"""The causal model as data (catalogue C.1): one module a family of causes."""
