"""The viewer: draws the environments of a run. Each kind of picture has a painter of its own."""
