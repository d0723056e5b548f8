//! The shape of a generateContent request, from Google's API description; anything else is rejected, and null counts
//! as absent. Rules that involve several fields are checked where the fields are read.

use crate::ask::shape::{Field, Shape, nullable};

const COUNT: Shape = Shape::Integer { least: 1, most: i32::MAX as i64 };
const INTEGER: Shape = Shape::Integer { least: i32::MIN as i64, most: i32::MAX as i64 };
const PENALTY: Shape = Shape::Number { least: -2.0, most: 2.0 };
const SHARE: Shape = Shape::Number { least: 0.0, most: 1.0 };

/// `:generateContent` and `:streamGenerateContent`.
pub(super) const GENERATE: Shape = Shape::Record(GENERATE_FIELDS);

const GENERATE_FIELDS: &[Field] = &[
    CONTENTS,
    SYSTEM,
    // The path has the model; it may be repeated here.
    nullable("model", Shape::Text),
    nullable("generationConfig", Shape::Record(CONFIG)),
    nullable("tools", Shape::List(&Shape::Record(TOOL))),
    nullable("toolConfig", Shape::Record(TOOL_CONFIG)),
    nullable("safetySettings", Shape::List(&Shape::Record(SAFETY))),
    nullable("cachedContent", Shape::Text),
    nullable("serviceTier", Shape::Word(&["unspecified", "flex", "standard", "priority"])),
    nullable("store", Shape::Flag),
    // Google's official Python SDK (3.4.0) sends it here instead of in the configuration.
    nullable("continuationToken", Shape::Base64),
    nullable("labels", Shape::Map),
];

/// `:countTokens`, with contents alone or with a whole request.
pub(super) const COUNT_TOKENS: Shape =
    Shape::Record(&[CONTENTS, nullable("generateContentRequest", Shape::Record(GENERATE_FIELDS))]);

const CONTENTS: Field = nullable("contents", Shape::List(&Shape::Record(CONTENT)));
const SYSTEM: Field = nullable("systemInstruction", Shape::Record(CONTENT));

const CONTENT: &[Field] =
    &[nullable("role", Shape::Text), nullable("parts", Shape::List(&Shape::Record(PART)))];

const PART: &[Field] = &[
    nullable("text", Shape::Text),
    nullable(
        "inlineData",
        Shape::Record(&[
            nullable("mimeType", Shape::Text),
            nullable("data", Shape::Base64),
            nullable("displayName", Shape::Text),
        ]),
    ),
    nullable(
        "fileData",
        Shape::Record(&[
            nullable("mimeType", Shape::Text),
            nullable("fileUri", Shape::Url),
            nullable("displayName", Shape::Text),
        ]),
    ),
    nullable(
        "functionCall",
        Shape::Record(&[
            nullable("id", Shape::Text),
            nullable("name", Shape::Text),
            nullable("args", Shape::Map),
        ]),
    ),
    nullable(
        "functionResponse",
        Shape::Record(&[
            nullable("id", Shape::Text),
            nullable("name", Shape::Text),
            nullable("response", Shape::Map),
            nullable("willContinue", Shape::Flag),
            nullable("scheduling", Shape::Text),
        ]),
    ),
    nullable("thought", Shape::Flag),
    nullable("thoughtSignature", Shape::Base64),
    nullable("mediaResolution", Shape::Map),
    nullable("videoMetadata", Shape::Map),
    nullable("partMetadata", Shape::Map),
];

const CONFIG: &[Field] = &[
    nullable("temperature", Shape::Number { least: 0.0, most: 2.0 }),
    nullable("topP", SHARE),
    nullable("topK", Shape::Number { least: 1.0, most: 1000.0 }),
    nullable("candidateCount", COUNT),
    nullable("maxOutputTokens", COUNT),
    nullable("stopSequences", Shape::List(&Shape::Text)),
    nullable("seed", INTEGER),
    nullable("presencePenalty", PENALTY),
    nullable("frequencyPenalty", PENALTY),
    nullable("responseMimeType", Shape::Text),
    nullable("responseSchema", Shape::Map),
    nullable("responseJsonSchema", Shape::Any),
    nullable("responseModalities", Shape::List(&Shape::Text)),
    nullable("responseLogprobs", Shape::Flag),
    nullable("logprobs", Shape::Integer { least: 0, most: 20 }),
    nullable("mediaResolution", Shape::Text),
    nullable("speechConfig", Shape::Map),
    nullable("enableEnhancedCivicAnswers", Shape::Flag),
    nullable(
        "thinkingConfig",
        Shape::Record(&[
            nullable("includeThoughts", Shape::Flag),
            nullable("thinkingBudget", Shape::Integer { least: -1, most: 65_536 }),
            nullable(
                "thinkingLevel",
                Shape::Word(&["THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"]),
            ),
        ]),
    ),
];

const TOOL: &[Field] = &[
    nullable("functionDeclarations", Shape::List(&Shape::Record(FUNCTION))),
    nullable("googleSearch", Shape::Map),
    nullable("codeExecution", Shape::Map),
    nullable("urlContext", Shape::Map),
];

const FUNCTION: &[Field] = &[
    nullable("name", Shape::Text),
    nullable("description", Shape::Text),
    nullable("parameters", Shape::Map),
    nullable("parametersJsonSchema", Shape::Any),
    nullable("response", Shape::Map),
    nullable("responseJsonSchema", Shape::Any),
    nullable("behavior", Shape::Text),
];

const TOOL_CONFIG: &[Field] = &[
    nullable(
        "functionCallingConfig",
        Shape::Record(&[
            nullable("mode", Shape::Word(&["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"])),
            nullable("allowedFunctionNames", Shape::List(&Shape::Text)),
            nullable("streamFunctionCallArguments", Shape::Flag),
        ]),
    ),
    nullable("retrievalConfig", Shape::Map),
    nullable("includeServerSideToolInvocations", Shape::Flag),
];

const SAFETY: &[Field] =
    &[nullable("category", Shape::Text), nullable("threshold", Shape::Text), nullable("method", Shape::Text)];
