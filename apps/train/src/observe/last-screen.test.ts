import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Started } from '../text/program';
import { lastScreen } from './last-screen';
import type { RunOutcome } from './verdict';
import { verdict } from './verdict';

const compared = { share: 0.3, lead: 0.062, error: 0.021 };
const outcome: RunOutcome = {
  ...{ step: 250, steps: 250, running: false, warmup: 50, labelled: true, loss: undefined, spread: undefined },
  ...{ trouble: [], fork: undefined },
  knn: {
    ...{ step: 250, k: 20, images: 500, classes: 10, chance: 0.104, share: 0.362, pixels: compared },
    start: { share: 0.098, lead: 0.264, error: 0.024, weights: 'untrained' },
  },
};
const clone: Started = {
  env: { FRANCA_SETUP_DONE: '1' },
  argv: ['node', join(process.cwd(), 'apps/train/src/cli.ts')],
};
const folder = 'runs/2026-11-28T07-45-49';

test('the figures stand below each other, with what they are and when they were measured', () => {
  expect(lastScreen(folder, outcome, clone).split('\n').slice(1, 6)).toEqual([
    '20-NN: share of 500 held-out pictures (10 classes) named right',
    '  always the most frequent class   10.4 %',
    '  raw pixels                       30.0 %',
    '  untrained network                 9.8 %',
    '  trained network                  36.2 %   step 250 of 250',
  ]);
});

test('the best teacher is named where it is not the last one', () => {
  const best = { step: 100, share: 0.371 };
  const line = `best:    ${join(folder, 'best.safetensors')} (step 100, 37.1 %)`;
  expect(lastScreen(folder, { ...outcome, best }, clone).split('\n')).toContain(line);
  expect(lastScreen(folder, { ...outcome, best: { ...best, step: 250 } }, clone)).not.toContain('best:');
});

test('it fits 80 columns, and holds the sentence whole', () => {
  const text = lastScreen(folder, outcome, clone);
  for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  expect(text.replaceAll('\n', ' ')).toContain(verdict(outcome));
});

test('without figures there is no table, and the rest stands', () => {
  const text = lastScreen(folder, { ...outcome, knn: undefined, labelled: false }, clone);
  expect(text).not.toContain('20-NN');
  expect(text).toContain(`report:  ${folder}/report.html`);
});

test('its three commands, pasted into a shell, name the run', () => {
  const run = "runs/it's $HOME; rm";
  const commands = lastScreen(run, outcome, clone)
    .split('\n')
    .filter((line) => line.startsWith('  npm run franca'));
  const words = commands.map((line) =>
    execFileSync('sh', ['-c', `npm() { printf '%s\\n' "$@"; }; ${line}`], { encoding: 'utf8' })
      .trimEnd()
      .split('\n')
      .slice(3),
  );
  expect(words.map(([command]) => command)).toEqual(['show', 'eval', 'pretrain']);
  expect(words[0]!.slice(1)).toEqual(['-w', run]);
  expect(words[1]!.slice(1)).toEqual(['all', '-w', run]);
});
