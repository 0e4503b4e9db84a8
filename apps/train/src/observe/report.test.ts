import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { MetricRow } from './metrics-log';
import { writeReport } from './report';
import { HEALTH_CURVES } from './report-texts';
import { type RunOutcome, verdict } from './verdict';

const outcome: RunOutcome = {
  ...{ step: 20, steps: 20, running: false, warmup: 2, labelled: true, loss: { first: 3, last: 2 }, spread: 0.5 },
  ...{ trouble: [], fork: undefined },
  knn: {
    ...{ step: 20, k: 20, images: 50, classes: 5, chance: 0.2, share: 0.5 },
    pixels: { share: 0.4, lead: 0.1, error: 0.07 },
    start: { share: 0.3, lead: 0.2, error: 0.06, weights: 'untrained' },
  },
};
const rows: readonly MetricRow[] = [
  { step: 0, knn: 0.3, knn_pixels: 0.4 },
  { step: 20, knn: 0.5, knn_pixels: 0.4, loss: 2, lr: 0.1, feature_std: 0.5 },
];

async function report(given: Partial<Parameters<typeof writeReport>[0]> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'report-'));
  const rest = { history: [], notices: [], secondsSpent: 65, imagesSeen: 1280, config: 'a: 1' };
  await writeReport({ folder, rows, outcome, ...rest, ...given });
  return readFile(join(folder, 'report.html'), 'utf8');
}

test('the report opens with the sentence, before any figure', async () => {
  const html = await report();
  const at = html.indexOf(`<p class="subtitle">${verdict(outcome)}</p>`);
  expect(at).toBeGreaterThan(0);
  expect(at).toBeLessThan(html.indexOf('<dl class="facts">'));
});

test('sections come in the order in which a newcomer asks, empty ones are left out', async () => {
  const titles = (html: string) => [...html.matchAll(/<h2>([^<]+)/g)].map((match) => match[1]);
  expect(titles(await report())).toEqual(['Figures', 'Training', 'Health', 'Configuration']);
  const bare = { ...outcome, step: 0, knn: undefined, spread: undefined };
  expect(titles(await report({ rows: [], outcome: bare, history: ['forked'] }))).toEqual(['History', 'Configuration']);
});

test('the table holds every accuracy, and what the lead over it is worth', async () => {
  const html = await report();
  const row = (...cells: string[]) => cells.map((cell) => `<td>${cell}</td>`).join('');
  expect(html).toContain(row('raw pixels', '40.0 %', '+10.0 ± 14.0', 'level'));
  expect(html).toContain(row('untrained network', '30.0 %', '+20.0 ± 12.0', 'ahead'));
  expect(html).toContain(row('trained network', '50.0 %', '–', '–'));
});

test('no chart is without a caption, and health is said where nothing looked wrong', async () => {
  const html = await report();
  expect(html.split('<figure>').length).toBe(html.split('<figcaption>').length);
  expect(html).toContain(HEALTH_CURVES[0]!.caption);
  expect(html).toContain('Nothing looked wrong at the newest check');
  const notices = [{ severity: 'error', code: 'collapse', text: 'step 20: all alike' }] as const;
  expect(await report({ notices })).toContain('<p class="notice error">step 20: all alike</p>');
});
