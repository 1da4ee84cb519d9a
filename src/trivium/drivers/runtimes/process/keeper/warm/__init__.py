"""Notebooks that open at once: forks of processes that have imported what a notebook imports.

    keeper       pool           has one fork server ("warm parent") for each image in use, and asks it to fork
      │          handover       the launch's plan, as it is sent to the fork
    fork server  forkserver     imports what `preload` finds, checks by `trust` who could write to it, and forks
      │
    minder       startup.minder as beside any launch; its child enters the notebook's namespaces and drops its rights
      │
    notebook     specialize     makes that process what executing `python -m jupyterlab …` would have made of it,
      │                         by `relocation` (paths), `modules` (imports) and `interpreter` (signals, title, exit)
    kernel fork server
      │          kernel_server  a fork of the notebook's server before it has threads
    kernel       provisioner    the kernel provisioner by which Jupyter's server asks for forks

Each step falls back to executing the program: where there is no fork server, where a layer shadows what was imported,
where a kernel is not the image's own Python.
"""
