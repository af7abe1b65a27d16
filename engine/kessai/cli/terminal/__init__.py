"""What every command shares: output, options, tables, exit codes."""
