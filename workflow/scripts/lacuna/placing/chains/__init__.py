"""Which chains a sample has, and which residues and constant domains belong to which of them."""
