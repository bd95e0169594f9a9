"""Reports as text: types in, strings out."""
