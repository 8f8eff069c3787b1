import { expect, it } from 'vitest';
import { createProgressLine, sendingText } from '../../../src/commands/replay/progress.ts';
import { capture } from '../../support/terminal.ts';

it('draws a bar, the count and the time left, from the pace of what was sent', () => {
  const sending = { record: 340_000, total: 1_000_000, elapsedMs: 120_000 };
  expect(sendingText({ ...sending, from: 1 })).toBe(
    '██████░░░░░░░░░░░░░░ 340,000 of 1,000,000 records, 34.0 %, about 4 minutes left',
  );
  expect(sendingText({ ...sending, from: 280_001 })).toContain('about 22 minutes left');
  expect(sendingText({ ...sending, from: 400_000 })).toMatch(/34\.0 %$/);
});

it('is drawn five times a second on a terminal, and never elsewhere', () => {
  const [terminal, pipe] = [capture({ isTTY: true }), capture()];
  let nowMs = 0;
  const lines = [terminal, pipe].map(({ output }) => createProgressLine(output, () => nowMs));
  for (; nowMs < 1_000; nowMs += 10) for (const line of lines) line.show(() => `at ${nowMs}`);
  for (const line of lines) line.clear();
  expect(terminal.text()).toBe(
    `${[200, 400, 600, 800].map((at) => `\r\u001b[Kat ${at}`).join('')}\r\u001b[K`,
  );
  expect(pipe.text()).toBe('');
});
