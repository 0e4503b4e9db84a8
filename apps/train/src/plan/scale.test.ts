import { fitPretraining } from '@franca/pretraining';
import { defaultTarget, timeline } from '@franca/tensor';
import { expect, test } from 'vitest';
import { run } from '../../test/in-process';
import { derive } from '../config/derive';
import { loadConfig } from '../config/load';
import { clusterOf } from './cluster';
import { scaleLines } from './describe-scale';
import { scaleOf } from './scale';

/** cpu-tiny, and smaller. */
const TINY = [
  'train.batch_size_per_gpu=2',
  'franca.vit.depth=1',
  'franca.vit.embed_dim=32',
  'franca.vit.num_heads=2',
  ...['dino', 'ibot'].flatMap((head) => [`${head}.head_n_prototypes=64`, `${head}.head_hidden_dim=32`]),
];
const tiny = (size: number, ...overrides: string[]) =>
  fitPretraining(
    derive(loadConfig(['cpu-tiny'], [...TINY, ...overrides]).config, { size, rank: 0, f16: false }),
    defaultTarget,
  );

test('ranks hold as many images each, and exchange more among more of them', () => {
  const cluster = clusterOf(defaultTarget, { ranks: 6, ranksPerNode: 2 })!;
  const fitted = tiny(6);
  const { rows, exchanges, goal } = scaleOf(fitted, cluster);
  expect(rows.map(({ ranks, images }) => [ranks, images])).toEqual([
    [1, 2],
    [2, 4],
    [4, 8],
    [6, 12],
  ]);
  expect(rows[0]).toMatchObject({ efficiency: 1, communicationSeconds: 0 });
  const [, ...several] = rows;
  for (const { seconds, efficiency } of several) expect(efficiency).toBeCloseTo(rows[0]!.seconds / seconds, 12);
  const times = timeline(fitted.plan, cluster);
  expect(rows.at(-1)).toMatchObject({ seconds: times.seconds, exposedSeconds: times.exposedSeconds });
  expect(exchanges.reduce((sum, { count }) => sum + count, 0)).toBe(times.exchanges.length);
  expect(exchanges[0]!.kind).toBe('allReduce sum');
  // small steps wait for messages, however wide the link is
  expect(goal).toEqual({ efficiency: 0.9, link: undefined, atMost: expect.any(Number) });
  expect(goal!.atMost).toBeLessThan(0.9);
});

test('gradients are exchanged once an update', () => {
  const cluster = clusterOf(defaultTarget, { ranks: 2 })!;
  const [once, thrice] = [tiny(2), tiny(2, 'franca.total_batch=12')].map((fitted) => scaleOf(fitted, cluster).rows[1]!);
  expect(thrice!.images).toBe(12);
  expect(thrice!.communicationSeconds).toBeLessThan(3 * once!.communicationSeconds);
  expect(thrice!.efficiency).toBeGreaterThan(once!.efficiency);
});

test('the link that is asked for makes ranks as efficient as was asked', () => {
  // a device so slow that a link decides, and blocks enough that what ranks do besides is a small part
  const slow = { ...defaultTarget, rates: { ...defaultTarget.rates, launchSeconds: { value: 1e-3, source: 'slow' } } };
  const options = derive(loadConfig(['cpu-tiny'], [...TINY, 'franca.vit.depth=4']).config, {
    size: 4,
    rank: 0,
    f16: false,
  });
  const fitted = fitPretraining(options, slow);
  const cluster = clusterOf(slow, { ranks: 4, ranksPerNode: 1 })!;
  const { link } = scaleOf(fitted, cluster).goal!;
  const withLink = (value: number) => scaleOf(fitted, clusterOf(slow, { ranks: 4, ranksPerNode: 1, link: value })!);
  expect(withLink(link!).rows.at(-1)!.efficiency).toBeGreaterThanOrEqual(0.9);
  expect(withLink(link! / 1.02).rows.at(-1)!.efficiency).toBeLessThan(0.9);
});

test('what a time rests on says whether it was assumed, measured or given', () => {
  const cluster = clusterOf(defaultTarget, { ranks: 2, link: 3e9 })!;
  const lines = scaleLines(scaleOf(tiny(2), cluster), cluster).join('\n');
  expect(lines).toMatch(/^link between nodes +3 GB\/s +as --link says$/m);
  expect(lines).toMatch(/^from device to staging +25 GB\/s +assumed: PCIe 4 x16/m);
  expect(lines).toMatch(/^nodes +one, of 2 ranks$/m);
  const { rates } = clusterOf({ family: 'cpu' }, { ranks: 2, pcie: 7e9 })!;
  expect([rates.read, rates.write].map(({ value, source }) => [value, source])).toEqual(
    Array(2).fill([7e9, 'as --pcie says']),
  );
  expect(rates.reduce.source).toMatch(/^measured on /);
});

test('franca-train plan --ranks prints the table, for people and for machines', async () => {
  const words = ['plan', '-c', 'cpu-tiny', '--ranks', '4', '--link', '3', '--ranks-per-node', '2', ...TINY];
  const text = await run(...words);
  expect(text.output).toMatch(/^ +ranks +images +update ms +exchange ms +exposed ms +efficiency +images\/s$/m);
  expect(text.output).toMatch(/^ +1 +2 +[\d.]+ +0 +[\d.]+ +100\.0 % +[\d.]+$/m);
  expect(text.output).toMatch(/^ +4 +8 +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ % +[\d.]+$/m);
  expect(text.output).toMatch(/^exchanges +[\d.]+ MB in \d+ x allReduce sum$/m);
  const { ranks } = JSON.parse((await run(...words, '--json')).output) as {
    ranks: { rows: unknown[]; rates: unknown };
  };
  expect(ranks.rows).toHaveLength(3);
  expect(ranks.rates).toMatchObject({ link: { value: 3e9 } });
});

test.each([
  ['--link', '5'],
  ['--pcie', '5'],
  ['--memory', '5'],
  ['--ranks-per-node', '4'],
])('%s without ranks is refused', async (option, value) => {
  const { status, output } = await run('plan', '-c', 'cpu-tiny', option, value);
  expect([status, output]).toEqual([2, expect.stringContaining(`${option} is about what ranks exchange`)]);
});

test.each([
  [['--ranks', '0'], 'expected a whole number of at least 1'],
  [['--ranks', '2', '--link', '0'], 'expected a positive number'],
  [['--ranks', '3', 'franca.gpus=2'], 'do not divide among 3 ranks'],
])('%j is refused', async (words, message) => {
  const { status, output } = await run('plan', '-c', 'cpu-tiny', ...words);
  expect([status, output]).toEqual([2, expect.stringContaining(message)]);
});
