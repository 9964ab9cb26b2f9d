"""Governance: which contract versions the mesh may use, who proposed and who decided."""
