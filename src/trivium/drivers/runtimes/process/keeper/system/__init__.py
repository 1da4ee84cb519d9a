"""What the operating system is asked: processes, cgroups, listening sockets, directories, namespaces."""
