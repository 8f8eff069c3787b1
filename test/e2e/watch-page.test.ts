import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';
import { freePort } from '../support/port.ts';
import { until } from '../support/until.ts';
import { type Program, startProgram } from './program.ts';

/** Throws where there is no Chromium: a page that was not seen in a browser is not tested. */
const executablePath = () =>
  execFileSync('sh', ['-c', 'command -v chromium || command -v google-chrome'], { encoding: 'utf8' }).trim();

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: executablePath(), args: ['--no-sandbox'] });
});
afterAll(() => browser?.close());

const example = (step: number, metrics: Readonly<Record<string, unknown>> = {}) =>
  exampleText({ metrics: { global_step: step, total_steps: 100, training_loss: 3 / step, ...metrics } });

interface Shown {
  readonly x: readonly number[];
  readonly values: readonly number[];
}

/** What the page draws. */
const dataOf = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { watchPage: { data: Shown } }).watchPage.data);

const shows = (page: Page, step: number) =>
  until(async () => ((await dataOf(page)).x.at(-1) === step ? true : undefined), `step ${step}`, 10_000);

async function servePage(files: readonly string[], port: number): Promise<Program> {
  const program = await startProgram({
    program: process.execPath,
    args: [inject('bundle'), 'watch', '--serve', '--port', String(port), ...files],
    isReady: async (said) => said.includes('Open '),
  });
  onTestFinished(() => program.stop());
  return program;
}

/** A page of the server, and the requests that it made. */
async function openPage(port: number, colorScheme: 'light' | 'dark' = 'light') {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1100, height: 900 } });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const requests: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('ERR_')) errors.push(message.text());
  });
  await page.goto(`http://localhost:${port}/`);
  return { page, requests, errors };
}

async function setUp() {
  const file = join(temporaryFolder(), 'current.json');
  replaceFile(file, example(1));
  const port = await freePort();
  return { file, port, program: await servePage([file], port) };
}

/** Writes steps one after the other, each once the page has shown the one before it. */
async function writeSteps(page: Page, file: string, from: number, to: number): Promise<void> {
  for (let step = from; step <= to; step++) {
    replaceFile(file, example(step));
    await shows(page, step);
  }
}

describe('the page of watch --serve', () => {
  it('draws every point of the file, within a second of its write, and asks no other server', async () => {
    const { file, port } = await setUp();
    const { page, requests, errors } = await openPage(port);
    await shows(page, 1);
    await writeSteps(page, file, 2, 5);
    const times = [];
    for (let step = 6; step <= 10; step++) {
      const before = performance.now();
      replaceFile(file, example(step));
      await shows(page, step);
      times.push(performance.now() - before);
    }
    expect(Math.max(...times)).toBeLessThan(1000);
    const { x, values } = await dataOf(page);
    expect(x).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(values).toEqual(x.map((step) => 3 / step));
    expect(await page.locator('#place').textContent()).toMatch(/step 10 of 100, 10\.0 %, about/);
    expect(await page.locator('canvas').count()).toBe(1);
    expect(new Set(requests.map((url) => new URL(url).host))).toEqual(new Set([`localhost:${port}`]));
    expect(errors).toEqual([]);
  });

  it('survives a reload and a restart of the server', async () => {
    const { file, port, program } = await setUp();
    const { page } = await openPage(port);
    await writeSteps(page, file, 2, 4);
    await page.reload();
    await shows(page, 4);
    expect((await dataOf(page)).x).toEqual([1, 2, 3, 4]);
    await program.stop();
    await page.locator('#state', { hasText: 'no connection' }).waitFor();
    await servePage([file], port);
    await page.locator('#state', { hasText: 'running' }).waitFor();
    await writeSteps(page, file, 5, 6);
    expect((await dataOf(page)).x).toEqual([4, 5, 6]);
  });

  it('shows NaN, a broken file and the end of the run, as text that a screen reader reads', async () => {
    const { file, port } = await setUp();
    const { page } = await openPage(port);
    await shows(page, 1);
    replaceFile(file, example(2).replace('"training_loss":1.5', '"training_loss":NaN'));
    await page.getByRole('log').getByText('training_loss became NaN').waitFor();
    await page.getByRole('row', { name: 'training_loss NaN' }).waitFor();
    writeFileSync(file, '{"training_metrics": {');
    await page.getByRole('alert').filter({ hasText: 'JSON' }).waitFor();
    replaceFile(
      file,
      exampleText({ top: { status: 'completed' }, metrics: { global_step: 3, total_steps: 3 } }),
    );
    await page.getByRole('status').filter({ hasText: 'completed' }).waitFor();
    expect(await page.getByRole('alert').isVisible()).toBe(false);
    expect(await page.getByRole('img').getAttribute('aria-label')).toMatch(
      /^training_loss: 1\.2345 at step 3/,
    );
  });

  it('adds only new events to the list, and counts the time since the last write', async () => {
    const { file, port } = await setUp();
    const { page } = await openPage(port);
    await shows(page, 1);
    await page.getByText('run began').waitFor();
    const added = await page.evaluateHandle<string[]>(`
      const texts = [];
      new MutationObserver((changes) => {
        for (const { addedNodes } of changes)
          for (const node of addedNodes) texts.push(node.lastChild.textContent);
      }).observe(document.getElementById('events'), { childList: true });
      texts;`);
    const nan = (step: number) => example(step, { training_loss: null }).replace('null', 'NaN');
    replaceFile(file, nan(2));
    await page.getByText('training_loss became NaN').waitFor();
    replaceFile(file, example(3));
    await page.getByText('training_loss is finite again').waitFor();
    expect(await added.jsonValue()).toEqual(['training_loss became NaN', 'training_loss is finite again']);
    expect(await page.locator('#events li span').allTextContents()).toEqual([
      'training_loss is finite again',
      'training_loss became NaN',
      'run began: training-job-001',
    ]);
    await page.getByText(/^written [2-9] seconds ago$/).waitFor();
  });

  it('is used by keys alone, with several files', async () => {
    const folder = temporaryFolder();
    const files = [0, 1, 2].map((rank) => join(folder, `rank-${rank}.json`));
    files.forEach((file, rank) => {
      replaceFile(file, exampleText({ job: { rank }, metrics: { global_step: 7, training_loss: rank + 1 } }));
    });
    const port = await freePort();
    await servePage(files, port);
    const { page } = await openPage(port);
    await shows(page, 7);
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await until(async () => ((await dataOf(page)).values.at(-1) === 2 ? true : undefined), 'rank 1');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await until(
      async () => ((await dataOf(page)).values.at(-1) === 1.3456 ? true : undefined),
      'the next metric',
    );
    expect(await page.getByLabel('Metric').inputValue()).toBe('validation_loss');
  });

  it('shows each of sixteen ranks, also one that is NaN and one without a file', async () => {
    const folder = temporaryFolder();
    const files = Array.from({ length: 16 }, (_, rank) => join(folder, `rank-${rank}.json`));
    const write = (rank: number, training_loss: number) => {
      const text = exampleText({ job: { rank }, metrics: { global_step: 7, training_loss } });
      replaceFile(files[rank] ?? '', text.replace('"training_loss":null', '"training_loss":NaN'));
    };
    for (const rank of files.keys()) if (rank !== 3) write(rank, rank + 1);
    const port = await freePort();
    await servePage(files, port);
    const { page, errors } = await openPage(port);
    await shows(page, 7);
    const runs = page.getByLabel('Run', { exact: true });
    const names = files.map((file, rank) => (rank === 3 ? file : `training-job-001 rank ${rank} (${file})`));
    expect(await runs.locator('option').allTextContents()).toEqual(names);
    const table = page.getByRole('table', { name: 'Runs' });
    await table.getByRole('row', { name: 'training-job-001 rank 15 running 7 16', exact: true }).waitFor();
    await table.getByRole('row', { name: /rank-3\.json .* does not exist/ }).waitFor();
    await runs.selectOption({ index: 15 });
    await until(async () => (await dataOf(page)).values.at(-1) === 16, 'the loss of the last rank');
    write(7, Number.NaN);
    await runs.selectOption({ index: 7 });
    await page.getByRole('row', { name: 'training_loss NaN' }).waitFor();
    await runs.selectOption({ index: 3 });
    await page.getByRole('alert').filter({ hasText: 'does not exist' }).waitFor();
    write(3, 4);
    await page.getByRole('heading', { name: 'training-job-001 rank 3' }).waitFor();
    expect(await runs.inputValue()).toBe(`training-job-001 rank 3 (${files[3]})`);
    expect(errors).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('is drawn in the colours of the system: %s', async (scheme) => {
    const { file, port } = await setUp();
    const { page } = await openPage(port, scheme);
    await writeSteps(page, file, 2, 12);
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(background).toBe(scheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(13, 17, 23)');
    const folder = process.env.WATCH_PICTURES;
    if (folder !== undefined) await page.screenshot({ path: join(folder, `watch-${scheme}.png`) });
  });

  it('is for this machine only, and for no other site', async () => {
    const { port } = await setUp();
    const status = async (headers: Readonly<Record<string, string>>, path = '/') => {
      const { request } = await import('node:http');
      return new Promise((resolve, reject) => {
        request({ port, path, headers }, (response) => resolve(response.resume().statusCode))
          .once('error', reject)
          .end();
      });
    };
    expect(await status({ host: `localhost:${port}` })).toBe(200);
    expect(await status({ host: 'evil.example' }, '/events')).toBe(403);
    expect(await status({ host: `localhost:${port}` }, '/../package.json')).toBe(404);
    expect(await status({ host: `localhost:${port}` }, '//')).toBe(404);
    expect(await status({ host: `localhost:${port}` }, ':x')).toBe(400);
    expect(await status({ host: `localhost:${port}` })).toBe(200);
  });
});
