"""Icons, theme and models; in an installed wheel the example workflows too, as `resources/examples`."""
