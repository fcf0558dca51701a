"""One request to a registry or to GitHub, tried again while they say that they are busy.

Only 200 and 404 tell whether something is there; what anything else means, the caller says, with the answer's text.
"""

import http.client
import time
import urllib.error
import urllib.request

TRIES = 4
# Nobody waits longer than this for one answer, whatever Retry-After says: a job has a timeout.
LONGEST_PAUSE = 60.0


class Unanswered(Exception):
    """Nobody answered, or only "later", as often as was tried."""


def is_busy(status: int, headers) -> bool:
    """Whether the answer means "later" and not "no". GitHub says of a limit 403, with one of these headers."""
    return status == 429 or status >= 500 or (
        status == 403 and (headers.get("Retry-After") is not None or headers.get("X-RateLimit-Remaining") == "0"))


def pause(attempt: int, headers) -> float:
    """Seconds until the next try: what Retry-After says, else 0.5, 1, 2 ..."""
    said = (headers.get("Retry-After") or "") if headers is not None else ""
    return min(float(said), LONGEST_PAUSE) if said.isdigit() else 0.5 * 2 ** attempt


def text_of(error: urllib.error.HTTPError) -> bytes:
    """What the answer says; as much as came."""
    try:
        return error.read()
    except http.client.IncompleteRead as cut:
        return cut.partial
    except OSError:
        return b""


def ask(make, timeout: float, repeatable: bool = True, sleep=time.sleep) -> tuple:
    """(status, headers, body) of MAKE(), a fresh urllib Request for each try.

    REPEATABLE: whether it may arrive twice. If not, it is tried again only where it was turned away unread (429, and
    GitHub's limits), since after a 500 or a broken connection nobody knows what was done.
    """
    for attempt in range(TRIES):
        headers = None
        request = make()
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            body, headers = text_of(error), error.headers
            again = is_busy(error.code, headers) and (repeatable or error.code < 500)
            if not again:
                return error.code, headers, body
            problem = f"{error.code}: {body[:300]!r}"
        except (OSError, http.client.HTTPException) as error:  # URLError is the one, a body that was cut the other
            problem = str(getattr(error, "reason", error))
            if not repeatable:
                break
        if attempt + 1 < TRIES:
            sleep(pause(attempt, headers))
    raise Unanswered(f"{request.get_method()} {request.full_url.partition('?')[0]}: {problem}")
