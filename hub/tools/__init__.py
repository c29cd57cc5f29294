"""Tools at the terminal that read a database or a configuration, beside a running hub or without one."""
