//! The shape of a Responses request, from OpenAI's API description. Rules that involve several fields are checked
//! where the fields are read.

use crate::ask::shape::{Field, Shape, nullable, optional, required};
use crate::openai::{EFFORT, RETENTION, SHARE, TEMPERATURE, TOP_LOGPROBS, VERBOSITY};

/// OpenAI accepts no limit below 16 tokens.
const MOST_TOKENS: Shape = Shape::Integer { least: 16, most: i64::MAX };

pub(super) const BODY: Shape = Shape::Record(&[
    required("model", Shape::Text),
    required("input", Shape::Either(&[Shape::Text, Shape::List(&ITEM)])),
    nullable("background", Shape::Flag),
    nullable("background_options", Shape::Map),
    nullable("context_management", Shape::Any),
    nullable("conversation", Shape::Any),
    nullable("include", Shape::List(&Shape::Text)),
    nullable("instructions", Shape::Text),
    nullable("max_output_tokens", MOST_TOKENS),
    nullable("max_tool_calls", Shape::Integer { least: 1, most: i64::MAX }),
    nullable("metadata", Shape::Map),
    nullable("moderation", Shape::Map),
    nullable("parallel_tool_calls", Shape::Flag),
    nullable("previous_response_id", Shape::Text),
    nullable("prompt", Shape::Map),
    nullable("prompt_cache_key", Shape::Text),
    nullable("prompt_cache_options", Shape::Map),
    RETENTION,
    nullable("reasoning", Shape::Record(REASONING)),
    nullable("safety_identifier", Shape::Text),
    nullable(
        "service_tier",
        Shape::Word(&["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]),
    ),
    nullable("store", Shape::Flag),
    nullable("stream", Shape::Flag),
    nullable("stream_options", Shape::Record(&[nullable("include_obfuscation", Shape::Flag)])),
    nullable("temperature", TEMPERATURE),
    nullable("text", Shape::Record(&[nullable("format", FORMAT), VERBOSITY])),
    nullable("tool_choice", Shape::Either(&[Shape::Text, Shape::Map])),
    nullable("tools", Shape::List(&TOOL)),
    nullable("top_logprobs", TOP_LOGPROBS),
    nullable("top_p", SHARE),
    nullable("truncation", Shape::Word(&["auto", "disabled"])),
    nullable("user", Shape::Text),
]);

const REASONING: &[Field] = &[
    nullable("context", Shape::Word(&["auto", "current_turn", "all_turns"])),
    nullable("effort", EFFORT),
    nullable("generate_summary", SUMMARY),
    nullable("mode", Shape::Text),
    nullable("summary", SUMMARY),
];

const SUMMARY: Shape = Shape::Word(&["auto", "concise", "detailed"]);

const FORMAT: Shape = Shape::Tagged(
    "type",
    &[
        ("json_object", &[]),
        (
            "json_schema",
            &[
                required("name", Shape::Text),
                nullable("description", Shape::Text),
                required("schema", Shape::Map),
                nullable("strict", Shape::Flag),
            ],
        ),
        ("text", &[]),
    ],
);

const TOOL: Shape = Shape::Tagged(
    "type",
    &[(
        "function",
        &[
            required("name", Shape::Text),
            nullable("description", Shape::Text),
            nullable("parameters", Shape::Map),
            nullable("strict", Shape::Flag),
        ],
    )],
);

const STATUS: Field = nullable("status", Shape::Word(&["in_progress", "completed", "incomplete"]));
const ID: Field = nullable("id", Shape::Text);

const ITEM: Shape = Shape::Tagged(
    "type",
    &[
        (
            "message",
            &[
                required("role", Shape::Word(&["assistant", "system", "developer", "user"])),
                required("content", Shape::Either(&[Shape::Text, Shape::List(&PART)])),
                nullable("phase", Shape::Word(&["commentary", "final_answer"])),
                ID,
                STATUS,
            ],
        ),
        (
            "function_call",
            &[
                required("call_id", Shape::Text),
                required("name", Shape::Text),
                required("arguments", Shape::Text),
                nullable("caller", Shape::Map),
                nullable("namespace", Shape::Text),
                ID,
                STATUS,
            ],
        ),
        (
            "function_call_output",
            &[
                required("call_id", Shape::Text),
                required("output", Shape::Either(&[Shape::Text, Shape::List(&PART)])),
                nullable("name", Shape::Text),
                ID,
                STATUS,
            ],
        ),
        (
            "reasoning",
            &[
                required("id", Shape::Text),
                required("summary", Shape::List(&THOUGHT)),
                nullable("content", Shape::List(&THOUGHT)),
                nullable("encrypted_content", Shape::Text),
                STATUS,
            ],
        ),
        ("item_reference", &[required("id", Shape::Text)]),
    ],
);

const THOUGHT: Shape = Shape::Tagged(
    "type",
    &[
        ("summary_text", &[required("text", Shape::Text)]),
        ("reasoning_text", &[required("text", Shape::Text)]),
    ],
);

const BREAKPOINT: Field = nullable("prompt_cache_breakpoint", Shape::Map);

const PART: Shape = Shape::Tagged(
    "type",
    &[
        ("input_text", &[required("text", Shape::Text), BREAKPOINT]),
        (
            "input_image",
            &[
                nullable("image_url", Shape::Url),
                nullable("file_id", Shape::Text),
                nullable("detail", Shape::Word(&["auto", "low", "high", "original"])),
                BREAKPOINT,
            ],
        ),
        (
            "input_file",
            &[
                nullable("file_data", Shape::Url),
                nullable("file_id", Shape::Text),
                nullable("file_url", Shape::Url),
                nullable("filename", Shape::Text),
                optional("detail", Shape::Word(&["auto", "low", "high"])),
                BREAKPOINT,
            ],
        ),
        (
            "output_text",
            &[
                required("text", Shape::Text),
                nullable("annotations", Shape::List(&Shape::Map)),
                nullable("logprobs", Shape::List(&Shape::Map)),
            ],
        ),
        ("refusal", &[required("refusal", Shape::Text)]),
    ],
);
