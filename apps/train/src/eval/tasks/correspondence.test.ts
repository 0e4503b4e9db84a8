import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { EvalRecord } from '@franca/evals';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sharedData } from '../../../../../test/support/shared';
import { maskPng, writeAt } from '../../../test/mask-files';
import { spairFiles } from '../../../test/pair-files';
import { temporaryFolder, writeTinyModel } from '../../../test/tiny-model';
import { runCli } from '../../run-cli';
import type { ItemLine } from '../correspondence/item-lines';

let folder: string;
let tiny: string;
let spair: string;
const printed: string[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  tiny = await writeTinyModel(folder);
  spair = join(folder, 'pairs');
  for (const [path, body] of Object.entries(await spairFiles())) await writeAt(join(spair, path), body);
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void printed.push(line));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);
const records = async (name: string) => JSON.parse(await readFile(at(name), 'utf8')) as EvalRecord[];
const linesOf = async (name: string) =>
  (await readFile(at(name), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ItemLine);
const command = (...more: readonly string[]) => [
  ...['eval', 'correspondence', '-w', tiny, '-d', spair, '--cache', at('cache')],
  ...more,
];

describe('eval correspondence', () => {
  test('gives a record for each bin and size and a line for each pair and size, which agree', async () => {
    expect(await runCli(command('--json', at('r.json'), '--items', at('i.jsonl'), '--html', at('p.html')))).toBe(0);
    const results = await records('r.json');
    expect(results.map(({ variant, evaluated, total }) => [variant, evaluated, total])).toEqual(
      ['32 px', '64 px'].flatMap((size) => [
        [`d=0, ${size}`, 2, 3],
        [`d=2, ${size}`, 1, 3],
        [`all, ${size}`, 3, 3],
      ]),
    );
    const all = results[5]!;
    expect(all).toMatchObject({ dataset: 'pairs', split: 'test', metric: 'recall@0.10', seeds: [], quirks: false });
    expect(all.hyper).toMatchObject({
      classes: ['cat', 'cow'],
      keyPoints: 5,
      pairsPerBin: 200,
      side: 64,
      settings: "the paper's",
    });
    expect(all.preprocessing).toMatch(/^padded right and below with 255 to a square, 64 x 64 bicubic/);
    expect(all.notes!.join()).toMatch(/positions resampled from 4 x 4 \(32 px\) to 8 x 8 \(64 px\)/);
    expect(results[0]!.notes!.join()).not.toMatch(/resampled/);
    const lines = await linesOf('i.jsonl');
    expect(lines.map(({ pair, side, bins }) => [pair, side, bins])).toEqual(
      [32, 64].flatMap((side) => [
        ['000001-a-b:cat', side, ['d=0', 'all']],
        ['000002-b-a:cat', side, ['d=2', 'all']],
        ['000003-c-d:cow', side, ['d=0', 'all']],
      ]),
    );
    for (const { variant, value, hyper } of results) {
      const own = lines.filter(({ side, bins }) => side === hyper.side && bins.includes(variant.split(',')[0]!));
      const shares = ['cat', 'cow'].flatMap((name) => {
        const points = own.filter(({ category }) => category === name).flatMap((line) => line.points!);
        return points.length > 0 ? [points.filter(({ error }) => error < 0.1).length / points.length] : [];
      });
      expect(value).toBeCloseTo(shares.reduce((sum, share) => sum + share, 0) / shares.length, 12);
    }
    expect(await readFile(at('p.html'), 'utf8')).toContain('missed (ring: where it is)');
  });

  test('a list that was written is what is evaluated again, a shorter one what it names', async () => {
    expect(await runCli(command('--write-pair-list', at('list.txt'), '--sizes', '32'))).toBe(0);
    expect(await readFile(at('list.txt'), 'utf8')).toBe(
      'd=0 000001-a-b:cat\nd=0 000003-c-d:cow\nd=2 000002-b-a:cat\nall 000001-a-b:cat\nall 000002-b-a:cat\nall 000003-c-d:cow\n',
    );
    const listed = (file: string) => command('--sizes', '32', '--pair-list', at(file), '--json', at('listed.json'));
    expect(await runCli(listed('list.txt'))).toBe(0);
    const [first] = await records('r.json');
    const again = await records('listed.json');
    expect(again[0]).toMatchObject({ value: first!.value, hyper: { pairsPerBin: 'listed' } });
    expect(again[0]!.hyper.pairListSha256).toBe(first!.hyper.pairListSha256);
    await writeFile(at('short.txt'), '000003-c-d:cow\n');
    expect(await runCli(listed('short.txt'))).toBe(0);
    expect((await records('listed.json')).map(({ variant, evaluated }) => [variant, evaluated])).toEqual([
      ['d=0, 32 px', 1],
      ['all, 32 px', 1],
    ]);
  });

  test('a draw is told with its seed; other tokens, sizes and parts are told too', async () => {
    const more = ['--pairs-per-bin', '1', '--feature', 'after-norm', '--layer', '0', '--sizes', '36', '--quirks'];
    expect(await runCli(command(...more, '--json', at('more.json')))).toBe(0);
    const [, , all] = await records('more.json');
    expect(all).toMatchObject({ variant: 'all, 36 px', evaluated: 2, seeds: [20], quirks: true });
    expect(all!.hyper).toMatchObject({
      feature: 'block 0 after the final norm',
      side: 36,
      pairsPerBin: 1,
      settings: 'own',
    });
    expect(all!.preprocessing).toMatch(/36 x 36 bicubic, .*, zeros around to 40 x 40$/);
    expect(all!.notes!.join()).toMatch(/36 px are no whole patches of 8: zeros around to 40 px/);
    expect(await runCli(command('--layer', '3'))).toBe(2);
    expect(printed.at(-1)).toMatch(/block 3 does not exist, the model has 2; give --layer from 0 to 1/);
    expect(await runCli(command('--split', 'trn'))).not.toBe(0);
    expect(printed.at(-1)).toMatch(/no pairs in PairAnnotation\/trn; --split is one of test/);
    expect(await runCli(command('-d', join(spair, 'JPEGImages')))).not.toBe(0);
    expect(printed.at(-1)).toMatch(/JPEGImages has no pairs; give SPair-71k/);
  });
});

test('a picture whose pixels are damaged takes its pairs with it: the record counts and names it, and its line has no points', async () => {
  const root = join(folder, 'broken');
  const files = await spairFiles();
  // the header stays as it is
  const damaged = maskPng(Array(96).fill(7), 12, { colour: 2, depth: 8 });
  damaged.fill(0xff, 45, 55);
  for (const [path, body] of Object.entries({ ...files, 'JPEGImages/cow/d.jpg': damaged }))
    await writeAt(join(root, path), body);
  const args = ['--sizes', '32', '--json', at('broken.json'), '--items', at('broken.jsonl')];
  expect(await runCli(command('-d', root, ...args))).toBe(0);
  const results = await records('broken.json');
  expect(results.map(({ variant, evaluated, total }) => [variant, evaluated, total])).toEqual([
    ['d=0, 32 px', 1, 3],
    ['d=2, 32 px', 1, 3],
    ['all, 32 px', 2, 3],
  ]);
  expect(results[2]!.perClass[1]).toBe(null);
  expect(results[2]!.notes!.join()).toMatch(
    /1 of 4 images of broken test could not be read .*: JPEGImages\/cow\/d.jpg/,
  );
  expect((await linesOf('broken.jsonl')).map(({ points }) => points?.length)).toEqual([2, 2, undefined]);
});

const data = sharedData('spair-animals');
const weights = sharedData('deit-tiny');

interface Reference {
  readonly [side: string]: { readonly per_pair: Readonly<Record<string, { readonly kp: [number, number, number][] }>> };
}

test.skipIf(!data || !weights)(
  'DeiT-Tiny finds the key points where the reference does (needs shared/data/spair-animals and deit-tiny)',
  { timeout: 120_000 },
  async () => {
    const reference = JSON.parse(
      await readFile(join(dirname(data!), '../reference/eval-references/corr.json'), 'utf8'),
    ) as Reference;
    const { per_pair } = reference['224']!;
    const names = Object.keys(per_pair).filter((_, i) => i % 40 === 0);
    await writeFile(at('few.txt'), names.join('\n'));
    const args = ['-w', join(weights!, 'deit_tiny_patch16_224.safetensors'), '-d', data!, '--cache', at('cache')];
    const more = ['--sizes', '224', '--pair-list', at('few.txt'), '--items', at('deit.jsonl')];
    expect(await runCli(['eval', 'correspondence', ...args, ...more])).toBe(0);
    const lines = await linesOf('deit.jsonl');
    expect(lines.map(({ pair }) => pair).sort()).toEqual(names.sort());
    for (const { pair, points } of lines) {
      const { kp } = per_pair[pair]!;
      expect(points!.map(({ id, cell }) => [Number(id), cell])).toEqual(kp.map(([id, cell]) => [id, cell]));
      // the reference has six decimals
      for (const [i, { error }] of points!.entries()) expect(Math.abs(error - kp[i]![2])).toBeLessThan(1e-6);
    }
  },
);
