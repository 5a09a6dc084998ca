"""The only users of kubernetes, paramiko and dnspython: live answers to the questions of ``bot.source``."""
