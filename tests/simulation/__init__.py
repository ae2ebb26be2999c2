"""Bot, venue and daemon in one process under virtual time, with faults from a seed."""
