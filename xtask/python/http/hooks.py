"""What Schemathesis cannot know of the service: a person with data, and rules no schema can state."""

import datetime
import json
import os
import random
import re

import schemathesis

PERSON = "seeded"
# What `check_http.seed` has made: models, some to be deleted, jobs, the day it is there; and what is
# known of the service.
SEEDED = json.loads(os.environ.get("VITALCAST_SEEDED", "null")) or {}
# Trained within milliseconds, whatever the other settings are.
QUICK = {"naive", "seasonal_naive", "moving_average", "exponential_smoothing", "pooled"}
# Settings that other models refuse.
OF_NETWORKS = (
    "epochs batch_size learning_rate hidden_dim num_layers dropout bidirectional".split()
)
# What a request that fits the schema may still be refused for.
REASONS = {
    "NOT_ENOUGH_DATA",
    "TOO_FAR_AHEAD",
    "TOO_COSTLY",
    "EFFECT_TOO_SMALL",
    "DAY_OUTSIDE_EXPERIMENT",
    "DAY_NOT_YET",
    "NO_ATTENTION",
    "NOT_BY_DAY",
    "NO_VARIANCE",
    "TOO_LONG",
}

# Only what is right anyway is replaced, so that wrong ids stay wrong.
USER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

_chance = random.Random(int(os.environ.get("VITALCAST_SEED", "1")))


@schemathesis.deserializer("application/zip")
def unzip(context, response):
    assert response.content[:2] == b"PK", "not a zip file"
    return response.content.hex()


def is_user_id(value):
    return isinstance(value, str) and USER_ID.fullmatch(value)


ARCHITECTURES = set(SEEDED.get("architectures", ()))
METRICS = {
    "RESTING_HEART_RATE",
    "HEART_RATE_VARIABILITY_SDNN",
    "HEART_RATE_VARIABILITY_RMSSD",
    "SLEEP_DURATION",
    "RECOVERY_SCORE",
}


def is_date(value):
    try:
        return isinstance(value, str) and bool(datetime.date.fromisoformat(value))
    except ValueError:
        return False


def mostly():
    return _chance.random() < 0.8


def about_the_person(fields):
    """What can be forecast of the person who has data."""
    fields["user_id"] = PERSON
    if is_date(fields.get("target_date")):
        today = datetime.date.fromisoformat(SEEDED["today"])
        day = today + datetime.timedelta(days=_chance.randint(-20, 1))
        fields["target_date"] = str(day)
        if fields.get("metric") in METRICS:
            fields["metric"] = _chance.choice(SEEDED["metrics"])


@schemathesis.hook
def map_body(context, body):
    """Most well-formed requests are about the person who has data, and what they have."""
    if not isinstance(body, dict) or not is_user_id(body.get("user_id")) or not mostly():
        return body
    trains = context.operation.path == "/api/predictions/train"
    if trains and body.get("architecture") not in QUICK:
        return body
    # A copy: the original may be the base of further cases.
    body = dict(body)
    about_the_person(body)
    if trains:
        for field in OF_NETWORKS:
            body.pop(field, None)
    else:
        # The person's models may be others.
        if body.get("architecture") in ARCHITECTURES:
            body["architecture"] = None
        version = body.get("model_version")
        if isinstance(version, str) and 1 <= len(version) <= 40:
            body["model_version"] = None
    return body


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """The same for what stands in paths."""
    operation = context.operation
    if not path_parameters or not mostly():
        return path_parameters
    path_parameters = dict(path_parameters)
    if is_user_id(path_parameters.get("user_id")):
        about_the_person(path_parameters)
    if is_user_id(path_parameters.get("job_id")):
        path_parameters["job_id"] = _chance.choice(SEEDED["jobs"])
    if is_user_id(path_parameters.get("experiment_id")):
        path_parameters["experiment_id"] = SEEDED["experiment"]
    if is_user_id(path_parameters.get("id")):
        if operation.method == "delete":
            path_parameters["id"] = _chance.choice(SEEDED["spare_models"])
        elif operation.path.endswith("{id}"):
            path_parameters["id"] = PERSON
        else:
            path_parameters["id"] = _chance.choice(SEEDED["models"])
    return path_parameters


def of_a_calendar(value):
    """RFC 3339, and so the schema's format, has a year 0, a leap year; the contract's dates, pydantic's,
    begin at 1. Such a date fits the schema and is refused all the same: it becomes one of the year 4. And a
    pattern cannot tell the years with a 29 February, which becomes the 28th."""
    if isinstance(value, str):
        value = re.sub(r"^0000(?=-\d\d-\d\d)", "0004", value)
        return re.sub(r"^(\d{4}-02)-29(?=[T ])", r"\1-28", value)
    if isinstance(value, list):
        return [of_a_calendar(each) for each in value]
    if isinstance(value, dict):
        return {name: of_a_calendar(each) for name, each in value.items()}
    return value


@schemathesis.hook
def before_call(context, case, kwargs):
    """What is there for all tests stays: somebody else is deleted instead. And nobody waits for a
    network to be trained: fields may have been taken away or put back since the body was made."""
    if case.query:
        case.query = of_a_calendar(case.query)
    if case.path_parameters:
        case.path_parameters = of_a_calendar(case.path_parameters)
    if isinstance(case.body, (dict, list)):
        case.body = of_a_calendar(case.body)
    body = case.body
    if case.operation.path == "/api/predictions/train" and isinstance(body, dict):
        slow = list(ARCHITECTURES - QUICK)
        if body.get("user_id") == PERSON and body.get("architecture", "lstm") in slow:
            case.body = dict(body, architecture="naive")
    # Models are listed by their person and deleted by their own id, under one path: a deleted model is
    # no person that should be gone.
    if case.method == "GET" and case.operation.path == "/api/predictions/models/{id}":
        given = (case.path_parameters or {}).get("id")
        if isinstance(given, str) and given.startswith((f"{PERSON}_", "spare_")):
            case.path_parameters["id"] = PERSON
    if case.method == "DELETE":
        for name, value in (case.path_parameters or {}).items():
            if value == PERSON:
                case.path_parameters[name] = "fleeting"
            elif value in SEEDED.get("models", ()):
                case.path_parameters[name] = _chance.choice(SEEDED["spare_models"])


def no_schema_states(fault):
    """Relations between values, one date in two forms, the range of a number that is written as text."""
    return fault["type"] in {"value_error", "unique_list"} or fault["msg"].endswith(
        "are not supported as unix timestamps"
    )


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
        no_schema_states(fault) for fault in detail
    ), f"refused without a reason: {answer}"
