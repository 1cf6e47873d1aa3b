"""The built-in node types, one per file, in folders by category."""
