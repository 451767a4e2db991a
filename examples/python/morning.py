"""Sixty days of resting heart rate in, tomorrow's forecast out, through the generated client."""

import argparse
import os
import random
import sys
from datetime import date, datetime, time, timedelta
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

import httpx

from generated.vitalcast_client import AuthenticatedClient, Client
from generated.vitalcast_client.api.predictions import predict, train
from generated.vitalcast_client.api.service import ready
from generated.vitalcast_client.api.users import post_health_metrics, set_profile
from generated.vitalcast_client.models import (
    Error, HealthMetric, PredictRequest, PredictResponse, Profile, ProfileRequest, Ready,
    TrainModelRequest, TrainModelResponse, ValidationError, Written,
)  # fmt: skip

ZONE = "Europe/Athens"
DAYS = 60
Answer = TypeVar("Answer")


def connect(url: str, key: str | None) -> AuthenticatedClient:
    # The default of 5 s is shorter than the time a training may take to answer.
    timeout = httpx.Timeout(90)
    if key:
        return AuthenticatedClient(url, token=key, timeout=timeout, raise_on_unexpected_status=True)
    # A server that has no keys yet needs none; the generated functions ask for this type all the same.
    return cast(AuthenticatedClient, Client(url, timeout=timeout, raise_on_unexpected_status=True))


def reason(answer: object) -> str:
    """What an error says: `detail` is a sentence, or a list with an entry for each wrong value."""
    if isinstance(answer, Error):
        return f"{answer.code}: {answer.detail}"
    if isinstance(answer, ValidationError):
        faults = (f"{'.'.join(map(str, fault.loc))}: {fault.msg}" for fault in answer.detail)
        return f"{answer.code}: {'; '.join(faults)}"
    return f"unexpected answer: {answer}"


def expect(kind: type[Answer], answer: object) -> Answer:
    return answer if isinstance(answer, kind) else sys.exit(reason(answer))


def check(holds: bool, claim: str) -> None:
    if not holds:
        sys.exit(f"not as expected: {claim}")


def reading(day: date) -> HealthMetric:
    # Seeded by the day, so that a run on another day writes the same value for it.
    value = round(random.Random(day.toordinal()).gauss(58, 1.5), 1)
    waking = datetime.combine(day, time(7), ZoneInfo(ZONE))
    return HealthMetric(metric_type="RESTING_HEART_RATE", recorded_at=waking, value=value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default=os.environ.get("VITALCAST_URL", "http://127.0.0.1:8001"))
    parser.add_argument("--key", default=os.environ.get("VITALCAST_KEY"))
    parser.add_argument("--user", default="example-python")
    args = parser.parse_args()
    client, user = connect(args.url, args.key), args.user

    # Also when it answers 503 it says in this form which part is not ready.
    state = expect(Ready, ready.sync(client=client))
    check(state.status == "ready", f"the server is ready, not {state}")

    # The zone decides when the person's days begin, so it goes before the readings.
    expect(Profile, set_profile.sync(user, client=client, body=ProfileRequest(zone=ZONE)))

    today = datetime.now(ZoneInfo(ZONE)).date()
    history = [reading(today - timedelta(days=ago)) for ago in range(DAYS, 0, -1)]
    first = expect(Written, post_health_metrics.sync(user, client=client, body=history))
    again = expect(Written, post_health_metrics.sync(user, client=client, body=history))
    print(f"{DAYS} days: {first.added} added, {first.unchanged} unchanged, {first.corrected} corrected")
    check((again.added, again.unchanged) == (0, DAYS), "writing the same again changes nothing")

    training = TrainModelRequest(user_id=user, metric="RESTING_HEART_RATE", architecture="exponential_smoothing")
    model = expect(TrainModelResponse, train.sync(client=client, body=training))
    print(f"model {model.model_version}, trained on {model.first_day} to {model.last_day}")

    tomorrow = today + timedelta(days=1)
    question = PredictRequest(user_id=user, metric="RESTING_HEART_RATE", target_date=tomorrow)
    forecast = expect(PredictResponse, predict.sync(client=client, body=question))
    p = forecast.prediction
    low, high = p.confidence_interval_lower, p.confidence_interval_upper
    print(f"{forecast.interpretation} {p.interval_level:.0%} interval: {low:.1f} to {high:.1f} {p.unit}")
    check(low <= p.predicted_value <= high, "the forecast lies in its interval")

    # Errors are answers like any other: nobody has trained a model of this person's sleep ...
    sleep = PredictRequest(user_id=user, metric="SLEEP_DURATION", target_date=tomorrow)
    missing = expect(Error, predict.sync(client=client, body=sleep))
    check(missing.code == "NO_MODEL", f"a metric without a model is told as such, not {reason(missing)}")
    print(reason(missing))

    # ... and no heart beats 900 times a minute; a body that has one wrong value is refused whole.
    history[0].value = 900
    wrong = expect(ValidationError, post_health_metrics.sync(user, client=client, body=history))
    check(wrong.detail[0].loc == ["body", 0, "value"], f"the wrong value is named, not {reason(wrong)}")
    print(reason(wrong))


if __name__ == "__main__":
    main()
