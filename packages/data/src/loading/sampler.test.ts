import { describe, expect, it } from 'vitest';
import { createSampler, type Draw, type Sampler } from './sampler';

const draw = (sampler: Sampler, from: number, count: number): Draw[] =>
  Array.from({ length: count }, (_, place) => sampler.draw(from + place));
const indices = (draws: Draw[]): number[] => draws.map((each) => each.index);
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const sorted = (values: number[]): number[] => [...values].sort((a, b) => a - b);

describe('createSampler', () => {
  it('draws every image once per pass, each pass in its own order', () => {
    const sampler = createSampler({ length: 50, seed: 1 });
    const first = draw(sampler, 0, 50);
    const second = draw(sampler, 50, 50);
    expect(sorted(indices(first))).toEqual(range(50));
    expect(sorted(indices(second))).toEqual(range(50));
    expect(indices(first)).not.toEqual(indices(second));
    expect([first[49]!.pass, second[0]!.pass]).toEqual([0, 1]);
  });

  it('knows the image of an ordinal whatever was asked for before', () => {
    const options = { length: 23, seed: 4 };
    const forwards = draw(createSampler(options), 0, 60);
    const sampler = createSampler(options);
    expect(range(60).map((place) => sampler.draw(59 - place))).toEqual(forwards.toReversed());
  });

  it.each([1, 2, 6, 23, 1000])('has all the images of a pass, of %i, as stand-ins of any', (length) => {
    const sampler = createSampler({ length, seed: 7 });
    const ordinal = length + (length >> 1);
    const tried = range(length).map((attempt) => sampler.draw(ordinal, attempt));
    expect(sorted(indices(tried))).toEqual(range(length));
    expect(tried[0]).toEqual(sampler.draw(ordinal));
    for (const each of tried) expect([each.ordinal, each.pass]).toEqual([ordinal, 1]);
  });

  it('finds stand-ins among 2^32 images, where products exceed what a double counts', () => {
    const length = 2 ** 32;
    const sampler = createSampler({ length, seed: 1 });
    const stride = Math.ceil(0.618 * length);
    expect(stride % 2).toBe(1);
    // The last of 2^32 attempts is one stride before the place itself.
    expect(sampler.draw(0, length - 1).index).toBe(sampler.draw(length - stride).index);
  });

  it('has a state that goes through JSON, of draws alone', () => {
    const options = { length: 31, seed: 9 };
    const saved = JSON.parse(JSON.stringify(createSampler(options).state(17)));
    expect(saved).toEqual({ length: 31, seed: 9, drawn: 17 });
    expect(createSampler(options, saved).state()).toEqual(saved);
    expect(createSampler(options).state()).toEqual({ ...saved, drawn: 0 });
  });

  it('refuses a state of other data or another seed, and what is no state', () => {
    const state = createSampler({ length: 10, seed: 1 }).state();
    for (const other of [{ length: 11 }, { seed: 2 }]) {
      expect(() => createSampler({ length: 10, seed: 1, ...other }, state)).toThrowError(
        expect.objectContaining({ code: 'cursor-mismatch' }),
      );
    }
    expect(() => createSampler({ length: 10, seed: 1 }, { ...state, drawn: -1 })).toThrow(/not a count/);
  });

  it('opens a state of the first versions that counts all draws, and refuses one that counts a share of them', () => {
    const options = { length: 10, seed: 1 };
    const alone = { ...options, rank: 0, world: 1, drawn: 4 };
    expect(createSampler(options, alone).state()).toEqual({ ...options, drawn: 4 });
    const ofTwo = { ...options, rank: 1, world: 2, drawn: 4 };
    expect(() => createSampler(options, ofTwo)).toThrow(/one of 2 processes/);
  });

  it('refuses impossible options and places', () => {
    expect(() => createSampler({ length: 10, seed: 1 }).draw(-1)).toThrow(/ordinal is -1/);
    for (const bad of [{ length: 0 }, { seed: -1 }, { seed: 0.5 }]) {
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
    for (let pass = 0; pass < 3; pass++) expect(sorted(indices(draw(sampler, 50 * pass, 50)))).toEqual(range(50));
  });

  it('touches few runs at a time and mixes the images within them', () => {
    const drawn = indices(draw(createSampler(options), 0, 50));
    // A window is closed by the run that reaches 20 images, so it holds fewer than 30 and at most 5 runs.
    expect(new Set(drawn.slice(0, 20).map(runOf)).size).toBeLessThanOrEqual(5);
    const changes = drawn.slice(1).filter((index, place) => runOf(index) !== runOf(drawn[place]!));
    expect(changes.length).toBeGreaterThan(runs.length);
  });

  it('gives windows and passes orders of their own', () => {
    const equal = createSampler({ length: 80, seed: 3, runs: [20, 20, 20, 20], window: 20 });
    const drawn = indices(draw(equal, 0, 160)).map((index) => index % 20);
    const orders = range(8).map((window) => drawn.slice(20 * window, 20 * window + 20).join());
    expect(new Set(orders).size).toBe(8);
  });

  it('finds stand-ins in other runs, since a run may be damaged as a whole', () => {
    const equal = createSampler({ length: 80, seed: 3, runs: [20, 20, 20, 20], window: 20 });
    for (const { ordinal, index } of draw(equal, 0, 80))
      expect(Math.floor(equal.draw(ordinal, 1).index / 20)).not.toBe(Math.floor(index / 20));
  });
});
