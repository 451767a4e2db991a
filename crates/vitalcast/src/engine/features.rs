//! Features of a person's days.

use super::Engine;
use super::cache::{Sort, holds_until};
use crate::error::EngineError;
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use vitalcast_domain::{AsOf, FeatureCategory, History, Profile, UserId};
use vitalcast_features::{Feature, FeatureTable, catalogue, feature_table, hindsight_table};
use vitalcast_store::Store;

/// A query for a feature matrix.
#[derive(Debug, Clone)]
pub struct FeatureQuery {
    /// Id of the person.
    pub user: UserId,
    /// Last day; default: the last day with data.
    pub last_day: Option<NaiveDate>,
    /// Number of days up to the last day.
    pub days: usize,
    /// The days as known at this time; default: as known now.
    pub as_of: Option<AsOf>,
    /// Each day as known on its own evening, if that was before `as_of`: what a model could have read.
    pub as_known_each_evening: bool,
    /// Return only the 51 model inputs.
    pub inputs_only: bool,
}

/// A query of the feature routes of the contract: one day, some categories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFeaturesQuery {
    /// Id of the person.
    pub user: UserId,
    /// The local day.
    pub day: NaiveDate,
    /// Requested categories; the others are null.
    pub categories: Vec<FeatureCategory>,
    /// Use only records of this number of days up to the given day.
    pub lookback_days: u32,
    /// The day as known at this time; default: as known now.
    pub as_of: Option<AsOf>,
    /// Compute the features anew, without the cache.
    pub force_recompute: bool,
}

/// The values of one category by field; null if not known.
type CategoryFeatures = BTreeMap<String, Value>;

/// The features of one day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DayFeatures {
    /// Id of the person.
    pub user_id: UserId,
    /// The local day.
    pub target_date: NaiveDate,
    /// Time of the computation.
    pub computed_at: DateTime<Utc>,
    /// The time as of which the day was known: what became known later is not in the features.
    pub as_of: DateTime<Utc>,
    /// Whether the response came from a cache.
    pub cached: bool,
    /// Food and drink; null if not requested.
    #[schema(value_type = Option<document::NutritionFeatures>)]
    pub nutrition: Option<CategoryFeatures>,
    /// Movement and load.
    #[schema(value_type = Option<document::ActivityFeatures>)]
    pub activity: Option<CategoryFeatures>,
    /// Readings of the body.
    #[schema(value_type = Option<document::HealthFeatures>)]
    pub health: Option<CategoryFeatures>,
    /// The calendar.
    #[schema(value_type = Option<document::TemporalFeatures>)]
    pub temporal: Option<CategoryFeatures>,
    /// Products and ratios over categories.
    #[schema(value_type = Option<document::InteractionFeatures>)]
    pub interaction: Option<CategoryFeatures>,
    /// Number of features in the requested categories.
    pub feature_count: usize,
    /// Number of features that are null.
    pub missing_features: usize,
    /// Share of features that are not null, 0 to 1; 0 if none was requested.
    pub data_quality_score: f64,
}

/// The fields of each category for the OpenAPI document, from the catalogue.
mod document {
    use super::{FeatureCategory, catalogue, is_counted};
    use utoipa::openapi::RefOr;
    use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

    fn schema(category: FeatureCategory) -> RefOr<Schema> {
        let mut object = ObjectBuilder::new().schema_type(Type::Object);
        for feature in catalogue()
            .iter()
            .filter(|feature| feature.category == category)
        {
            let of_type = match feature.unit {
                "0/1" => Type::Boolean,
                _ if is_counted(feature) => Type::Integer,
                _ => Type::Number,
            };
            let of_type = if feature.nullable {
                SchemaType::from_iter([of_type, Type::Null])
            } else {
                SchemaType::new(of_type)
            };
            let meaning = match feature.unit {
                "0/1" => feature.meaning.to_owned(),
                unit => format!("{} ({unit})", feature.meaning),
            };
            let field = ObjectBuilder::new()
                .schema_type(of_type)
                .description(Some(meaning));
            object = object
                .property(feature.field, field)
                .required(feature.field);
        }
        object.into()
    }

    macro_rules! categories {
        ($($type:ident $name:literal $category:ident),+) => {$(
            pub(super) struct $type;

            impl utoipa::PartialSchema for $type {
                fn schema() -> RefOr<Schema> {
                    schema(FeatureCategory::$category)
                }
            }

            impl utoipa::ToSchema for $type {
                fn name() -> std::borrow::Cow<'static, str> {
                    $name.into()
                }
            }
        )+};
    }

    categories!(
        NutritionFeatures "NutritionFeatures" Nutrition,
        ActivityFeatures "ActivityFeatures" Activity,
        HealthFeatures "HealthFeatures" Health,
        TemporalFeatures "TemporalFeatures" Temporal,
        InteractionFeatures "InteractionFeatures" Interaction
    );
}

impl DayFeatures {
    /// The requested categories.
    pub fn categories(&self) -> Vec<FeatureCategory> {
        use FeatureCategory as C;
        let all = [
            (C::Nutrition, &self.nutrition),
            (C::Activity, &self.activity),
            (C::Health, &self.health),
            (C::Temporal, &self.temporal),
            (C::Interaction, &self.interaction),
        ];
        all.into_iter()
            .filter(|(_, fields)| fields.is_some())
            .map(|(category, _)| category)
            .collect()
    }
}

/// The features by day; null if not known.
#[derive(Debug, Clone)]
pub struct FeatureMatrix {
    table: FeatureTable,
    features: Vec<&'static Feature>,
    computed_at: DateTime<Utc>,
    as_of: AsOf,
    as_known_each_evening: bool,
}

impl Engine {
    /// Computes the features of several days as known now, as known at another time, or each as known on
    /// its own evening. A day that is not over has totals so far, and averages without them.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`]; [`EngineError::InvalidSetting`] for days outside the calendar.
    pub fn features(
        &self,
        query: &FeatureQuery,
        now: DateTime<Utc>,
    ) -> Result<FeatureMatrix, EngineError> {
        let history = self.load(&query.user)?;
        let as_of = query.as_of.unwrap_or(now);
        let last_day = match (query.last_day, history.span()) {
            (Some(day), _) => day,
            (None, Some((_, last))) => last,
            (None, None) => history.profile.day_of(now),
        };
        let back = Days::new(query.days.saturating_sub(1) as u64);
        let first_day = last_day.checked_sub_days(back).ok_or_else(|| {
            EngineError::InvalidSetting(format!(
                "{} days reach back beyond the calendar",
                query.days
            ))
        })?;
        let table = if query.as_known_each_evening {
            feature_table(&history, first_day, last_day, as_of)?
        } else {
            hindsight_table(&history, first_day, last_day, as_of)?
        };
        Ok(FeatureMatrix {
            table,
            features: catalogue()
                .iter()
                .filter(|feature| feature.model_input || !query.inputs_only)
                .collect(),
            computed_at: now,
            as_of,
            as_known_each_evening: query.as_known_each_evening,
        })
    }
}

impl Engine {
    /// Computes the features of one day as known now or at another time; for an unknown person, all of
    /// them are null.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`]; [`EngineError::InvalidSetting`] for days outside the calendar.
    pub fn day_features(
        &self,
        query: &DayFeaturesQuery,
        now: DateTime<Utc>,
    ) -> Result<DayFeatures, EngineError> {
        let Some(generation) = self.generation(&query.user)? else {
            let nobody = History::new(query.user.clone(), Profile::default());
            return day_features_of(&nobody, query, now);
        };
        let key = features_key(query);
        let compute = || {
            // The evening of the day may be the first part of the next night.
            let last = query.day.succ_opt().unwrap_or(query.day);
            let days = first_day_of(query)?..=last;
            let history = self.wait(self.store.history(&query.user, Some(days)))?;
            let history = history.ok_or_else(|| self.unknown(&query.user))?;
            let features = day_features_of(&history, query, now)?;
            Ok((features, holds_until(&history, now)))
        };
        let (mut features, cached) = if query.force_recompute {
            let (features, until) = compute()?;
            self.keep(Sort::Features, &key, generation, now, (&features, until));
            (features, false)
        } else {
            self.kept_or(Sort::Features, &key, generation, now, compute)?
        };
        features.cached = cached;
        // Erased while this was computed: then nothing of it may stay.
        if !cached && self.generation(&query.user)?.is_none() {
            self.forget_person(&query.user);
        }
        Ok(features)
    }

    /// The features of one day, if they are cached: never waits, never computes.
    pub fn day_features_at_once(
        &self,
        query: &DayFeaturesQuery,
        now: DateTime<Utc>,
    ) -> Option<DayFeatures> {
        if query.force_recompute {
            return None;
        }
        let generation = self.generation_at_once(&query.user)??;
        let kept: Option<DayFeatures> = self.kept_here(&features_key(query), generation, now);
        kept.map(|features| DayFeatures {
            cached: true,
            ..features
        })
    }
}

/// `features:{user}:{date}:{settings of the request}`.
fn features_key(query: &DayFeaturesQuery) -> String {
    let categories: Vec<&str> = query
        .categories
        .iter()
        .map(|category| category.as_str())
        .collect();
    let as_of = query.as_of.map(|as_of| as_of.to_rfc3339());
    format!(
        "features:{}:{}:{}:{}:{}",
        query.user,
        query.day,
        categories.join("+"),
        query.lookback_days,
        as_of.as_deref().unwrap_or("now")
    )
}

fn first_day_of(query: &DayFeaturesQuery) -> Result<NaiveDate, EngineError> {
    let back = Days::new(u64::from(query.lookback_days.saturating_sub(1)));
    query.day.checked_sub_days(back).ok_or_else(|| {
        EngineError::InvalidSetting(format!(
            "the days before {} are outside the calendar",
            query.day
        ))
    })
}

fn day_features_of(
    history: &History,
    query: &DayFeaturesQuery,
    now: DateTime<Utc>,
) -> Result<DayFeatures, EngineError> {
    let as_of = query.as_of.unwrap_or(now);
    let table = hindsight_table(history, query.day, query.day, as_of)?;
    let mut count = 0;
    let mut missing = 0;
    let mut fields_of = |category: FeatureCategory| {
        query.categories.contains(&category).then(|| {
            let features = catalogue()
                .iter()
                .filter(|feature| feature.category == category);
            features
                .map(|feature| {
                    let value = table.value_at(0, feature.id);
                    count += 1;
                    missing += usize::from(value.is_none());
                    (feature.field.to_owned(), wire_value(feature, value))
                })
                .collect::<CategoryFeatures>()
        })
    };
    let nutrition = fields_of(FeatureCategory::Nutrition);
    let activity = fields_of(FeatureCategory::Activity);
    let health = fields_of(FeatureCategory::Health);
    let temporal = fields_of(FeatureCategory::Temporal);
    let interaction = fields_of(FeatureCategory::Interaction);
    Ok(DayFeatures {
        user_id: query.user.clone(),
        target_date: query.day,
        computed_at: now,
        as_of,
        cached: false,
        nutrition,
        activity,
        health,
        temporal,
        interaction,
        feature_count: count,
        missing_features: missing,
        data_quality_score: if count == 0 {
            0.0
        } else {
            1.0 - missing as f64 / count as f64
        },
    })
}

/// A value in the format of the contract: counts as integers, flags as booleans.
fn wire_value(feature: &Feature, value: Option<f64>) -> Value {
    match value {
        None => Value::Null,
        Some(value) if feature.unit == "0/1" => json!(value != 0.0),
        Some(value) if is_counted(feature) => json!(value.round() as i64),
        Some(value) => json!(value),
    }
}

/// Whether the values are integers.
fn is_counted(feature: &Feature) -> bool {
    let counts = ["count", "days", "0-6", "1-53", "1-12", "1-4"];
    counts.contains(&feature.unit) && !feature.field.ends_with("_avg")
}

impl FeatureMatrix {
    /// Id of the person.
    pub fn user(&self) -> &UserId {
        self.table.user()
    }

    /// The time as of which the days were known.
    pub fn as_of(&self) -> AsOf {
        self.as_of
    }

    /// Whether each day is as known on its own evening.
    pub fn as_known_each_evening(&self) -> bool {
        self.as_known_each_evening
    }

    /// Last day of the matrix.
    pub fn last_day(&self) -> NaiveDate {
        self.table.last_day()
    }

    /// The features of the last day.
    pub fn last_row(&self) -> impl Iterator<Item = (&'static Feature, Option<f64>)> {
        let row = self.table.days() - 1;
        self.features
            .iter()
            .map(move |feature| (*feature, self.table.value_at(row, feature.id)))
    }

    /// The response of the contract for one day: fields by category, their number, the number of
    /// missing fields, and the share of known fields.
    pub fn day_answer(&self, day: NaiveDate) -> Value {
        let row = usize::try_from((day - self.table.first_day()).num_days()).unwrap_or(0);
        let mut answer = Map::new();
        answer.insert("user_id".to_owned(), json!(self.user()));
        answer.insert("target_date".to_owned(), json!(day));
        answer.insert("computed_at".to_owned(), json!(self.computed_at));
        answer.insert("as_of".to_owned(), json!(self.as_of));
        answer.insert(
            "as_known_each_evening".to_owned(),
            json!(self.as_known_each_evening),
        );
        answer.insert("cached".to_owned(), json!(false));
        let mut missing = 0;
        for &category in FeatureCategory::ALL {
            let mut fields = Map::new();
            for feature in self
                .features
                .iter()
                .filter(|feature| feature.category == category)
            {
                let value = self.table.value_at(row, feature.id);
                missing += usize::from(value.is_none());
                fields.insert(feature.field.to_owned(), json!(value));
            }
            answer.insert(category.to_string(), Value::Object(fields));
        }
        let count = self.features.len();
        answer.insert("feature_count".to_owned(), json!(count));
        answer.insert("missing_features".to_owned(), json!(missing));
        answer.insert(
            "data_quality_score".to_owned(),
            json!(1.0 - missing as f64 / count.max(1) as f64),
        );
        Value::Object(answer)
    }

    /// The matrix as CSV: a `date` column, then one column per feature; a missing value is empty.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("date");
        for feature in &self.features {
            text.push(',');
            text.push_str(feature.name);
        }
        text.push('\n');
        for (row, day) in self.rows() {
            text.push_str(&day.to_string());
            for feature in &self.features {
                text.push(',');
                if let Some(value) = self.table.value_at(row, feature.id) {
                    write!(text, "{value}").expect("writing to a string cannot fail");
                }
            }
            text.push('\n');
        }
        text
    }

    fn rows(&self) -> impl Iterator<Item = (usize, NaiveDate)> {
        self.table
            .first_day()
            .iter_days()
            .take(self.table.days())
            .enumerate()
    }
}

impl Serialize for FeatureMatrix {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows: Vec<Value> = self
            .rows()
            .map(|(row, day)| {
                let values: Vec<Option<f64>> = self
                    .features
                    .iter()
                    .map(|feature| self.table.value_at(row, feature.id))
                    .collect();
                json!({"date": day, "values": values})
            })
            .collect();
        let names: Vec<&str> = self.features.iter().map(|feature| feature.name).collect();
        json!({
            "user_id": self.user(),
            "as_of": self.as_of,
            "as_known_each_evening": self.as_known_each_evening,
            "features": names,
            "rows": rows,
        })
        .serialize(serializer)
    }
}
