// Chromium, and what is held against every page that it shows.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";

const { CHROMIUM = "chromium", COUNTERSIGN_SCREENSHOTS } = process.env;

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });

// newOperator signs somebody in, in a browser of their own. Violations of the
// content security policy, dialogs and errors of scripts are kept in troubles.
export async function newOperator(browser, link, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const troubles = [];
  if (options.javaScriptEnabled !== false) {
    await context.exposeFunction("countersignTrouble", (text) => void troubles.push(text));
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (e) => window.countersignTrouble(`violation of ${e.violatedDirective}: ${e.blockedURI} ${e.sample}`));
    });
  }
  const page = await context.newPage();
  page.setDefaultTimeout(8000);
  page.on("dialog", (dialog) => {
    troubles.push(`a dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  page.on("pageerror", (error) => troubles.push(`an error: ${error}`));
  page.on("console", (message) => /Content Security Policy/i.test(message.text()) && troubles.push(message.text()));
  await page.goto(link);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(/\/dashboard\/(p\/|projects)/);
  return { context, page, troubles };
}

// checkAccessible fails on what axe calls serious or worse.
export async function checkAccessible(page, where) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { preload: false, resultTypes: ["violations"] }));
  const found = violations
    .filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => `${where}: ${v.id}: ${v.help}: ${v.nodes.map((n) => `${n.html} ${n.failureSummary}`).join(" | ")}`);
  assert.deepEqual(found, []);
}

// shoot keeps a screenshot, if anybody wants them.
export async function shoot(page, name) {
  if (!COUNTERSIGN_SCREENSHOTS) return;
  mkdirSync(COUNTERSIGN_SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(COUNTERSIGN_SCREENSHOTS, `${name}.png`), fullPage: true });
}
