"""What acts on the world, behind the ports of the resource rooms."""
