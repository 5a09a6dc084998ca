"""The words of the domain as frozen data: no I/O, no clock, no judgement."""
