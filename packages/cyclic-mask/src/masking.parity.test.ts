import { describe, expect, test } from 'vitest';
import { checkParity, parityFile, recordParity } from '../../../test/support/parity';
import { blockMask } from './block-mask';
import { exposureMap } from './exposure';
import type { Grid, Mask } from './grid';
import { inverseBlockMask } from './inverse-block-mask';
import { multiBlockMask } from './multi-block-mask';
import { type RandomSource, seededRandom } from './random';
import { sampleBatch, upperBound } from './sample-batch';
import { type MaskStrategy, type OfficialMaskFlags, strategyOfFlags } from './strategy';

const file = parityFile('masking');
const { config } = file;
const grid: Grid = { height: config.grid, width: config.grid };
const cells = grid.height * grid.width;
const modes = Object.keys(config.modes);

/** The strategy of an official mode with the options of the file. */
function strategyOf(mode: string): MaskStrategy {
  const minAspect: number = config.min_aspect;
  const flags: OfficialMaskFlags = config.modes[mode];
  const multiBlock = { minAspect, minPatches: config.min_num_patches, maxPatches: config.max_num_patches };
  const block = { minAspect, roll: flags.roll };
  switch (strategyOfFlags(flags)) {
    case 'multi-block':
      return (of, count, random) => multiBlockMask(of, count, random, multiBlock);
    case 'block':
    case 'rolled-block':
      return (of, count, random) => blockMask(of, count, random, block);
    default:
      return (of, count, random) => inverseBlockMask(of, count, random, block);
  }
}

const countMasked = (mask: Mask) => mask.reduce((sum, cell) => sum + cell, 0);

/** Requested counts as the file drew them: one ratio from each of the equal bins of the range in turn. */
function requestedCount(draw: number, random: RandomSource): number {
  const [min, max] = config.ratio;
  const bin = draw % config.bins;
  const width = (max - min) / config.bins;
  return Math.floor(cells * random.uniform(min + bin * width, min + (bin + 1) * width));
}

describe.each(modes)('%s', (mode) => {
  const strategy = strategyOf(mode);
  const exactCounts = strategyOfFlags(config.modes[mode]) !== 'multi-block';

  test('draws the same random numbers from the same ranges, and the same masks, as the official traces', () => {
    const trace = (field: string) => `trace.${mode}.${field}`;
    const events = {
      start: file.ints(trace('event_start')),
      kind: file.ints(trace('event_kind')),
      low: file.floats(trace('event_lo')),
      high: file.floats(trace('event_hi')),
      value: file.floats(trace('event_value')),
    };
    const requested = file.ints(trace('requested'));
    const drawn: number[] = [];
    const ranges: number[] = [];
    const officialRanges: number[] = [];
    let next = 0;
    const replay = (kind: number) => (low: number, high: number) => {
      expect([events.kind[next], next < events.start[drawn.length / cells + 1]!]).toEqual([kind, true]);
      ranges.push(low, high);
      officialRanges.push(events.low[next]!, events.high[next]!);
      return events.value[next++]!;
    };
    const random: RandomSource = { uniform: replay(0), integer: replay(1) };
    requested.forEach((count, draw) => {
      next = events.start[draw]!;
      drawn.push(...strategy(grid, count, random));
      expect(next).toBe(events.start[draw + 1]);
    });
    // Stored in f32, and differences of logarithms near 0.
    checkParity(file, trace('ranges'), ranges, officialRanges, { absolute: 1e-7, relative: 1e-6 });
    checkParity(file, trace('mask'), drawn, file.bytes(trace('mask')), {});
  });

  test('exposes every position as often, and masks and blocks have the same sizes', () => {
    const draws = 2 * config.draws;
    const random = seededRandom(1);
    const masked = new Float64Array(cells);
    const requestedHistogram = new Float64Array(cells + 1);
    const actualHistogram = new Float64Array(cells + 1);
    for (let draw = 0; draw < draws; draw++) {
      const count = requestedCount(draw, random);
      const mask = strategy(grid, count, random);
      requestedHistogram[count]! += 1;
      actualHistogram[countMasked(mask)]! += 1;
      for (let cell = 0; cell < cells; cell++) masked[cell]! += mask[cell]!;
    }
    // Stated for 100,000 draws: 0.01, which is 4.5 standard deviations of a difference at fraction 1/2.
    const fraction = (hits: ArrayLike<number>, of: number) => Array.from(hits, (hit) => hit / of);
    const official = file.ints(`${mode}.masked_count`);
    checkParity(file, `${mode}.masked_count`, fraction(masked, draws), fraction(official, config.draws), {
      absolute: 0.01 * Math.sqrt(100_000 / config.draws),
    });
    checkHistogram(`${mode}.hist_requested`, requestedHistogram);
    checkHistogram(`${mode}.hist_actual`, actualHistogram);
    if (exactCounts) expect(actualHistogram).toEqual(requestedHistogram);
  });

  const fixed = file.names.flatMap((name) => name.match(new RegExp(`^${mode}\\.n(\\d+)\\.masked_count$`)) ?? []);
  test.each(fixed.filter((part) => /^\d+$/.test(part)).map(Number))('a fixed count of %i is exposed alike', (count) => {
    const draws: number = config.fixed_count_draws;
    const random = seededRandom(2);
    const exposure = exposureMap(Array.from({ length: draws }, () => strategy(grid, count, random)));
    const official = Array.from(file.ints(`${mode}.n${count}.masked_count`), (hits) => hits / draws);
    checkParity(file, `${mode}.n${count}.masked_count`, exposure, official, {
      absolute: 0.024 * Math.sqrt(20_000 / draws),
    });
  });

  const extents = ['ring', 'line'].filter((kind) => file.has(`${mode}.block_extent_${kind}`));
  test.each(extents)('block extents on the %s have the same distribution', (kind) => {
    const inverse = config.modes[mode].use_inverse_block ? 0 : 1;
    const random = seededRandom(3);
    const stride = grid.width + 1;
    const histogram = new Float64Array((grid.height + 1) * stride);
    for (let draw = 0; draw < config.extent_draws; draw++) {
      // Every 5th of the file's draws, so its bins advance by five.
      const mask = strategy(grid, requestedCount(5 * draw, random), random);
      const rows = new Set<number>();
      const columns = new Set<number>();
      mask.forEach((value, cell) => {
        if (value !== inverse) return;
        rows.add(Math.floor(cell / grid.width));
        columns.add(cell % grid.width);
      });
      const extent = kind === 'ring' ? ringExtent : lineExtent;
      histogram[extent(rows, grid.height) * stride + extent(columns, grid.width)]! += 1;
    }
    checkHistogram(`${mode}.block_extent_${kind}`, histogram);
  });
});

/** Shortest span that holds all positions on a line. */
function lineExtent(positions: Set<number>): number {
  return positions.size ? Math.max(...positions) - Math.min(...positions) + 1 : 0;
}

/** Shortest arc that holds all positions on a ring: the ring without its longest run of absent positions. */
function ringExtent(positions: Set<number>, size: number): number {
  let longest = 0;
  let run = 0;
  for (let i = 0; i < 2 * size; i++) {
    run = positions.has(i % size) ? 0 : run + 1;
    longest = Math.max(longest, run);
  }
  return Math.max(0, size - longest);
}

/**
 * Two histograms of independent draws: a bin with fractions near f differs by a standard deviation of
 * sqrt(f (1/n + 1/m)); 5.5 of them, with one count of slack where bins are nearly empty.
 */
function checkHistogram(name: string, histogram: ArrayLike<number>): void {
  const official = file.ints(name);
  const total = (of: ArrayLike<number>) => Array.from(of).reduce((sum, count) => sum + count, 0);
  const [n, m] = [total(histogram), total(official)];
  let worst = 0;
  official.forEach((count, bin) => {
    const pooled = (histogram[bin]! + count + 1) / (n + m);
    const bound = 5.5 * Math.sqrt(pooled * (1 / n + 1 / m));
    worst = Math.max(worst, Math.abs(histogram[bin]! / n - count / m) / bound);
  });
  recordParity(file.name, name, worst);
  expect(worst, name).toBeLessThanOrEqual(1);
}

describe('collate', () => {
  const facts = config.facts.collate;
  const numbers = (text: string) => text.match(/\d+/g)!.map(Number) as [number, number];
  const ratio: [number, number] = config.ratio;
  const probability: number = config.mask_probability;

  test('the upper bound is the official one for every batch size and grid', () => {
    const names = Object.keys(facts.upperbound);
    const bounds = names.map((name) => {
      const [crops, patches] = numbers(name);
      return upperBound({ crops, grid: { height: 1, width: patches }, ratio, probability });
    });
    const expected = names.map((name) => facts.upperbound[name]);
    checkParity(file, 'collate.upperbound', bounds, expected, {});
  });

  test('as many crops get a mask', () => {
    for (const [name, expected] of Object.entries(facts.n_samples_masked)) {
      const masks = sampleBatch({ crops: numbers(name)[0], grid, ratio, probability }, seededRandom(0));
      expect(masks.filter((mask) => countMasked(mask) > 0)).toHaveLength(expected as number);
    }
  });

  test('masks fall on every slot alike, with the official distribution of sizes', () => {
    const slots = file.ints('collate.images_masked_by_slot');
    const batches = file.ints('collate.hist_masked_per_image').reduce((sum, count) => sum + count, 0) / slots.length;
    const random = seededRandom(4);
    const bySlot = new Float64Array(slots.length);
    const histogram = new Float64Array(cells + 1);
    for (let batch = 0; batch < batches; batch++) {
      sampleBatch({ crops: slots.length, grid, ratio, probability }, random).forEach((mask, slot) => {
        const count = countMasked(mask);
        histogram[count]! += 1;
        if (count) bySlot[slot]! += 1;
      });
    }
    checkHistogram('collate.images_masked_by_slot', bySlot);
    checkHistogram('collate.hist_masked_per_image', histogram);
  });

  test('the mean number of masked patches per batch is the official one', () => {
    const name = Object.keys(facts).find((key) => key.includes('batches'))!;
    const [crops, patches, batches] = name.match(/\d+/g)!.map(Number) as [number, number, number];
    const side = Math.sqrt(patches);
    const random = seededRandom(5);
    const totals = Array.from({ length: batches }, () =>
      sampleBatch({ crops, grid: { height: side, width: side }, ratio, probability }, random).reduce(
        (sum, mask) => sum + countMasked(mask),
        0,
      ),
    );
    const mean = totals.reduce((sum, total) => sum + total, 0) / batches;
    const variance = totals.reduce((sum, total) => sum + (total - mean) ** 2, 0) / batches;
    // Five standard deviations of the difference of two means.
    checkParity(file, 'collate.mean_total_masked', [mean], [facts[name].mean_total_masked], {
      absolute: 5 * Math.sqrt((2 * variance) / batches),
    });
  });
});
