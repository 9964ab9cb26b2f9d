"""`reference/policies.md`: the policies that mesh brings, and the schema of policy files."""

from __future__ import annotations

from importlib.resources import files

from mesh.policy import Policy, built_in


def policies_page() -> str:
    """`reference/policies.md`."""
    lines = ["# Policies that mesh brings\n"]
    lines.append(
        "In force in every mesh, until a file of the same name under `policies/` changes them or switches\n"
        "them off; see [the guide](../guides/policies.md).\n"
    )
    made = [(document.text, policy) for document, policy in built_in()]
    lines.append("| policy | severity | applies to | asks |\n| --- | --- | --- | --- |")
    lines += [
        f"| [`{p.name}`](#{p.name}) | {p.severity} | {', '.join(p.applies_to)} | {p.title} |" for _, p in made
    ]
    for text, policy in made:
        lines += _section(text, policy)
    schema = (files("mesh.policy") / "policy-v1.schema.json").read_text(encoding="utf-8")
    lines.append("\n## The schema for editors\n")
    lines.append(
        "The file is `mesh/policy/policy-v1.schema.json` (JSON Schema 2020-12). An editor with YAML support\n"
        "takes it by a first line such as `# yaml-language-server: $schema=policy-v1.schema.json`.\n"
    )
    lines.append("```json\n" + schema.strip() + "\n```")
    return "\n".join(lines) + "\n"


def _section(text: str, policy: Policy) -> list[str]:
    rule = text.partition("\ntests:\n")[0].partition("\nlists:\n")[0]
    examples = ", ".join(f"{case.name} ({case.expect})" for case in policy.cases)
    return [
        f"\n## {policy.name}\n",
        f"{policy.title}. {' '.join(policy.description.split())}\n",
        f"```yaml\n{rule.strip()}\n```\n",
        f"Its examples: {examples}.",
    ]
