//! The clients that are compared.

use Client::{
    AiohttpOrjson, AsCompleted, AsyncOpenai, Flexllm, Gather, Genai, Instructor, Instructors, Journal,
    Library, Litellm, Loop, MapTable, OpenaiParse, Rig, Rstructor, Run,
};

/// A client; several of them are ways of using rowcall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    /// hyper-util's pooled client with a typed decode: no schema beyond the text, no validation, no limits.
    Loop,
    Library,
    /// `rowcall run`, JSON Lines to JSON Lines, without and with a journal.
    Run,
    Journal,
    Instructors,
    Rstructor,
    Genai,
    AsyncOpenai,
    Rig,
    AsCompleted,
    Gather,
    MapTable,
    AiohttpOrjson,
    Flexllm,
    OpenaiParse,
    Litellm,
    Instructor,
}

/// All, in the order in which they are run and shown.
pub(crate) const CLIENTS: [Client; 17] = [
    Loop,
    Library,
    Run,
    Journal,
    Instructors,
    Rstructor,
    Genai,
    AsyncOpenai,
    Rig,
    AsCompleted,
    Gather,
    MapTable,
    AiohttpOrjson,
    Flexllm,
    OpenaiParse,
    Litellm,
    Instructor,
];

/// Whose program a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// `bench/floor`.
    Floor,
    /// rowcall's command line.
    CommandLine,
    /// `bench/peers`, the Rust libraries.
    Peers,
    /// `bench/peers/client.py`.
    Python,
}

impl Client {
    /// The name in options and tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Loop => "hyper-util loop",
            Library => "rowcall, library",
            Run => "rowcall run --no-journal",
            Journal => "rowcall run",
            Instructors => "instructors",
            Rstructor => "rstructor",
            Genai => "genai",
            AsyncOpenai => "async-openai",
            Rig => "rig",
            AsCompleted => "rowcall, Python as_completed",
            Gather => "rowcall, Python gather",
            MapTable => "rowcall, Python map_table",
            AiohttpOrjson => "aiohttp, orjson, Pydantic",
            Flexllm => "flexllm, Pydantic",
            OpenaiParse => "openai parse",
            Litellm => "litellm, Pydantic",
            Instructor => "Instructor",
        }
    }

    /// The client's name in its program.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Loop => "hyper-util",
            Library => "rowcall",
            Run | Journal => "run",
            Instructors => "instructors",
            Rstructor => "rstructor",
            Genai => "genai",
            AsyncOpenai => "async-openai",
            Rig => "rig",
            AsCompleted => "as_completed",
            Gather => "gather",
            MapTable => "map_table",
            AiohttpOrjson => "aiohttp_orjson",
            Flexllm => "flexllm",
            OpenaiParse => "openai_parse",
            Litellm => "litellm",
            Instructor => "instructor",
        }
    }

    /// Whose program it is.
    pub(crate) fn program(self) -> Program {
        match self {
            Loop | Library => Program::Floor,
            Run | Journal => Program::CommandLine,
            Instructors | Rstructor | Genai | AsyncOpenai | Rig => Program::Peers,
            AsCompleted | Gather | MapTable | AiohttpOrjson | Flexllm | OpenaiParse | Litellm
            | Instructor => Program::Python,
        }
    }

    /// How many times fewer rows it gets than the fastest.
    pub(crate) fn slowness(self) -> u64 {
        match self {
            Loop | Library | Run | Journal | Instructors | Rstructor | Genai | AsyncOpenai | Rig
            | AsCompleted | Gather | MapTable => 1,
            AiohttpOrjson => 5,
            Flexllm | OpenaiParse | Litellm | Instructor => 50,
        }
    }

    /// Whether it takes part where the slow ones would take too long.
    pub(crate) fn is_fast(self) -> bool {
        matches!(self, Loop | Library | Run | Journal | Instructors | AsyncOpenai)
    }
}
