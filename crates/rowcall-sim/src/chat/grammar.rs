//! The shape of a chat completions request, from OpenAI's API description. Rules that involve several fields are
//! checked where the fields are read.

use crate::ask::shape::{Field, Shape, nullable, optional, required};
use crate::openai::{COUNT, EFFORT, RETENTION, SHARE, TEMPERATURE, TOP_LOGPROBS, VERBOSITY};

const PENALTY: Shape = Shape::Number { least: -2.0, most: 2.0 };
const INTEGER: Shape = Shape::Integer { least: i64::MIN, most: i64::MAX };

pub(super) const BODY: Shape = Shape::Record(&[
    required("model", Shape::Text),
    required("messages", Shape::List(&MESSAGE)),
    nullable("audio", Shape::Map),
    nullable("frequency_penalty", PENALTY),
    nullable("function_call", Shape::Any),
    nullable("functions", Shape::Any),
    nullable("logit_bias", Shape::Map),
    nullable("logprobs", Shape::Flag),
    nullable("max_completion_tokens", COUNT),
    nullable("max_tokens", COUNT),
    nullable("metadata", Shape::Map),
    nullable("modalities", Shape::List(&Shape::Word(&["text", "audio"]))),
    nullable("moderation", Shape::Map),
    nullable("n", INTEGER),
    nullable("parallel_tool_calls", Shape::Flag),
    nullable("prediction", Shape::Map),
    nullable("presence_penalty", PENALTY),
    nullable("prompt_cache_key", Shape::Text),
    nullable("prompt_cache_options", Shape::Map),
    RETENTION,
    nullable("reasoning_effort", EFFORT),
    nullable("response_format", RESPONSE_FORMAT),
    nullable("safety_identifier", Shape::Text),
    nullable("seed", INTEGER),
    nullable("service_tier", Shape::Word(&["auto", "default", "flex", "scale", "priority", "fast"])),
    nullable("stop", Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)])),
    nullable("store", Shape::Flag),
    nullable("stream", Shape::Flag),
    nullable("stream_options", Shape::Record(STREAM_OPTIONS)),
    nullable("temperature", TEMPERATURE),
    nullable("tool_choice", Shape::Either(&[Shape::Text, Shape::Map])),
    nullable("tools", Shape::List(&Shape::Record(TOOL))),
    nullable("top_logprobs", TOP_LOGPROBS),
    nullable("top_p", SHARE),
    nullable("user", Shape::Text),
    VERBOSITY,
    nullable("web_search_options", Shape::Map),
]);

const STREAM_OPTIONS: &[Field] =
    &[nullable("include_usage", Shape::Flag), nullable("include_obfuscation", Shape::Flag)];

const RESPONSE_FORMAT: Shape = Shape::Tagged(
    "type",
    &[
        ("json_object", &[]),
        ("json_schema", &[required("json_schema", Shape::Record(JSON_SCHEMA))]),
        ("text", &[]),
    ],
);

const JSON_SCHEMA: &[Field] = &[
    required("name", Shape::Text),
    nullable("description", Shape::Text),
    required("schema", Shape::Map),
    nullable("strict", Shape::Flag),
];

/// The kind is checked where tools are read.
const TOOL: &[Field] = &[optional("type", Shape::Any), required("function", Shape::Record(FUNCTION))];

const FUNCTION: &[Field] = &[
    required("name", Shape::Text),
    nullable("description", Shape::Text),
    nullable("parameters", Shape::Map),
    nullable("strict", Shape::Flag),
];

const CONTENT: Shape = Shape::Either(&[Shape::Text, Shape::List(&PART)]);

const MESSAGE: Shape = Shape::Tagged(
    "role",
    &[
        ("system", SPOKEN),
        ("assistant", ANSWERED),
        ("user", SPOKEN),
        ("function", &[required("name", Shape::Text), nullable("content", CONTENT)]),
        ("tool", &[required("tool_call_id", Shape::Text), required("content", CONTENT)]),
        ("developer", SPOKEN),
    ],
);

const SPOKEN: &[Field] = &[required("content", CONTENT), nullable("name", Shape::Text)];

const ANSWERED: &[Field] = &[
    nullable("content", CONTENT),
    nullable("name", Shape::Text),
    nullable("refusal", Shape::Text),
    nullable("annotations", Shape::List(&Shape::Map)),
    nullable("audio", Shape::Map),
    nullable("function_call", Shape::Map),
    nullable("tool_calls", Shape::List(&TOOL_CALL)),
];

const TOOL_CALL: Shape = Shape::Tagged(
    "type",
    &[("function", &[required("id", Shape::Text), required("function", Shape::Record(CALLED))])],
);

const CALLED: &[Field] = &[required("name", Shape::Text), required("arguments", Shape::Text)];

const BREAKPOINT: Field = nullable("prompt_cache_breakpoint", Shape::Map);

const PART: Shape = Shape::Tagged(
    "type",
    &[
        ("text", &[required("text", Shape::Text), BREAKPOINT]),
        ("image_url", &[required("image_url", Shape::Record(IMAGE)), BREAKPOINT]),
        ("input_audio", &[required("input_audio", Shape::Record(AUDIO)), BREAKPOINT]),
        ("refusal", &[required("refusal", Shape::Text)]),
        ("file", &[required("file", Shape::Record(FILE)), BREAKPOINT]),
    ],
);

const IMAGE: &[Field] =
    &[required("url", Shape::Url), nullable("detail", Shape::Word(&["auto", "low", "high", "original"]))];

const AUDIO: &[Field] = &[required("data", Shape::Base64), required("format", Shape::Word(&["wav", "mp3"]))];

const FILE: &[Field] =
    &[optional("file_data", Shape::Url), optional("file_id", Shape::Text), optional("filename", Shape::Text)];
