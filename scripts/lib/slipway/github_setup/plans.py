"""What a repository's plan has, and what becomes of each piece where it has not. docs/operators/pipeline-settings.md
shows this table (`scripts/github-setup --plans` prints it)."""

# Of a private repository; a public one has all of it on every plan (a merge queue: in an organisation).
ORDER = ("free", "pro", "team", "enterprise")
# feature: (the least plan of a private repository, what happens without)
FEATURES = {
    "rulesets": ("pro", "main is not protected: anybody who may push releases"),
    "environments": ("pro", "no environments, so no secrets of theirs: cd.yml refuses to deploy and says so"),
    "reviewers": ("enterprise", "nobody is asked before production: set APPROVAL_WAIVED to accepted, or "
                  "cd.yml refuses"),
    "merge queue": ("enterprise", "none: pull requests merge one by one, and main's own CI runs everything"),
    "attestations": ("enterprise", "none is made or verified: the summary says so (ATTESTATIONS=on where there are)"),
    "code scanning": ("enterprise", "CodeQL and dependency review are left out; Trivy and Snyk gate without the "
                      "Security tab "
                      "(CODE_SCANNING=on where it was bought)"),
    "secret scanning": ("enterprise", "nobody looks for pushed secrets"),
}


def has(feature: str, private: bool, plan: str) -> bool:
    least, _ = FEATURES[feature]
    return not private or ORDER.index(plan) >= ORDER.index(least)


def table() -> str:
    """As Markdown: a row each feature, a column each plan of a private repository."""
    rows = ["| | public | " + " | ".join(f"private, {plan}" for plan in ORDER) + " | without it |",
            "|---" * (len(ORDER) + 3) + "|"]
    for feature, (_, without) in FEATURES.items():
        cells = ["yes" if has(feature, True, plan) else "-" for plan in ORDER]
        rows.append(f"| {feature} | yes | {' | '.join(cells)} | {without} |")
    return "\n".join(rows)
