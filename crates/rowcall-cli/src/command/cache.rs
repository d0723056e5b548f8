//! `rowcall cache`: shows, prunes and exports a cache of answers, even while runs use it.

use std::path::Path;
use std::time::SystemTime;

use indicatif::{HumanBytes, HumanCount};
use rowcall::cache::{CacheContents, CachedAnswer, CachedPlan, Pruned, Pruning};
use rowcall::{Result, Usd};
use serde_json::{Value, json};

use crate::args::{CacheCommand, PruneArguments};
use crate::exit::Exit;
use crate::printing;
use crate::summary::counted;

/// The maximum length of a shown prompt, in characters.
const MAX_PROMPT: usize = 70;

pub(crate) fn cache(command: &CacheCommand) -> Result<Exit> {
    match command {
        CacheCommand::Show { cache, json } => {
            let contents = CacheContents::open(cache)?;
            print(&if *json { as_json(&contents)? } else { as_text(&contents, cache)? })?;
        }
        CacheCommand::Prune(PruneArguments { cache, older_than, plan, model, max_size }) => {
            let pruning = Pruning {
                older_than: *older_than,
                plan: plan.clone(),
                model: model.clone(),
                most_bytes: *max_size,
            };
            let Pruned { removed, left, bytes: (before, after) } = pruning.prune(cache)?;
            print(&format!(
                "{} removed, {} left; {} before, {} now",
                counted(removed, "answer"),
                HumanCount(left),
                HumanBytes(before),
                HumanBytes(after)
            ))?;
        }
        CacheCommand::Export { cache } => {
            let mut contents = CacheContents::open(cache)?;
            loop {
                let page = contents.next_page()?;
                if page.is_empty() {
                    break;
                }
                let lines: Vec<String> = page.iter().map(|answer| exported(answer).to_string()).collect();
                print(&lines.join("\n"))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn print(text: &str) -> Result<()> {
    printing::result(text).map_err(|error| printing::unprintable(&error))
}

fn as_text(contents: &CacheContents, path: &Path) -> Result<String> {
    let plans = contents.plans()?;
    let answers: u64 = plans.iter().map(|plan| plan.answers).sum();
    let mut lines = vec![format!(
        "{}: {}, {}, {} in flight",
        path.display(),
        counted(answers, "answer"),
        HumanBytes(contents.bytes()?),
        counted(contents.claims()?, "row")
    )];
    for plan in &plans {
        let CachedPlan { name, model, host, prompt, usage, validated_by, .. } = plan;
        let validated_by = validated_by.as_ref().map_or(String::new(), |by| format!(", validated by `{by}`"));
        let cost = match (plan.cost, plan.cost_unknown) {
            (cost, 0) => cost.to_string(),
            (Usd::ZERO, _) => "an unknown cost".to_owned(),
            (cost, answers) => format!("{cost} and the unknown cost of {}", counted(answers, "answer")),
        };
        lines.extend([
            String::new(),
            format!("plan      {name}  {model} at {host}{validated_by}"),
            format!("prompt    {}", shortened(prompt)),
            format!("fields    {}", fields(&plan.schema)),
            format!(
                "answers   {}, stored {} to {}",
                HumanCount(plan.answers),
                minute(plan.kept.0),
                minute(plan.kept.1)
            ),
            format!(
                "saves     {} tokens in, {} out, {cost} each time all answers are reused",
                HumanCount(usage.input_tokens),
                HumanCount(usage.output_tokens)
            ),
        ]);
    }
    Ok(lines.join("\n"))
}

fn as_json(contents: &CacheContents) -> Result<String> {
    let plans = contents.plans()?;
    let shown: Vec<Value> = plans
        .iter()
        .map(|plan| {
            json!({
                "plan": plan.name,
                "model": plan.model,
                "host": plan.host,
                "prompt": plan.prompt,
                "system": plan.system,
                "parameters": plan.parameters,
                "schema": plan.schema,
                "validated_by": plan.validated_by,
                "answers": plan.answers,
                "value_bytes": plan.bytes,
                "input_tokens": plan.usage.input_tokens,
                "cached_tokens": plan.usage.cached_tokens,
                "output_tokens": plan.usage.output_tokens,
                "reasoning_tokens": plan.usage.reasoning_tokens,
                "cost_usd": amount(plan.cost),
                "cost_unknown": plan.cost_unknown,
                "first_kept": second(plan.kept.0),
                "last_kept": second(plan.kept.1),
            })
        })
        .collect();
    Ok(format!(
        "{:#}",
        json!({
            "answers": plans.iter().map(|plan| plan.answers).sum::<u64>(),
            "bytes": contents.bytes()?,
            "being_asked": contents.claims()?,
            "plans": shown,
        })
    ))
}

fn exported(answer: &CachedAnswer) -> Value {
    let CachedAnswer { key, plan, value, model, usage, cost, kept } = answer;
    json!({
        "key": key.to_string(),
        "plan": plan,
        "model": model,
        "value": value,
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": cost.map(amount),
        "kept": second(*kept),
    })
}

/// A prompt on one line, shortened.
fn shortened(prompt: &str) -> String {
    let words = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= MAX_PROMPT {
        return words;
    }
    words.chars().take(MAX_PROMPT - 1).chain(['…']).collect()
}

/// The names of a schema's fields.
fn fields(schema: &Value) -> String {
    match schema.get("properties") {
        Some(Value::Object(fields)) => fields.keys().cloned().collect::<Vec<_>>().join(", "),
        Some(_) | None => "a value that is not an object".to_owned(),
    }
}

fn amount(amount: Usd) -> Value {
    serde_json::from_str(&amount.decimal()).unwrap_or_default()
}

fn second(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

fn minute(time: SystemTime) -> String {
    // As `2026-12-01 09:30`, in UTC.
    second(time).chars().take(16).map(|character| if character == 'T' { ' ' } else { character }).collect()
}
