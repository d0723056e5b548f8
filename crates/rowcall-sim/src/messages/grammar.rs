//! The shape of a Messages request, from Anthropic's API description; anything else is rejected. Rules that involve
//! several fields are checked where the fields are read.

use crate::ask::shape::{Field, Shape, nullable, optional, required};

const ANY_COUNT: Shape = Shape::Integer { least: 0, most: i64::MAX };
const SHARE: Shape = Shape::Number { least: 0.0, most: 1.0 };

/// `POST /v1/messages`.
pub(super) const MESSAGES: Shape = Shape::Record(&[
    required("model", Shape::Text),
    // 0 only warms the cache.
    required("max_tokens", ANY_COUNT),
    CONVERSATION,
    CACHE_CONTROL,
    nullable("container", Shape::Any),
    nullable("diagnostics", Shape::Map),
    nullable("inference_geo", Shape::Text),
    optional("metadata", Shape::Record(&[nullable("user_id", Shape::Text)])),
    OUTPUT_CONFIG,
    optional("service_tier", Shape::Word(&["auto", "standard_only"])),
    nullable("speed", Shape::Word(&["standard", "fast"])),
    optional("stop_sequences", Shape::List(&Shape::Text)),
    optional("stream", Shape::Flag),
    SYSTEM,
    optional("temperature", SHARE),
    THINKING,
    TOOL_CHOICE,
    TOOLS,
    optional("top_k", ANY_COUNT),
    optional("top_p", SHARE),
    optional("user_profile_id", Shape::Text),
    optional("workspace_id", Shape::Text),
]);

/// `POST /v1/messages/count_tokens`: the fields of the prompt, and none that concern the answer.
pub(super) const COUNT_TOKENS: Shape = Shape::Record(&[
    required("model", Shape::Text),
    CONVERSATION,
    CACHE_CONTROL,
    OUTPUT_CONFIG,
    SYSTEM,
    THINKING,
    TOOL_CHOICE,
    TOOLS,
]);

const CONVERSATION: Field = required("messages", Shape::List(&MESSAGE));
const CACHE_CONTROL: Field = nullable(
    "cache_control",
    Shape::Tagged("type", &[("ephemeral", &[optional("ttl", Shape::Word(&["5m", "1h"]))])]),
);
const SYSTEM: Field = optional("system", Shape::Either(&[Shape::Text, Shape::List(&WORDS)]));

const OUTPUT_CONFIG: Field = optional(
    "output_config",
    Shape::Record(&[
        nullable("effort", Shape::Word(&["low", "medium", "high", "xhigh", "max"])),
        nullable("format", Shape::Tagged("type", &[("json_schema", &[required("schema", Shape::Map)])])),
    ]),
);

const DISPLAY: Field = nullable("display", Shape::Word(&["summarized", "omitted"]));
const THINKING: Field = optional(
    "thinking",
    Shape::Tagged(
        "type",
        &[
            ("adaptive", &[DISPLAY]),
            (
                "enabled",
                &[required("budget_tokens", Shape::Integer { least: 1024, most: i64::MAX }), DISPLAY],
            ),
            ("disabled", &[]),
            ("between_tools", &[]),
        ],
    ),
);

const ALONE: Field = optional("disable_parallel_tool_use", Shape::Flag);
const TOOL_CHOICE: Field = optional(
    "tool_choice",
    Shape::Tagged(
        "type",
        &[
            ("auto", &[ALONE]),
            ("any", &[ALONE]),
            ("tool", &[required("name", Shape::Text), ALONE]),
            ("none", &[]),
        ],
    ),
);

const TOOLS: Field = optional(
    "tools",
    Shape::List(&Shape::Record(&[
        required("name", Shape::Text),
        required("input_schema", Shape::Map),
        nullable("type", Shape::Word(&["custom"])),
        optional("description", Shape::Text),
        optional("strict", Shape::Flag),
        optional("allowed_callers", Shape::List(&Shape::Text)),
        optional("defer_loading", Shape::Flag),
        nullable("eager_input_streaming", Shape::Flag),
        optional("input_examples", Shape::List(&Shape::Map)),
        CACHE_CONTROL,
    ])),
);

const MESSAGE: Shape = Shape::Tagged(
    "role",
    &[
        ("user", SAID),
        ("assistant", SAID),
        // In the middle of a conversation, for newer models.
        ("system", &[required("content", Shape::Either(&[Shape::Text, Shape::List(&WORDS)]))]),
    ],
);

const SAID: &[Field] = &[required("content", Shape::Either(&[Shape::Text, Shape::List(&BLOCK)]))];
const WORDS: Shape = Shape::Tagged("type", &[("text", TEXT)]);

const TEXT: &[Field] =
    &[required("text", Shape::Text), CACHE_CONTROL, nullable("citations", Shape::List(&Shape::Map))];

const BLOCK: Shape = Shape::Tagged(
    "type",
    &[
        ("text", TEXT),
        ("image", &[required("source", IMAGE), CACHE_CONTROL, nullable("transformations", Shape::Map)]),
        (
            "document",
            &[
                required("source", DOCUMENT),
                CACHE_CONTROL,
                nullable("citations", Shape::Record(&[optional("enabled", Shape::Flag)])),
                nullable("context", Shape::Text),
                nullable("title", Shape::Text),
            ],
        ),
        (
            "tool_use",
            &[
                required("id", Shape::Text),
                required("name", Shape::Text),
                required("input", Shape::Map),
                optional("caller", Shape::Map),
                CACHE_CONTROL,
            ],
        ),
        (
            "tool_result",
            &[
                required("tool_use_id", Shape::Text),
                optional("content", Shape::Either(&[Shape::Text, Shape::List(&WORDS)])),
                optional("is_error", Shape::Flag),
                CACHE_CONTROL,
            ],
        ),
        ("thinking", &[required("thinking", Shape::Text), required("signature", Shape::Text)]),
        ("redacted_thinking", &[required("data", Shape::Text)]),
    ],
);

const FROM_URL: &[Field] = &[required("url", Shape::Url)];
const FROM_FILE: &[Field] = &[required("file_id", Shape::Text)];

const IMAGE: Shape = Shape::Tagged(
    "type",
    &[
        (
            "base64",
            &[
                required("media_type", Shape::Word(&["image/jpeg", "image/png", "image/gif", "image/webp"])),
                required("data", Shape::Base64),
            ],
        ),
        ("url", FROM_URL),
        ("file", FROM_FILE),
    ],
);

const DOCUMENT: Shape = Shape::Tagged(
    "type",
    &[
        (
            "base64",
            &[required("media_type", Shape::Word(&["application/pdf"])), required("data", Shape::Base64)],
        ),
        ("text", &[required("media_type", Shape::Word(&["text/plain"])), required("data", Shape::Text)]),
        ("url", FROM_URL),
        ("file", FROM_FILE),
        ("content", &[required("content", Shape::Either(&[Shape::Text, Shape::List(&Shape::Map)]))]),
    ],
);
