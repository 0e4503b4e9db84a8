import { expect, test } from 'vitest';
import { blobs, gaussian, memoryKeeper } from '../../test/support';
import { linearProbe } from './linear-probe';
import { BLOCK_ROWS, pooledBatches, poolRows } from './pooled-batches';
import type { ProbeFeatures, StoredProbeFeatures } from './probe-features';
import { scoreProbe } from './score-probe';
import { asStored, chosenRows } from './stored-features';

/** Features whose first number is the number of their row. */
function numbered(rows: number): StoredProbeFeatures & { readonly reads: [number, number][] } {
  const numbers = Float32Array.from({ length: rows }, (_, i) => i);
  const set = { dim: 1, blocks: [numbers, numbers], patchMean: numbers, labels: Int32Array.from(numbers) };
  const stored = asStored(set);
  const reads: [number, number][] = [];
  return {
    ...stored,
    reads,
    read: (begin, end) => {
      reads.push([begin, end]);
      return stored.read(begin, end);
    },
  };
}

async function drawn(features: StoredProbeFeatures, options: Parameters<typeof pooledBatches>[1], count: number) {
  const labels: number[] = [];
  for await (const batch of pooledBatches(features, options)) {
    // a batch is good until the next one
    expect(Array.from(batch.x.data)).toEqual(Array.from(batch.labels).flatMap((row) => [row, row, row]));
    labels.push(...batch.labels);
    if (labels.length >= count * options.batchSize) break;
  }
  return labels;
}

const options = { batchSize: 50, seed: 3, rows: 128, skipped: 0 };

test('pools of blocks go through every row before any comes again, mixed over the whole set', async () => {
  const features = numbered(1003);
  const rows = await drawn(features, options, 41);
  for (const pass of [rows.slice(0, 1003), rows.slice(1003, 2006)]) {
    expect(new Set(pass).size).toBe(1003);
    // the first pool holds blocks of all places, not the first rows
    const spread = new Set(pass.slice(0, 96).map((row) => Math.floor(row / 100)));
    expect(spread.size).toBeGreaterThan(3);
  }
  expect(rows.slice(1003, 2006)).not.toEqual(rows.slice(0, 1003));
  for (const [begin, end] of features.reads) expect(end - begin).toBeLessThanOrEqual(BLOCK_ROWS);
});

test('batches that are skipped are those that were had', async () => {
  const all = await drawn(numbered(1003), options, 60);
  for (const skipped of [0, 1, 19, 20, 21, 45]) {
    const rest = await drawn(numbered(1003), { ...options, skipped }, 3);
    expect(rest).toEqual(all.slice(50 * skipped, 50 * (skipped + 3)));
  }
});

test('both pools together take what memory they may', () => {
  const features = { ...numbered(10), dim: 100 };
  expect(2 * poolRows(features, 2 ** 20) * 300 * 4).toBeLessThanOrEqual(2 ** 20);
  expect(poolRows(features, 0)).toBe(BLOCK_ROWS);
});

test('what is read in the stead of a pool that fails is told', async () => {
  const broken = { ...numbered(400), read: () => Promise.reject(new Error('the disk is gone')) };
  await expect(drawn(broken, options, 1)).rejects.toThrow(/the disk is gone/);
  const short: StoredProbeFeatures = { ...numbered(400), read: async (begin) => numbered(400).read(begin, begin + 1) };
  await expect(drawn(short, options, 1)).rejects.toThrow(/rows \d+ to \d+ of stored features are not 2 blocks/);
});

test('some rows are read by number, the ones between them only where they are few', async () => {
  const features = numbered(1000);
  const chosen = chosenRows(features, Int32Array.of(3, 4, 7, 500, 501, 999));
  const { blocks, labels } = await chosen.read(1, 6);
  expect([Array.from(blocks[1]!), Array.from(labels)]).toEqual([
    [4, 7, 500, 501, 999],
    [4, 7, 500, 501, 999],
  ]);
  expect(features.reads).toEqual([
    [4, 8],
    [500, 502],
    [999, 1000],
  ]);
  expect(() => chosenRows(features, Int32Array.of(4, 4))).toThrow(/row 4 is not one of 1000, or not above/);
  expect(() => chosenRows(features, Int32Array.of(1000))).toThrow(/row 1000 is not one of 1000/);
});

/** Only the last block knows the class. */
function features(seed: number): ProbeFeatures {
  const { cls, labels, dim } = blobs({ classes: 4, dim: 6, perClass: 40, noise: 0.3, seed });
  const noise = (offset: number) => gaussian(labels.length, dim, seed + offset).data;
  return { dim, blocks: [noise(1), noise(2), noise(3), cls], patchMean: noise(4), labels };
}
const [train, testSet] = [features(10), features(20)];
const short = { epochs: 2, batchSize: 16, learningRates: [0.05, 0.1] };
/** Less than train takes: pools of 16 rows. */
const little = { ...short, memory: 4000 };
/** What two runs must agree on. */
const bits = ({ outcome: { wallMs: _, ...outcome }, ...rest }: Awaited<ReturnType<typeof linearProbe>>) => ({
  outcome,
  ...rest,
});

test('stored features that fit in memory give the bits of held ones; others are trained in pools, and said so', async () => {
  const held = await linearProbe(train, testSet, short);
  expect(held.outcome.hyper.order).toBe('shuffled');
  expect(bits(await linearProbe(asStored(train), asStored(testSet), short))).toEqual(bits(held));
  const { outcome, probe } = await linearProbe(asStored(train), testSet, { ...little, epochs: 5 });
  expect(outcome.hyper.order).toBe('shuffled in pools of 16 rows, drawn in blocks of 16');
  expect(outcome.value).toBeGreaterThan(0.9);
  const { items, ...score } = await scoreProbe(probe, asStored(testSet));
  expect([score.top1, items]).toEqual([outcome.value, outcome.items]);
});

test.each([
  ['held', train, short],
  ['in pools', asStored(train), little],
] as const)('training that was stopped goes on to the same bits (%s)', async (_, source, settings) => {
  const whole = bits(await linearProbe(source, testSet, settings));
  // 18 steps of all classifiers, then 20 of the chosen one: one run dies in either, another in both
  for (const deaths of [[5], [20], [3, 25]]) {
    let saved = memoryKeeper().saved();
    for (const dieAt of deaths) {
      const keeper = memoryKeeper(saved ? dieAt - 3 : dieAt);
      if (saved) await keeper.save(saved);
      await expect(linearProbe(source, testSet, { ...settings, progress: keeper })).rejects.toThrow(/stopped/);
      saved = keeper.saved();
    }
    const steps: number[] = [];
    const keeper = memoryKeeper();
    await keeper.save(saved!);
    const onStep = (step: number) => steps.push(step);
    expect(bits(await linearProbe(source, testSet, { ...settings, progress: keeper, onStep }))).toEqual(whole);
    expect(keeper.saved()).toBeUndefined();
    expect(steps.length).toBeLessThan(38);
  }
});

test('a stream goes on at the place that it told', async () => {
  const stream = {
    ...{ dim: 6, blocks: 4, patchMean: true, items: 160, classes: 4 },
    async *batches(from: unknown = 0) {
      for (let place = from as number; ; place++) yield { ...features(100 + place), place: place + 1 };
    },
  };
  const settings = { batchSize: 160, learningRates: [0.1], iterations: 6, select: 'test' } as const;
  const whole = bits(await linearProbe(stream, testSet, settings));
  const keeper = memoryKeeper(3);
  await expect(linearProbe(stream, testSet, { ...settings, progress: keeper })).rejects.toThrow(/stopped/);
  const again = memoryKeeper();
  await again.save(keeper.saved()!);
  expect(bits(await linearProbe(stream, testSet, { ...settings, progress: again }))).toEqual(whole);
  await again.save({ state: { step: 1 }, arrays: {} });
  await expect(linearProbe(stream, testSet, { ...settings, progress: again })).rejects.toThrow(
    /none of a linear probe/,
  );
});
