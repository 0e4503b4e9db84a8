import { describe, expect, it } from 'vitest';
import { keysOf, labelsOf } from '../../test/scratch';
import { memorySource } from '../sources/memory';
import { countOneByOne } from '../sources/one-class-list';
import { holdOut } from './subset';

const source = (length: number): ReturnType<typeof memorySource> => {
  const content = { encoded: new Uint8Array() };
  const images = Array.from({ length }, (_, index) => ({ key: `${index}`, content, label: index % 3 }));
  return memorySource('numbers', images, ['a', 'b', 'c']);
};
const numbers = (keys: string[]): number[] => keys.map(Number);

describe('holdOut', () => {
  it('gives every image to exactly one part, each in order, with its label', () => {
    const { train, val } = holdOut(source(97), { share: 0.2, seed: 5 });
    expect([train.length, val.length]).toEqual([78, 19]);
    const ascending = (keys: number[]): boolean => keys.every((key, place) => place === 0 || keys[place - 1]! < key);
    expect([ascending(numbers(keysOf(train))), ascending(numbers(keysOf(val)))]).toEqual([true, true]);
    expect(numbers([...keysOf(train), ...keysOf(val)]).sort((a, b) => a - b)).toEqual([...Array(97).keys()]);
    expect(labelsOf(val)).toEqual(numbers(keysOf(val)).map((key) => key % 3));
    expect(train.classes).toEqual(['a', 'b', 'c']);
  });

  it('gives all classes of an image that has several', () => {
    const { label: _, ...several } = source(20);
    const { val } = holdOut({ ...several, labels: (index) => [index, index + 1] }, { share: 0.2 });
    expect(val.labels!(1)[0]).toBe(Number(val.key(1)));
  });

  it('is the same part for the same seed, and another for another', () => {
    const heldOut = (seed: number): string[] => keysOf(holdOut(source(50), { seed }).val);
    expect(heldOut(1)).toEqual(heldOut(1));
    expect(heldOut(1)).not.toEqual(heldOut(2));
  });

  it('holds out at least one image, at most the limit, and never all', () => {
    expect(holdOut(source(3), { share: 0.01 }).val.length).toBe(1);
    expect(holdOut(source(100), { share: 0.5, atMost: 7 }).val.length).toBe(7);
    expect(holdOut(source(2), { share: 0.99 }).train.length).toBe(1);
    expect(() => holdOut(source(1))).toThrowError(expect.objectContaining({ code: 'argument' }));
    expect(() => holdOut(source(9), { share: 1 })).toThrow(/share/);
  });

  it('counts the classes of what stays, without a look at each', () => {
    const whole = source(60);
    const unlisted = (index: number): string | undefined => (index % 3 === 2 && index > 30 ? 'c' : undefined);
    const labelled = {
      ...whole,
      label: (index: number) => (index % 3 === 2 ? undefined : index % 3),
      unlistedClass: unlisted,
    };
    const { train } = holdOut({ ...labelled, classCounts: countOneByOne(labelled) }, { share: 0.3 });
    expect(train.classCounts).toEqual(countOneByOne(train));
    expect(holdOut(labelled).train.classCounts).toBeUndefined();
  });

  it('keeps the runs of the source, shortened by what was taken from each', () => {
    const { train, val } = holdOut({ ...source(60), runs: [10, 0, 30, 20] }, { share: 0.3 });
    const staying = numbers(keysOf(train));
    const within = (from: number, to: number): number => staying.filter((key) => key >= from && key < to).length;
    expect(train.runs).toEqual([within(0, 10), 0, within(10, 40), within(40, 60)]);
    expect(val.runs).toBeUndefined();
  });
});
