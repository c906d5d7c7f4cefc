"""How probable it is that a residue of a read is right, by models of tools and by its sample."""
