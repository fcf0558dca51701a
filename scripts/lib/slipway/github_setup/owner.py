"""Who a repository's owner is to GitHub: the plan, and who of its people or teams a name is."""

from . import plans
from .gh import Gh, GhError


def reviewer(gh: Gh, owner: str, name: str) -> dict:
    """A login, or a team's slug as @SLUG."""
    if name.startswith("@"):
        return {"type": "Team", "id": gh.must("GET", f"orgs/{owner}/teams/{name[1:]}", absolute=True)["id"]}
    return {"type": "User", "id": gh.must("GET", f"users/{name}", absolute=True)["id"]}


def plan_of(gh: Gh, repository: dict) -> str:
    """One of plans.ORDER."""
    owner = repository["owner"]
    place = f"orgs/{owner['login']}" if owner["type"] == "Organization" else "user"
    told = gh.must("GET", place, absolute=True).get("plan")
    if not told or told["name"] not in plans.ORDER:
        raise GhError(f"GitHub does not tell the plan of {owner['login']}; give --plan {'|'.join(plans.ORDER)}")
    return told["name"]
