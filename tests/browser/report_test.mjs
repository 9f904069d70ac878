// SPDX-License-Identifier: BSD-2-Clause
// The HTML report as a browser meets it: it loads alone, shows its plots, runs nothing of what
// processes call themselves, and can be read on a phone, in the dark and on paper.
//
// OOMWITNESS_SCREENSHOTS=DIR keeps pictures to look at.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';

const MANY = 1000;
const shots = process.env.OOMWITNESS_SCREENSHOTS;
const folder = mkdtempSync(join(tmpdir(), 'oomwitness-browser.'));
let browser;

// Numbers that JavaScript would spoil become the largest that it keeps.
const golden = (name) =>
  JSON.parse(readFileSync(join(process.env.GOLDEN, `${name}.json`), 'utf8'), (_, value) =>
    typeof value === 'number' && !Number.isSafeInteger(value) ? Number.MAX_SAFE_INTEGER : value);

// Incidents in, the path of their report out.
function report(name, incidents) {
  const lines = join(folder, `${name}.json`);
  const html = join(folder, `${name}.html`);
  writeFileSync(lines, incidents.map((i) => JSON.stringify(i) + '\n').join(''));
  execFileSync(process.env.OOMWITNESS, ['report', '-o', html, lines]);
  return html;
}

function at(incident, n, minutes) {
  const copy = structuredClone(incident);
  copy.id = `${incident.id}-${n}`;
  copy.time = new Date(Date.parse('2026-11-23T00:00:00Z') + minutes * 60_000).toISOString();
  return copy;
}

// Opens a report; anything that it asks for, says or runs is a failure.
async function open(path, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const wrong = [];
  page.on('console', (m) => wrong.push(`console ${m.type()}: ${m.text()}`));
  page.on('pageerror', (e) => wrong.push(`error: ${e}`));
  page.on('dialog', (d) => { wrong.push(`dialog: ${d.message()}`); d.dismiss(); });
  page.on('request', (r) => {
    if (!r.url().startsWith('file:') || !r.isNavigationRequest()) {
      if (!r.url().startsWith('data:,')) wrong.push(`request: ${r.url()}`);
    }
  });
  await page.goto(`file://${path}`, { waitUntil: 'load' });
  const close = async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  };
  return { page, close };
}

async function shot(page, name, fullPage = true) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage });
}

const EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>\'\u202e\u0007\u001b[31m';

function hostile() {
  const i = golden('recorded');
  i.host.name = EVIL;
  i.scope.memcg.path = `/${EVIL}`;
  i.invoker.comm = EVIL;
  i.invoker.kernel_stack = [EVIL];
  Object.assign(i.victims[0], { comm: EVIL, cmdline: [EVIL, EVIL], cgroup: EVIL, unit: EVIL, exe: EVIL });
  for (const candidate of i.candidates.top) candidate.comm = EVIL;
  i.history.tracked[0].comm = EVIL;
  i.provenance.missing = { [EVIL]: EVIL };
  return i;
}

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

test('one incident loads alone and shows its plots', async () => {
  const { page, close } = await open(report('one', [golden('recorded')]));
  // The policy lets the style sheet in, by its hash.
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).maxWidth), 'none');
  const plots = page.locator('svg[role=img]');
  assert.equal(await plots.count(), 2);
  for (const plot of await plots.all()) {
    const box = await plot.boundingBox();
    assert.ok(box.width > 200 && box.height > 20, JSON.stringify(box));
    assert.ok((await plot.locator('desc').textContent()).length > 20);
  }
  assert.ok((await page.locator('path.curve').first().getAttribute('d')).length > 100);
  assert.equal(await page.locator('line.limit').count(), 1);
  assert.equal(await page.locator('line.kill').count(), 1);
  await shot(page, 'one-light');
  await close();
});

for (const [name, options] of [
  ['dark', { colorScheme: 'dark' }],
  ['phone', { viewport: { width: 360, height: 740 }, isMobile: true, deviceScaleFactor: 2 }],
  ['phone-dark', { viewport: { width: 360, height: 740 }, isMobile: true, colorScheme: 'dark' }],
]) {
  test(`it can be read: ${name}`, async () => {
    const some = ['recorded', 'global', 'group', 'user_space', 'hostile'].map((g, n) => at(golden(g), n, n * n * 7));
    const { page, close } = await open(report(name, some), options);
    const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= room, `${wide} pixels do not fit into ${room}`);
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = background.match(/\d+/g).slice(0, 3).every((c) => Number(c) > 200);
    assert.equal(light, options.colorScheme !== 'dark', background);
    await page.evaluate(() => document.querySelectorAll('details.incident').forEach((d) => { d.open = true; }));
    const [opened] = await page.evaluate(() => [document.documentElement.scrollWidth]);
    assert.ok(opened <= room, `unfolded, ${opened} pixels do not fit into ${room}`);
    await shot(page, name);
    await close();
  });
}

test('hostile names are text', async () => {
  const { page, close } = await open(report('hostile', [hostile(), at(hostile(), 1, 5)]));
  assert.equal(await page.locator('script, img, iframe, object, embed, [onerror]').count(), 0);
  await page.evaluate(() => document.querySelectorAll('details').forEach((d) => { d.open = true; }));
  const text = await page.evaluate(() => document.body.innerText);
  assert.ok(text.includes('<script>alert(1)</script>'));
  assert.ok(!/[\u202e\u0007\u001b]/.test(text));
  await shot(page, 'hostile');
  await close();
});

test('it prints', async () => {
  const { page, close } = await open(report('print', [golden('recorded')]));
  const pdf = await page.pdf({ format: 'A4' });
  assert.ok(pdf.length > 5000);
  if (shots) writeFileSync(join(shots, 'print.pdf'), pdf);
  await close();
});

test(`${MANY} incidents open and have all their records`, async (t) => {
  const models = ['recorded', 'global', 'memcg', 'group'].map(golden);
  const incidents = Array.from({ length: MANY }, (_, n) => at(models[n % models.length], n, n * 3));
  const html = report('many', incidents);
  const size = statSync(html).size;
  assert.ok(size <= 5 * 1024 * 1024, `${size} bytes`);
  const { page, close } = await open(html, { acceptDownloads: true });
  const ms = await page.evaluate(() => performance.getEntriesByType('navigation')[0].loadEventEnd);
  t.diagnostic(`${(size / 1024 / 1024).toFixed(2)} MiB, loaded in ${Math.round(ms)} ms`);
  assert.equal(await page.locator('details.incident').count(), MANY);
  await shot(page, 'many', false);
  const link = page.locator('a[download]');
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  const lines = gunzipSync(readFileSync(await download.path())).toString().trimEnd().split('\n');
  assert.equal(lines.length, MANY);
  assert.deepEqual(new Set(lines.map((l) => JSON.parse(l).id)), new Set(incidents.map((i) => i.id)));
  await close();
});
