"""Several workers, forked from one process that has the shop loaded."""

preload_app = True
workers = 2
control_socket_disable = True
