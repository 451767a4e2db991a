// Sixty days of resting heart rate in, tomorrow's forecast out, with types from the server's document.

import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/schema.js";

type Schemas = components["schemas"];
type Fault = Schemas["Error"] | Schemas["ValidationError"] | Schemas["Problem"];

const ZONE = "Europe/Athens";
const DAYS = 60;
const METRIC = "RESTING_HEART_RATE";

/** What an error says: `detail` is a sentence, or a list with an entry for each wrong value. */
function reason({ code, detail }: Fault): string {
  if (typeof detail === "string") return `${code}: ${detail}`;
  return `${code}: ${detail.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; ")}`;
}

function expect<T>(answer: { data?: T; error?: Fault }): T {
  if (answer.data === undefined) throw new Error(answer.error ? reason(answer.error) : "an empty answer");
  return answer.data;
}

function refused(answer: { error?: Fault }): Fault {
  assert(answer.error, "a refusal was expected");
  return answer.error;
}

/** Days are strings such as 2026-11-25: a `Date` is a moment, and has no zone but UTC and the machine's. */
function plus(day: string, days: number): string {
  return new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
}

function reading(day: string): Schemas["HealthMetric"] {
  // Seeded by the day, so that a run on another day writes the same value for it (mulberry32).
  let state = Date.parse(day) / 86_400_000;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const value = Math.round((58 + 4 * (random() + random() - 1)) * 10) / 10;
  // Seven in the morning in Athens, or eight in summer.
  return { recorded_at: `${day}T05:00:00Z`, metric_type: METRIC, value };
}

const { values: options } = parseArgs({
  options: {
    url: { type: "string", default: process.env.VITALCAST_URL ?? "http://127.0.0.1:8001" },
    key: { type: "string", default: process.env.VITALCAST_KEY ?? "" },
    user: { type: "string", default: "example-typescript" },
  },
});
const user_id = options.user;
const params = { path: { user_id } };
const api = createClient<paths>({
  baseUrl: options.url,
  headers: options.key ? { Authorization: `Bearer ${options.key}` } : {},
});

const ready = await api.GET("/ready");
assert.equal(ready.data?.status, "ready", JSON.stringify(ready.error));

// The zone decides when the person's days begin, so it is set before there are readings.
expect(await api.PUT("/api/users/{user_id}/profile", { params, body: { zone: ZONE } }));

// The Swedish form of a date is that of ISO 8601.
const today = new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE }).format(new Date());
const history = Array.from({ length: DAYS }, (_, i) => reading(plus(today, i - DAYS)));
const write = (body: typeof history) => api.POST("/api/users/{user_id}/health-metrics", { params, body });
const first = expect(await write(history));
const again = expect(await write(history));
console.log(`${first.added} readings added, ${first.unchanged} unchanged, ${first.corrected} corrected`);
assert.deepEqual([again.added, again.unchanged], [0, DAYS]);

const model = expect(
  await api.POST("/api/predictions/train", {
    body: { user_id, metric: METRIC, architecture: "exponential_smoothing" },
  }),
);
assert("model_version" in model, "a training that takes long is answered with its job");
console.log(`model ${model.model_version}, trained on ${model.first_day} to ${model.last_day}`);

const target_date = plus(today, 1);
const predict = (metric: Schemas["PredictionMetric"]) =>
  api.POST("/api/predictions/predict", { body: { user_id, metric, target_date } });
const forecast = expect(await predict(METRIC));
const { predicted_value, confidence_interval_lower: lower, confidence_interval_upper: upper } = forecast.prediction;
const level = Math.round(forecast.prediction.interval_level * 100);
console.log(`${forecast.interpretation} (${level}% interval ${lower.toFixed(1)} to ${upper.toFixed(1)} bpm)`);
assert(lower <= predicted_value && predicted_value <= upper);

// This person has no nights to forecast sleep from.
const missing = refused(await predict("SLEEP_DURATION"));
console.log(reason(missing));
assert.equal(missing.code, "NOT_ENOUGH_DATA");

// No heart beats 900 times a minute; nothing of a body with a wrong value is kept.
const wrong = refused(await write([...history.slice(1), { ...reading(today), value: 900 }]));
console.log(reason(wrong));
assert(typeof wrong.detail !== "string");
assert.deepEqual(wrong.detail[0]?.loc, ["body", DAYS - 1, "value"]);
