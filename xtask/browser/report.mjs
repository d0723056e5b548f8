// Checks a report in Chromium as a user would open it: `node report.mjs FOLDER PAGE`, with the packages in FOLDER.
import { createRequire } from "node:module";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, file] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const address = pathToFileURL(file).href;
const args = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const wrong = [];
const expect = (holds, what) => {
  if (!holds) wrong.push(what);
};

/** Opens the page, records console errors and requests, and calls `look`. */
async function opened(options, look) {
  const profile = mkdtempSync(join(tmpdir(), "rowcall-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args, ...options,
  });
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) wrong.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => wrong.push(`error: ${error}`));
    page.on("request", (request) => expect(request.url() === address || request.url().startsWith("data:"), `request: ${request.url()}`));
    await page.goto(address, { waitUntil: "load" });
    await look(page);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

const sections = ["summary", "failures", "fields", "time", "extremes", "reasks", "rows", "settings"];

await opened({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 } }, async (page) => {
  for (const id of sections) expect(await page.locator(`#${id} h2`).isVisible(), `without its script, section ${id} is missing`);
  expect(!(await page.locator(".controls").isVisible()), "without its script, useless controls are visible");
  await page.locator("#stories summary").first().click();
  expect(await page.locator("#stories .story").first().isVisible(), "without its script, a row does not open");
});

await opened({ viewport: { width: 1280, height: 900 } }, async (page) => {
  expect(!(await page.title()).includes("broken"), "a text of the data was executed");
  const stories = page.locator("#stories > details:visible");
  const all = await stories.count();
  expect(all === 200, `${all} rows in the sample instead of 200`);

  await page.locator("#search").fill("person number 1");
  const found = await stories.count();
  expect(found > 0 && found < all, `a search finds ${found} of ${all} rows`);
  expect((await page.locator("#shown").textContent()) === `${found} of ${all} rows`, "the count of what was found is wrong");
  await page.locator("#search").fill("");
  await page.locator("#stratum").selectOption({ index: 2 });
  const stratum = await page.locator("#stratum").inputValue();
  const kinds = await stories.evaluateAll((rows) => [...new Set(rows.map((row) => row.dataset.stratum))]);
  expect(kinds.length === 1 && kinds[0] === stratum, `the filter for ${stratum} shows ${kinds}`);
  await page.locator("#stratum").selectOption("");
  await page.locator("#order").selectOption("ms");
  const times = await stories.evaluateAll((rows) => rows.map((row) => Number(row.dataset.ms)));
  expect(times.every((time, at) => at === 0 || time <= times[at - 1]), "the slowest rows are not first");
  await page.locator("#fold").click();
  expect((await page.locator("#stories > details[open]").count()) === all, "not all rows open");
  await page.locator("#fold").click();

  const table = page.locator("#extremes table").first();
  const column = table.locator("thead th").nth(6);
  for (const direction of ["descending", "ascending"]) {
    await column.locator("button").click();
    expect((await column.getAttribute("aria-sort")) === direction, `a column does not say that it is ${direction}`);
    const values = await table.locator("tbody tr").evaluateAll((rows) => rows.map((row) => Number(row.cells[6].dataset.v)));
    const sign = direction === "ascending" ? 1 : -1;
    expect(values.every((value, at) => at === 0 || sign * (value - values[at - 1]) >= 0), `a column is not ${direction}: ${values}`);
  }

  // The keyboard works as well as the mouse.
  await page.locator("#stories summary").first().focus();
  await page.keyboard.press("Enter");
  expect(await page.locator("#stories > details").first().evaluate((row) => row.open), "Enter does not open a row");
  await page.goto(address);
  await page.keyboard.press("Tab");
  expect((await page.evaluate(() => document.activeElement.textContent)) === "Skip to the report", "the first Tab stop is not the skip link");
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 400]) {
    await opened({ colorScheme, viewport: { width, height: 900 } }, async (page) => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide <= width, `at ${width} px the page is ${wide} px wide`);
      await page.screenshot({ path: join(folder, `report-${width}-${colorScheme}.png`), fullPage: true });
      await page.evaluate(() => document.querySelectorAll("details").forEach((row, at) => { row.open = at < 30; }));
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run(document));
      for (const { id, impact, help, nodes } of violations) {
        if (["serious", "critical"].includes(impact)) wrong.push(`axe, ${width} px, ${colorScheme}: ${id}: ${help}: ${nodes[0].html.slice(0, 200)} (${nodes.length})`);
      }
    });
  }
}

for (const what of [...new Set(wrong)]) console.log(what);
console.log(wrong.length === 0 ? "the report passes all checks" : `${wrong.length} problems`);
process.exitCode = wrong.length === 0 ? 0 : 1;
