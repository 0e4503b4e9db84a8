import { describe, expect, it } from 'vitest';
import type { PatchFeatures } from '../features';
import { random } from '../numerics/random';
import type { Point } from './match-points';
import { drawWarp, invertWarp, type Warp, warpPoint } from './warp';
import { matchWarped, tallyWarp, warpCorrespondence } from './warp-correspondence';

const SIDE = 14;
const IDENTITY: Warp = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const STRENGTHS = ['mild', 'medium', 'strong'] as const;
const centre = (cell: number, side = SIDE): Point => [
  ((cell % side) + 0.5) / side,
  (Math.floor(cell / side) + 0.5) / side,
];

/** Tokens of a picture from what each place of it looks like. */
function tokens(dim: number, of: (place: Point) => ArrayLike<number>, side = SIDE): PatchFeatures {
  const patches = new Float32Array(side * side * dim);
  for (let cell = 0; cell < side * side; cell++) patches.set(Array.from(of(centre(cell, side))), cell * dim);
  return { dim, grid: [side, side], patches };
}

function noise(seed: number, dim = 16): PatchFeatures {
  const draws = random(seed);
  return tokens(dim, () => Array.from({ length: dim }, draws.normal));
}

/** A smooth function of the place, another one at each. */
const look = ([x, y]: Point): number[] =>
  [1, 2, 3].flatMap((f) => [Math.cos(f * x), Math.sin(f * x), Math.cos(f * y), Math.sin(f * y)]);

const outcomeOf = (source: PatchFeatures, target: PatchFeatures, warp: Warp) =>
  warpCorrespondence('strong', [tallyWarp(matchWarped(source, target, warp), SIDE)], {
    side: SIDE,
    seed: 0,
    wallMs: 1,
  });

describe('matching with a warped picture', () => {
  it('finds every cell again where nothing is warped', () => {
    const picture = noise(1);
    const outcome = outcomeOf(picture, picture, IDENTITY);
    expect(outcome).toMatchObject({
      value: 1,
      others: { 'recall@0.05': 1, 'in place@0.1': 1, 'mean error in cells': 0 },
    });
    expect(outcome.hyper).toMatchObject({ points: SIDE * SIDE });
  });

  it.each(STRENGTHS)('finds what looks the same wherever a %s warp takes it, as well as cells allow', (strength) => {
    for (let i = 0; i < 5; i++) {
      const warp = drawWarp(strength, `${i}`);
      const back = invertWarp(warp);
      const target = tokens(12, (place) => look(warpPoint(back, place)));
      const { value, others } = outcomeOf(tokens(12, look), target, warp);
      expect(value).toBe(1);
      expect(others['recall@0.05']).toBeGreaterThan(others['best cell@0.05']! - 0.1);
      expect(others['mean error in cells']).toBeLessThan(0.6);
      expect(others['in place@0.1']).toBeLessThan(1);
    }
  });

  it('asks only for cells whose centres lie inside the target', () => {
    const half: Warp = [1, 0, 0.5, 0, 1, 0, 0, 0, 1];
    const matches = matchWarped(noise(1), noise(2), half);
    expect(matches.map(({ source }) => source)).toEqual(
      [...Array(SIDE * SIDE).keys()].filter((cell) => cell % SIDE < SIDE / 2),
    );
    for (const { source, truth } of matches) {
      expect(truth[0]).toBeCloseTo(centre(source)[0] + 0.5, 12);
      expect(truth[1]).toBeCloseTo(centre(source)[1], 12);
    }
  });

  it('is the search for the largest cosine in f64, of equals the first', () => {
    const [source, target] = [noise(3), noise(4)];
    target.patches.copyWithin(100 * 16, 20 * 16, 21 * 16);
    source.patches.set(
      target.patches.subarray(20 * 16, 21 * 16).map((value) => 3 * value),
      7 * 16,
    );
    const matches = matchWarped(source, target, IDENTITY);
    expect(matches[7]!.found).toBe(20);
    for (const { source: cell, found, error } of matches) {
      const cosine = (other: number): number => {
        let [product, square] = [0, 0];
        for (let i = 0; i < 16; i++) {
          product += source.patches[cell * 16 + i]! * target.patches[other * 16 + i]!;
          square += target.patches[other * 16 + i]! ** 2;
        }
        return product / Math.sqrt(square);
      };
      const best = Math.max(...Array.from({ length: SIDE * SIDE }, (_, other) => cosine(other)));
      expect(cosine(found)).toBeCloseTo(best, 12);
      const [[x, y], [u, v]] = [centre(found), centre(cell)];
      expect(error).toBeCloseTo(Math.hypot(x - u, y - v), 12);
    }
  });

  it('asks for some rows and columns of a grid of many', () => {
    const side = 70;
    const picture = tokens(2, ([x, y]) => [x, y], side);
    const matches = matchWarped(picture, picture, IDENTITY);
    expect(matches.length).toBe(14 ** 2);
    expect(matches.slice(0, 2).map(({ source }) => source)).toEqual([142, 147]);
  });
});

describe('the result', () => {
  const warps = Array.from({ length: 40 }, (_, i) => drawWarp('medium', `${i}`));
  const over = (target: (i: number) => PatchFeatures, source: (i: number) => PatchFeatures) =>
    warpCorrespondence(
      'medium',
      warps.map((warp, i) => tallyWarp(matchWarped(source(i), target(i), warp), SIDE)),
      { side: SIDE, seed: 0, wallMs: 1 },
    );

  it('of tokens that say nothing is chance', () => {
    const { value, others, evaluated, hyper } = over(
      (i) => noise(i),
      (i) => noise(1000 + i),
    );
    expect(evaluated).toBe(40);
    // Points are independent draws: four standard deviations.
    const deviation = Math.sqrt(others['chance@0.1']! / (hyper.points as number));
    expect(Math.abs(value - others['chance@0.1']!)).toBeLessThan(4 * deviation);
    expect(others['chance@0.1']).toBeGreaterThan(0.02);
    expect(others['chance@0.1']).toBeLessThan(Math.PI * 0.1 ** 2);
  });

  it('of tokens that know their position and nothing else is that of staying in place', () => {
    const { value, others } = over(
      () => tokens(12, look),
      () => tokens(12, look),
    );
    expect(value).toBe(others['in place@0.1']);
    expect(others['recall@0.05']).toBe(others['in place@0.05']);
    expect(value).toBeGreaterThan(2 * others['chance@0.1']!);
    expect(value).toBeLessThan(0.8);
  });

  it('has the standard error of the value over sets of other pictures', () => {
    const sets = Array.from({ length: 60 }, (_, set) => {
      const draws = random(set);
      // Pictures of many sizes, whose points are found at rates of their own.
      const tallies = Array.from({ length: 50 }, () => {
        const [points, rate] = [20 + draws.integer(100), draws.uniform()];
        const hits = Array.from({ length: points }, draws.uniform).filter((value) => value < rate).length;
        return { points, found: [hits, 0], inPlace: [0, 0], bestCell: [0, 0], chance: [0, 0], error: 0 };
      });
      return warpCorrespondence('mild', tallies, { side: 4, seed: 0, wallMs: 1 });
    });
    const mean = sets.reduce((sum, { value }) => sum + value, 0) / 60;
    const deviation = Math.sqrt(sets.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / 59);
    const stated = sets.reduce((sum, { others }) => sum + others['standard error']!, 0) / 60;
    // A deviation from 60 draws is known to about a tenth.
    expect(stated / deviation).toBeGreaterThan(0.7);
    expect(stated / deviation).toBeLessThan(1.4);
  });

  it('counts every point alike, whichever picture it is of', () => {
    const tally = { points: 1, found: [1, 0], inPlace: [0, 0], bestCell: [1, 1], chance: [0.1, 0.02], error: 0.06 };
    const many = { points: 3, found: [0, 0], inPlace: [0, 0], bestCell: [3, 2], chance: [0.3, 0.06], error: 0.94 };
    const outcome = warpCorrespondence('mild', [tally, many], { side: 4, seed: 2, wallMs: 1 });
    expect([outcome.value, outcome.evaluated, outcome.seeds]).toEqual([0.25, 2, [2]]);
    expect(outcome.others['mean error in cells']).toBeCloseTo(1, 12);
    expect(outcome.others['chance@0.1']).toBeCloseTo(0.1, 12);
    expect(outcome.others['best cell@0.05']).toBe(0.75);
  });
});

it.each([
  [
    'tokens of two pictures',
    () => matchWarped(noise(1), { ...noise(1), patches: new Float32Array(2 * 14 * 14 * 16) }, IDENTITY),
    /one square picture each/,
  ],
  ['two widths', () => matchWarped(noise(1), noise(1, 8), IDENTITY), /tokens of 8; give tokens/],
  [
    'a token that is not finite',
    () => matchWarped({ ...noise(1), patches: noise(1).patches.fill(Number.NaN, 0, 1) }, noise(1), IDENTITY),
    /are not finite/,
  ],
  ['no warp', () => matchWarped(noise(1), noise(1), [1]), /warp has 1 numbers/],
  ['no picture', () => warpCorrespondence('mild', [], { side: 4, seed: 0, wallMs: 0 }), /no point/],
])('refuses %s', (_, call, message) => {
  expect(call).toThrow(message);
});
