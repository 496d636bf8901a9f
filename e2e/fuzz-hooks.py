"""What e2e/fuzz.sh changes about the requests that schemathesis makes up."""

import schemathesis

WAIT_MS = "20"
WAITING = ("/v1/topology", "/v1/ring")


@schemathesis.hook
def before_call(context, case, kwargs):
    """A topology later than a drawn epoch may never come, and the default wait is half a minute: wait shortly."""
    if case.operation.path not in WAITING or not case.query or "after" not in case.query:
        return
    if "waitMs" not in case.query or str(case.query["waitMs"]).isdigit() and len(str(case.query["waitMs"])) < 6:
        case.query["waitMs"] = WAIT_MS
