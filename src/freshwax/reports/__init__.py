"""Reports as text: types in, strings out. ``render.render`` is the entry."""
