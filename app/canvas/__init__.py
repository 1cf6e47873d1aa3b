"""The canvas: a view on the document in which graphs are built. NodeGraphQt draws, the document decides."""
