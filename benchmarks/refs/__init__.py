"""Reference programs: what a limit or the usual way costs on this machine, kept honest."""
