"""What a roll-out does next, from what the hosts say: values in, values out.

One rule holds them together: at the end all hosts run the new version, or each runs what it ran before. A host that
runs the new version when the roll-out begins counts as done by it, whoever did it: so a roll-out that was killed
is finished, or taken back, by the next one of the same version, from whatever machine.
"""

from dataclasses import dataclass, field

# Exit statuses of deploy and rollback (deploy --help), which are also a roll-out's.
DONE, USAGE, UNCHANGED, TAKEN_BACK, HUMAN, BUSY, INTERRUPTED = 0, 2, 3, 4, 5, 6, 130
LOST = 255  # of ssh: the host was not reached, or the connection was lost


@dataclass(frozen=True)
class Seen:
    """What a host says of itself (rollback --status --json)."""
    running: str = ""            # digest; empty: nothing
    healthy: bool = False
    proven: tuple = ()           # digests that it could go back to, in the order that it would
    operation: str = ""          # that is going on there
    error: str = ""              # why it said nothing

    @property
    def before(self) -> str:
        """What it would go back to."""
        return next((digest for digest in self.proven if digest != self.running), "")


@dataclass
class Outcome:
    status: int
    message: str
    problems: list = field(default_factory=list)


def problems(seen: dict) -> list:
    """Why nothing may begin: HOST: REASON of each host that is not fit for it. SEEN: host -> Seen."""
    found = []
    for host, state in seen.items():
        if state.error:
            found.append(f"{host}: {state.error}")
        elif state.operation:
            found.append(f"{host}: {state.operation} is going on there")
        elif state.running and not state.healthy:
            found.append(f"{host}: {state.running} runs there and does not answer as it should")
    return found


def remaining(order: list, seen: dict, target: str) -> list:
    """The hosts that are still to be deployed to, the canary first."""
    return [host for host in order if seen[host].running != target]


def to_take_back(order: list, seen: dict, target: str, before: dict) -> dict:
    """host -> the digest that it goes back to, of those that run TARGET. BEFORE: what each ran when this began."""
    back = {}
    for host in order:
        if seen[host].running != target:
            continue
        earlier = before.get(host, "")
        digest = earlier if earlier != target else ""
        digest = digest or seen[host].before
        if digest:
            back[host] = digest
    return back


def outcome(order: list, seen: dict, target: str, failed: str = "") -> Outcome:
    """How it ended. FAILED: HOST: REASON of the one that it stopped at."""
    ill = [f"{host}: {seen[host].error or 'does not answer as it should'}" for host in order
           if seen[host].error or (seen[host].running and not seen[host].healthy)]
    there = [host for host in order if seen[host].running == target and not seen[host].error]
    if ill:
        return Outcome(HUMAN, "a human is needed", ill)
    if len(there) == len(order):
        return Outcome(DONE, f"all {len(order)} hosts run {target}")
    if there:
        return Outcome(HUMAN, f"two versions run: {', '.join(there)} could not be taken back",
                       [failed] if failed else [])
    return Outcome(TAKEN_BACK, "each host runs what it ran before", [failed] if failed else [])
