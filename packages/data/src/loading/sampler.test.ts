import { describe, expect, it } from 'vitest';
import { createSampler, type Draw, type Sampler } from './sampler';

const draw = (sampler: Sampler, count: number): Draw[] => Array.from({ length: count }, () => sampler.next());
const indices = (draws: Draw[]): number[] => draws.map((each) => each.index);
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const sorted = (values: number[]): number[] => [...values].sort((a, b) => a - b);

describe('createSampler', () => {
  it('draws every image once per pass, each pass in its own order', () => {
    const sampler = createSampler({ length: 50, seed: 1 });
    const first = draw(sampler, 50);
    const second = draw(sampler, 50);
    expect(sorted(indices(first))).toEqual(range(50));
    expect(sorted(indices(second))).toEqual(range(50));
    expect(indices(first)).not.toEqual(indices(second));
    expect([first[49]!.pass, second[0]!.pass]).toEqual([0, 1]);
  });

  it('deals the same sequence to any number of ranks', () => {
    const alone = draw(createSampler({ length: 23, seed: 4 }), 60);
    const ranks = [0, 1, 2].map((rank) => draw(createSampler({ length: 23, seed: 4, rank, world: 3 }), 20));
    const dealt = ranks.flat().sort((a, b) => a.ordinal - b.ordinal);
    expect(dealt).toEqual(alone);
  });

  it('continues exactly from a state that went through JSON', () => {
    const options = { length: 31, seed: 9, rank: 1, world: 2 };
    const whole = createSampler(options);
    draw(whole, 17);
    const saved = JSON.parse(JSON.stringify(whole.state()));
    expect(draw(createSampler(options, saved), 40)).toEqual(draw(whole, 40));
  });

  it('refuses a state of other data, another seed or another number of ranks', () => {
    const state = createSampler({ length: 10, seed: 1 }).state();
    for (const other of [{ length: 11 }, { seed: 2 }, { world: 2 }]) {
      expect(() => createSampler({ length: 10, seed: 1, ...other }, state)).toThrowError(
        expect.objectContaining({ code: 'cursor-mismatch' }),
      );
    }
    expect(() => createSampler({ length: 10, seed: 1 }, { ...state, drawn: -1 })).toThrow(/not a count/);
  });

  it('refuses impossible options', () => {
    for (const bad of [{ length: 0 }, { seed: -1 }, { seed: 0.5 }, { rank: 2, world: 2 }, { world: 0 }]) {
      expect(() => createSampler({ length: 10, seed: 1, ...bad })).toThrowError(
        expect.objectContaining({ code: 'argument' }),
      );
    }
  });
});

describe('createSampler over runs', () => {
  const runs = [10, 3, 0, 10, 7, 10, 10];
  const options = { length: 50, seed: 3, runs, window: 20 };
  const starts = runs.map((_, run) => runs.slice(0, run).reduce((a, b) => a + b, 0));
  const runOf = (index: number): number => starts.findLastIndex((start, run) => start <= index && runs[run]! > 0);

  it('still draws every image once per pass', () => {
    const sampler = createSampler(options);
    for (let pass = 0; pass < 3; pass++) expect(sorted(indices(draw(sampler, 50)))).toEqual(range(50));
  });

  it('touches few runs at a time and mixes the images within them', () => {
    const drawn = indices(draw(createSampler(options), 50));
    // A window is closed by the run that reaches 20 images, so it holds fewer than 30 and at most 5 runs.
    expect(new Set(drawn.slice(0, 20).map(runOf)).size).toBeLessThanOrEqual(5);
    const changes = drawn.slice(1).filter((index, place) => runOf(index) !== runOf(drawn[place]!));
    expect(changes.length).toBeGreaterThan(runs.length);
  });

  it('gives windows and passes orders of their own', () => {
    const equal = createSampler({ length: 80, seed: 3, runs: [20, 20, 20, 20], window: 20 });
    const drawn = indices(draw(equal, 160)).map((index) => index % 20);
    const orders = range(8).map((window) => drawn.slice(20 * window, 20 * window + 20).join());
    expect(new Set(orders).size).toBe(8);
  });

  it('resumes exactly in the middle of a window', () => {
    const whole = createSampler(options);
    draw(whole, 63);
    expect(draw(createSampler(options, whole.state()), 40)).toEqual(draw(whole, 40));
  });
});
