// The live page: the report follows its run, and steers it.
const one = (id) => document.getElementById(id);
const panel = one("live");
const words = { running: "Running", draining: "Pausing", paused: "Paused", stopping: "Stopping", ended: "Ended" };
let report = 0;
let latest = null;
const say = (text, isWrong) => {
  one("said").textContent = text;
  one("said").classList.toggle("bad", Boolean(isWrong));
};
const control = async (changes, done) => {
  say("…");
  try {
    const response = await fetch("control", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ set: changes }),
    });
    const answer = await response.json();
    if (answer.error) {
      say(answer.error.message + (answer.error.hint ? ` (${answer.error.hint})` : ""), true);
      return false;
    }
    say(done);
    follow(answer.ok);
    return true;
  } catch {
    say("The run cannot be reached.", true);
    return false;
  }
};
/** Shows a state without its texts. */
const follow = (status) => {
  // The answer to a click may arrive after the news that the run has ended.
  if (latest?.state === "ended") return;
  latest = status;
  const { state, rows, settings } = status;
  one("state").textContent = words[state];
  panel.dataset.state = state;
  const isPaused = state === "paused" || state === "draining";
  const isOver = state === "ended" || state === "stopping";
  one("pause").textContent = isPaused ? "Resume" : "Pause";
  for (const id of ["pause", "stop"]) one(id).disabled = isOver;
  one("retry").disabled = isOver || rows.failed === 0;
  one("limits").querySelector("button").disabled = state === "ended";
  const total = Math.max(rows.total ?? 0, rows.done + rows.failed, 1);
  const [done, failed, left] = one("progress").children;
  done.style.flexGrow = rows.done;
  failed.style.flexGrow = rows.failed;
  left.style.flexGrow = total - rows.done - rows.failed;
  const share = Math.floor((100 * (rows.done + rows.failed)) / total);
  one("progress").setAttribute("aria-valuenow", share);
  document.title = `${isOver || isPaused ? words[state] : `${share} %`} – ${document.title.split(" – ").slice(-2).join(" – ")}`;
  const fields = one("limits").elements;
  const yours = (of) => settings.limits.find((limit) => limit.of === of && limit.from === "yours")?.amount;
  const now = {
    concurrency: settings.concurrency, rpm: yours("requests"), tpm: yours("tokens"), input_tpm: yours("input tokens"),
    output_tpm: yours("output tokens"), budget: settings.budget_usd,
    deadline: settings.deadline_seconds === null ? undefined : `${settings.deadline_seconds}s`,
  };
  for (const [name, value] of Object.entries(now)) fields[name].placeholder = value === undefined || value === null ? "none" : `now ${value}`;
};
/** Replaces what has changed, except for what the user is using; what is open stays open. */
const renew = async () => {
  const response = await fetch("./");
  if (!response.ok) return;
  const next = new DOMParser().parseFromString(await response.text(), "text/html");
  const main = one("main");
  let before = panel;
  for (const section of next.querySelectorAll("main > section:not(#live)")) {
    const old = one(section.id);
    if (!old) {
      before.after(section);
      enhance(section);
      before = section;
      continue;
    }
    before = old;
    const markup = section.innerHTML;
    const isInUse = old.contains(document.activeElement) || (getSelection()?.toString() && old.contains(getSelection().anchorNode));
    if (old.markup === markup || isInUse) continue;
    const key = (details) => details.id || `${details.closest("article")?.id} ${details.querySelector("summary").textContent}`;
    const open = new Set([...old.querySelectorAll("details[open]")].map(key));
    const wasKnown = old.markup !== undefined;
    const settings = [...old.querySelectorAll(".controls input, .controls select")].map(({ id, value }) => [id, value]);
    old.replaceChildren(...section.childNodes);
    old.markup = markup;
    enhance(old);
    for (const details of old.querySelectorAll("details")) details.open = open.has(key(details)) || (details.open && !wasKnown);
    for (const [id, value] of settings) {
      const field = old.querySelector(`#${id}`);
      if (!value || !field) continue;
      field.value = value;
      field.dispatchEvent(new Event(id === "search" ? "input" : "change"));
    }
  }
  for (const old of main.querySelectorAll(":scope > section:not(#live)")) if (!next.getElementById(old.id)) old.remove();
  document.querySelector("nav ul").replaceChildren(...next.querySelectorAll("nav li"));
};
one("pause").addEventListener("click", () => {
  const isPaused = latest?.state === "paused" || latest?.state === "draining";
  control(isPaused ? { resume: true } : { pause: true }, isPaused ? "Resumed." : "Nothing new is sent from now on.");
});
one("retry").addEventListener("click", () => control({ retry_failed: true }, "Failed rows are asked about again."));
one("stop").addEventListener("click", (event) => {
  const button = event.currentTarget;
  if (button.dataset.armed) {
    control({ stop: true }, "The run stops. The same command goes on with it.");
    return;
  }
  button.dataset.armed = "yes";
  button.textContent = "Really stop?";
  setTimeout(() => {
    delete button.dataset.armed;
    button.textContent = "Stop";
  }, 4000);
});
one("limits").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const changes = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
  if (Object.keys(changes).length === 0) return say("No field has a new value.");
  if (await control(changes, "The new limits hold.")) form.reset();
});
one("lookup").addEventListener("submit", async (event) => {
  event.preventDefault();
  const row = new FormData(event.currentTarget).get("row").trim();
  const response = await fetch(`rows/${row}`).catch(() => null);
  if (!response?.ok) {
    const text = document.createElement("p");
    text.className = "bad";
    text.textContent = response ? await response.text() : "The run cannot be reached.";
    one("found").replaceChildren(text);
    return;
  }
  const story = new DOMParser().parseFromString(await response.text(), "text/html").body.firstElementChild;
  const heading = document.createElement("h3");
  heading.textContent = `Row ${row}`;
  one("found").replaceChildren(heading, story);
});
panel.hidden = false;
for (const section of document.querySelectorAll("main > section:not(#live)")) section.markup = undefined;
const events = new EventSource("events");
events.addEventListener("message", ({ data }) => {
  const event = JSON.parse(data);
  panel.classList.remove("lost");
  for (const [name, text] of Object.entries(event.shown)) {
    for (const element of document.querySelectorAll(`[data-live="${name}"]`)) if (element.textContent !== text) element.textContent = text;
  }
  follow(event.status);
  if (event.report !== report) {
    report = event.report;
    renew().catch(() => {});
  }
  if (event.status.state === "ended") {
    events.close();
    say("The run has ended. `rowcall report` makes a file of this page.");
  }
});
events.addEventListener("error", () => {
  if (latest?.state === "ended") return;
  panel.classList.add("lost");
  one("state").textContent = "No connection";
  say("The run has ended, or cannot be reached.", true);
});
