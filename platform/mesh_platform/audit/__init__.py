"""Evidence about the control log: its hash chain, checkpoints, verification, backups."""
