// Watches and steers a run on its live page in Chromium: `node live.mjs FOLDER ADDRESS`, with the packages in FOLDER.
import { createRequire } from "node:module";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [folder, address] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const args = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const wrong = [];
const expect = (holds, what) => {
  if (!holds) wrong.push(what);
};

const profile = mkdtempSync(join(tmpdir(), "rowcall-browser-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args, viewport: { width: 1280, height: 900 },
});

/** Whether the run was stopped: its server ends with it, and may be gone before a page has asked for the last report. */
let isStopped = false;

/** Opens the page, and records console errors and requests elsewhere. */
const opened = async () => {
  const page = await browser.newPage();
  page.on("console", (message) => {
    // A request that is refused on purpose is an error in the console as well.
    const isRefusal = message.text().includes("400 (Bad Request)") || message.text().includes("404 (Not Found)");
    const isGone = isStopped && message.text().includes("ERR_CONNECTION_REFUSED");
    if (["error", "warning"].includes(message.type()) && !isRefusal && !isGone) wrong.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`error: ${error}`));
  page.on("request", (request) => expect(request.url().startsWith(address) || request.url().startsWith("data:"), `request: ${request.url()}`));
  await page.goto(address, { waitUntil: "load" });
  await page.locator("#live[data-state]").waitFor();
  return page;
};
const state = (page) => page.locator("#state").textContent();
const until = async (page, text) => {
  try {
    await page.locator("#state", { hasText: new RegExp(`^${text}$`) }).waitFor({ timeout: 60_000 });
  } catch {
    wrong.push(`the state is ${await state(page)}, not ${text}`);
  }
};

try {
  const [first, second] = [await opened(), await opened()];
  expect((await state(first)) === "Running", `the run is ${await state(first)} at first`);
  const rows = () => first.locator("[data-live=rows]").textContent();
  const before = await rows();
  await first.waitForFunction((text) => document.querySelector("[data-live=rows]").textContent !== text, before, { timeout: 60_000 });

  // What is open stays open while the page follows the run.
  await first.locator("#stories summary").first().click();
  const shown = () => first.locator("#rows > p").first().textContent();
  const sample = await shown();
  await first.waitForFunction((text) => document.querySelector("#rows > p").textContent !== text, sample, { timeout: 15_000 }).catch(() => {});
  await first.locator("#h-live").click();
  expect((await first.locator("#stories > details[open]").count()) >= 1, "an open row was closed");

  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 400]) {
      await second.emulateMedia({ colorScheme });
      await second.setViewportSize({ width, height: 900 });
      const wide = await second.evaluate(() => document.documentElement.scrollWidth);
      expect(wide <= width, `at ${width} px the page is ${wide} px wide`);
      await second.screenshot({ path: join(folder, `live-${width}-${colorScheme}.png`) });
      await second.evaluate(axe);
      const { violations } = await second.evaluate(() => globalThis.axe.run(document));
      for (const { id, impact, help, nodes } of violations) {
        if (["serious", "critical"].includes(impact)) wrong.push(`axe, ${width} px, ${colorScheme}: ${id}: ${help}: ${nodes[0].html.slice(0, 200)} (${nodes.length})`);
      }
    }
  }
  await second.setViewportSize({ width: 1280, height: 900 });

  // Two viewers see what one of them does.
  await first.locator("#pause").click();
  for (const page of [first, second]) await until(page, "Paused");
  expect((await second.locator("#pause").textContent()) === "Resume", "the other viewer cannot resume");
  await second.screenshot({ path: join(folder, "live-paused.png") });
  const ended = await rows();
  await first.waitForTimeout(1_500);
  expect((await rows()) === ended, "rows end during a pause");

  await first.locator("[name=concurrency]").fill("32");
  await first.locator("[name=rpm]").fill("fast");
  await first.keyboard.press("Enter");
  await first.locator("#said.bad").waitFor();
  expect((await first.locator("#said").textContent()).includes("`rpm` is `fast`"), "a change that is not understood is not explained");
  expect((await first.locator("[name=concurrency]").inputValue()) === "32", "the form has forgotten what was typed");
  await first.locator("[name=rpm]").fill("none");
  await first.keyboard.press("Enter");
  await first.locator("#said:not(.bad)", { hasText: "hold" }).waitFor();
  await second.locator("#pause").click();
  for (const page of [first, second]) await until(page, "Running");
  await first.waitForFunction(() => document.querySelector("[data-live=in-flight]").textContent.includes("of at most 32"), null, { timeout: 60_000 });

  await first.locator("[name=row]").fill("0");
  await first.keyboard.press("Enter");
  await first.locator("#found .story").waitFor();
  await first.locator("[name=row]").fill("99999999");
  await first.keyboard.press("Enter");
  await first.locator("#found .bad").waitFor();
  await first.screenshot({ path: join(folder, "live-full.png"), fullPage: true });

  // Stopping takes two clicks.
  await first.locator("#stop").click();
  expect((await state(first)) === "Running", "one click stops the run");
  isStopped = true;
  await first.locator("#stop").click();
  await until(first, "Ended");
  await until(second, "Ended");
  expect(!(await first.title()).includes("broken"), "a text of the data was executed");
} catch (error) {
  wrong.push(String(error));
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
for (const what of [...new Set(wrong)]) console.log(what);
console.log(wrong.length === 0 ? "the live page passes all checks" : `${wrong.length} problems`);
process.exitCode = wrong.length === 0 ? 0 : 1;
