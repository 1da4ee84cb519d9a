"""The keeper: a process that starts notebooks, watches them, and outlives the server.

Only the standard library, Python 3.9 or newer: parts of it run on the interpreter of an operator's image.

* Here: the keeper's own process. `main` starts it, `control` is its socket, `keeper` what it knows and does.
* `launches`: one start of a notebook as the keeper sees it: what was asked, what is written down, what is observed.
* `startup`: from a fork to the notebook's own program: namespaces, privileges, the layer, the minder beside it.
* `warm`: fork servers that have imported an image's Jupyter, of which notebooks and their kernels are forked.
* `system`: what the operating system is asked: processes, cgroups, sockets, directories, mounts.
"""
