"""What Schemathesis cannot know of the service: a person with data, and rules no schema can state."""

import os
import random
import re

import schemathesis

PERSON = "seeded"
# Trained within milliseconds, whatever the other settings are.
QUICK = {"naive", "seasonal_naive", "moving_average", "exponential_smoothing"}
# What a request that fits the schema may still be refused for.
REASONS = {"NOT_ENOUGH_DATA", "TOO_FAR_AHEAD", "TOO_COSTLY"}

# Only what is right anyway is replaced, so that wrong ids stay wrong.
USER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

_chance = random.Random(int(os.environ.get("VITALCAST_SEED", "1")))


@schemathesis.deserializer("application/zip")
def unzip(context, response):
    assert response.content[:2] == b"PK", "not a zip file"
    return response.content.hex()


def is_user_id(value):
    return isinstance(value, str) and USER_ID.fullmatch(value)


@schemathesis.hook
def map_body(context, body):
    """Half of all well-formed requests are about the person who has data."""
    if isinstance(body, dict) and is_user_id(body.get("user_id")):
        trains = "epochs" in body or "architecture" in body and "target_date" not in body
        if _chance.random() < 0.5 and (not trains or body.get("architecture") in QUICK):
            body["user_id"] = PERSON
    return body


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    operation = context.operation
    erases = operation.method == "delete" and operation.path == "/api/users/{user_id}"
    if path_parameters and "user_id" in path_parameters and not erases:
        if _chance.random() < 0.5 and is_user_id(path_parameters["user_id"]):
            path_parameters["user_id"] = PERSON
    return path_parameters


@schemathesis.check
def refused_for_a_reason(context, response, case):
    """A request that fits the schema is refused only for what no schema can state."""
    mode = case.meta.generation.mode if case.meta else None
    if response.status_code != 422 or mode is None or not mode.is_positive:
        return
    answer = response.json()
    if answer["code"] in REASONS:
        return
    detail = answer["detail"]
    assert isinstance(detail, list) and all(
        fault["type"] == "value_error" for fault in detail
    ), f"refused without a reason: {answer}"
